"""The seeds of the mutation run: real files of each kind, made or read once."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from facealign.core import config, images
from facealign.core.faces import Faces
from facealign.core.geometry import Box
from facealign.core.points import select
from facealign.data import patches
from facealign.data.annotations import format_pts
from facealign.labels import conversion, learning
from facealign.labels import learnt_map as maps
from facealign.labels.faces import Images, LabelledFace
from facealign.labels.formats import FOLDER, FORMATS
from facealign.synthesis.pictures import plan_pictures, render
from tests.data.test_list_releases import BATCHES
from tests.data.test_list_releases import labels as infants
from tests.data.test_mat_releases import aflw, cofw
from tests.helpers import PARAMS, ROOT

LABELLED = "photo 1.png"  # the image of the labels


def face() -> tuple[np.ndarray, np.ndarray]:
    """A generated image of 160 pixels a side, and its 68 points."""
    data, points = render(plan_pictures(12, seed=1)[0])
    image = images.decode(data, Path("face"))
    box = Box.around(points)
    x, y = (int(middle - box.width) for middle in box.centre)
    x, y, side = max(x, 0), max(y, 0), int(2 * box.width)
    small = cv2.resize(image[y : y + side, x : x + side], (160, 160), interpolation=cv2.INTER_AREA)
    return small, (points - [x, y]) * 160 / side


def encoded(image: np.ndarray, suffix: str) -> bytes:
    return cv2.imencode(suffix, image[:, :, ::-1])[1].tobytes()


def pts_files() -> list[str]:
    points = face()[1]
    plain = format_pts(points)
    return [plain, format_pts(points.round(1)), plain.replace("\n", "\r\n"), format_pts(points[:5])]


def labels() -> dict[str, Any]:
    """Two faces of one image, by format: the name and the text of a file. One of each folder."""
    image, points = face()
    data = encoded(image, ".png")
    Path("images").mkdir()
    Path("images", LABELLED).write_bytes(data)
    hidden = np.arange(len(points)) % 9 == 0
    faces = [LabelledFace(LABELLED, points, hidden, number=number) for number in (1, 2)]
    files = {}
    for name, form in FORMATS.items():
        path = Path("labels") if form.suffix == FOLDER else Path(f"labels{form.suffix}")
        written = form.write(path, faces, Images(Path("images")))
        first = next(iter(written))
        files[name] = str(first), written[first]
    return {"image": data, "files": files}


def corrected_labels() -> dict[str, Any]:
    """Two labelled images as `facealign labels apply` finds them, a patch of them, and, by format,
    the files of an archive in which a point of each is moved."""
    image, points = face()
    data, pts = encoded(image, ".png"), format_pts(points).encode()
    names = [f"300W/{split}/a.png" for split in ("train", "test")]
    moved = points + (np.arange(len(points)) == 30)[:, None] * 9.0
    hidden = np.zeros(len(points), bool)
    faces = [LabelledFace(name, moved, hidden, size=(160, 160)) for name in names]
    archives = {}
    for key, form in FORMATS.items():
        folder = Path(key)
        for name in names:  # VIA wants the size of the file
            (folder / name).parent.mkdir(parents=True)
            (folder / name).write_bytes(data)
        path = folder if form.suffix == FOLDER else folder / f"labels{form.suffix}"
        written = form.write(path, faces, Images(folder))
        archives[key] = {to.relative_to(folder).as_posix(): text for to, text in written.items()}
    patches.write(Path("patch.csv"), dict.fromkeys(names, moved))
    present = dict.fromkeys(names, data)
    return {
        "files": present | {name.replace(".png", ".pts"): pts for name in names},
        "patch": Path("patch.csv").read_text(encoding="utf-8"),
        "archives": archives,
    }


def zipped(files: Mapping[str, bytes], method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def encoded_images() -> dict[str, tuple[bytes, np.ndarray]]:
    image = face()[0]
    data = {suffix: encoded(image, suffix) for suffix in sorted(images.SUFFIXES)}
    return {suffix: (one, images.decode(one, Path(suffix))) for suffix, one in data.items()}


def films() -> dict[str, bytes]:
    image, found = face()[0], {}
    for suffix, codec in ((".avi", "MJPG"), (".mp4", "mp4v")):
        path = f"film{suffix}"
        film = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*codec), 10.0, (160, 160))
        for shift in range(8):
            film.write(np.roll(image[:, :, ::-1], shift, axis=1))
        film.release()
        found[suffix] = Path(path).read_bytes()
    return found


def layouts() -> dict[str, dict[str, bytes]]:
    image, points = face()
    jpg, pts = encoded(image, ".jpg"), format_pts(points).encode()
    row = ",".join(f"{value + 1:.2f}" for value in points.ravel())
    names = "," + ",".join(map(str, range(136)))
    table = f"{names}\na.jpg,{row}\nb.jpg,{row}\n".encode()
    five = "10 20 30 20 20 30 12 40 28 40"
    celeba = f"3\nx y\n1.jpg {five}\n2.jpg {five}\n3.jpg {five}\n".encode()
    ninety_eight = " ".join(f"{value:.2f}" for value in np.linspace(20, 120, 196))
    wflw = f"{ninety_eight} 20 20 120 120 0 1 0 0 0 1 0--Parade/a.jpg\n".encode()
    lapa = ("106\n" + "3.25 4.5\n" * 106).encode()
    return {
        "folders": {
            f"landmarks_task/300W/{split}/a{suffix}": data
            for split in ("train", "test")
            for suffix, data in ((".jpg", jpg), (".pts", pts))
        },
        "course": {
            **{f"ytf/{split}/{name}.jpg": jpg for split in ("training", "test") for name in "ab"},
            "ytf/training_frames_keypoints.csv": table,
            "ytf/test_frames_keypoints.csv": table,
        },
        "celeba": {
            **{f"img_celeba/{i}.jpg": jpg for i in range(1, 4)},
            "list_landmarks_celeba.txt": celeba,
            "identity_CelebA.txt": b"1.jpg 5\n2.jpg 5\n3.jpg 6\n",
            "list_eval_partition.txt": b"1.jpg 0\n2.jpg 1\n3.jpg 2\n",
        },
        "wflw": {
            "WFLW_images/0--Parade/a.jpg": jpg,
            **{f"WFLW_annotations/list_98pt_rect_attr_{n}.txt": wflw for n in ("train", "test")},
        },
        "cofw": {
            "COFW_train_color.mat": cofw("IsTr", "phisTr", image, image[:, :, 0]),
            "COFW_test_color.mat": cofw("IsT", "phisT", image),
        },
        "aflw2000": {f"image00002{end}": data for end, data in ((".jpg", jpg), (".mat", aflw(20)))},
        "lapa": {
            f"{split}/{name}": data
            for split in ("train", "val", "test")
            for name, data in (("images/a.jpg", jpg), ("landmarks/a.txt", lapa))
        },
        "infanface": {
            "labels.csv": infants("1,0,0,0"),
            **{f"images/{batch}/a.png": jpg for batch in BATCHES},
        },
        "people": {f"people/{who}/{i}.jpg": jpg for who in "ab" for i in range(2)},
    }


def packed(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


def params() -> tuple[str, dict[str, str]]:
    """The whole file, and the text of each section alone."""
    text = PARAMS.read_text(encoding="utf-8")
    parts = re.split(r"^(?=\w)", text, flags=re.MULTILINE)
    return text, {part.partition(":")[0]: part for part in parts if not part.startswith("#")}


def experiments() -> tuple[list[str], Any]:
    lists = [path.read_text(encoding="utf-8") for path in (ROOT / "experiments").glob("*.yaml")]
    shortest = sorted(lists, key=len)[:3]
    own = "all: {data.archive: a.tgz}\none: {train.epochs: 3}\ntwo: {train: {init: x.pt}}\n"
    return [own, own, *shortest], yaml.safe_load(PARAMS.read_text(encoding="utf-8"))


def scheme() -> tuple[str, Any]:
    text = (ROOT / "schemes" / "example.yaml").read_text(encoding="utf-8")
    return text, yaml.safe_load(text)


def learnt_map() -> dict[str, str]:
    """A small map, from five points to four, and the labels of a face to convert."""
    rng, five = np.random.default_rng(1), select(face()[1], 5)
    faces = five + rng.normal(size=(20, 5, 2))
    names = [f"{number}.png" for number in range(len(faces))]
    learnt = learning.fit(names, faces, (faces[:, 1:] + faces[:, :-1]) / 2)
    labelled = LabelledFace(LABELLED, five, np.zeros(5, bool))
    saved, written = Path("map.json"), Path("faces.csv")
    maps.save(learnt, saved)
    conversion.write(written, [labelled], FORMATS["csv"], Images(Path()))
    return {"map": saved.read_text("utf-8"), "labels": written.read_text("utf-8")}


def tables() -> dict[str, Any]:
    image, points = face()
    names = [f"300W/{split}/{i}.png" for split in ("train", "test") for i in range(2)]
    several = np.repeat(points[None], len(names), axis=0)
    size, box = np.full((len(names), 2), 160), np.tile([30.0, 30, 130, 130], (len(names), 1))
    faces = Faces.of(names, size=size, box=box, points=several)
    faces.write(Path("index.csv"), "dataset", "split", "size", "points")
    faces.write(Path("boxes.csv"), "box")
    faces.write(Path("predicted.csv"), "points")
    texts = {path.name: path.read_text() for path in Path().glob("*.csv")}
    return {"image": encoded(image, ".png"), "names": names, "tables": texts}


def figures() -> dict[str, str]:
    found = [ROOT / "metrics" / name for name in ("ced.json", "recognition.json")]
    return {path.name: path.read_text(encoding="utf-8") for path in found}


def checkpoint_values() -> dict[str, Any]:
    """The values in the checkpoint of a small network."""
    import torch

    from facealign import models
    from facealign.faces.cropping import Stats
    from facealign.models.parts.layers import Shape
    from facealign.training import checkpoint
    from facealign.training.checkpoint import Checkpoint
    from facealign.training.recipe import Train

    mean_face = torch.tensor(face()[1] * 26 / 160, dtype=torch.float32)
    made = Checkpoint(
        arch="onet",
        stats=Stats(26, 0.1, 4, (100.0, 100.0, 100.0), (50.0, 50.0, 50.0)),
        mean_face=mean_face,
        recipe=config.load("train", Train, PARAMS).used(),
        epoch=1,
        validation_nme=0.1,
        weights={},
    )
    network, _ = models.build("onet", Shape(26, mean_face), None)
    return checkpoint.to_dict(made) | {"weights": network.state_dict()}


def networks() -> dict[str, Any]:
    small = (ROOT / "facealign/weights/small.onnx").read_bytes()
    return {"image": face()[0], "small.onnx": small}
