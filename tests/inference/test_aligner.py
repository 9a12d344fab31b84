"""The class `Aligner` with the released weights."""

import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from facealign import Aligner, Box, ConfigError, Face, ImageError, ModelError
from facealign.faces import dlib_predictor
from facealign.inference import benchmark, folders, listing
from facealign.inference.aligner import as_dict
from facealign.inference.weights import FOLDER, released

EYES_AND_MOUTH = (slice(36, 48), slice(48, 68))


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner(threads=1)


@pytest.fixture(scope="module")
def portraits() -> list[tuple[np.ndarray, Box]]:
    return benchmark.portraits(6, seed=645)


def apart(one: Face, other: Face) -> float:
    """Mean distance of the points as a share of the box's side."""
    return float(np.linalg.norm(one.points - other.points, axis=1).mean() / one.box.width)


def test_the_points_agree_with_dlibs(aligner: Aligner, astronaut: np.ndarray, model: Path) -> None:
    (face,) = aligner.predict(astronaut)
    by_dlib = dlib_predictor.predict(astronaut, face.box, model)
    assert np.linalg.norm(face.points - by_dlib, axis=1).mean() < 0.03 * face.box.width
    assert face.scores is not None and face.scores.shape == (68,)
    assert (face.scores > 0).all() and (face.scores <= 1).all()
    assert face.pose and abs(face.pose.yaw) < 10 and abs(face.pose.roll) < 10


def test_five_points_have_no_pose(aligner: Aligner, astronaut: np.ndarray) -> None:
    (face,) = aligner.predict(astronaut)
    five = Face(face.box, face.points[:5], None)
    assert five.pose is None and as_dict(five)["pose"] is None


def test_a_model_must_be_a_name_or_a_path() -> None:
    with pytest.raises(ConfigError, match="model: 3, expected a name or a path"):
        Aligner(model=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", released())
def test_all_released_weights_agree_with_dlib(
    name: str, astronaut: np.ndarray, model: Path
) -> None:
    (face,) = Aligner(name, threads=1).predict(astronaut)
    by_dlib = dlib_predictor.predict(astronaut, face.box, model)
    # those that saw generated faces only place the jaw further out
    limit = 0.045 if name.startswith("open") else 0.03
    assert np.linalg.norm(face.points - by_dlib, axis=1).mean() < limit * face.box.width
    assert (FOLDER / f"{name}.onnx").stat().st_size < 16e6


def test_given_boxes_are_used_instead_of_the_detector(
    aligner: Aligner, astronaut: np.ndarray
) -> None:
    [detection] = aligner.detect(astronaut)
    (found,) = aligner.predict(astronaut)
    assert found.box == detection.box and found.score == detection.score
    (same,) = aligner.predict(astronaut, [detection])
    np.testing.assert_array_equal(same.points, found.points)
    assert aligner.predict(astronaut, []) == []
    moved = Box(*(edge + 3 for edge in vars(found.box).values()))
    (near,) = aligner.predict(astronaut, [moved])
    assert near.box == moved and near.score is None and 0 < apart(found, near) < 0.03


def test_a_batch_gives_each_picture_its_own_faces(
    aligner: Aligner, portraits: list[tuple[np.ndarray, Box]], astronaut: np.ndarray
) -> None:
    empty = np.zeros((90, 120, 3), np.uint8)
    pictures = [portraits[0][0], empty, astronaut, portraits[1][0]]
    together = aligner.predict_batch(pictures)
    assert [len(faces) for faces in together] == [1, 0, 1, 1]
    for picture, faces in zip(pictures, together, strict=True):
        for face, alone in zip(faces, aligner.predict(picture), strict=True):
            np.testing.assert_allclose(face.points, alone.points, atol=1e-3)
    with pytest.raises(ConfigError, match="boxes: 1 lists for 2 pictures"):
        aligner.predict_batch([astronaut, empty], [[]])


@pytest.mark.parametrize("name", ["grey", "grey3", "rgba", "16 bit", "strided"])
def test_other_arrays_give_the_same_face(
    aligner: Aligner, astronaut: np.ndarray, name: str
) -> None:
    grey = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    picture = {
        "grey": grey,
        "grey3": grey[:, :, None],
        "rgba": cv2.cvtColor(astronaut, cv2.COLOR_RGB2RGBA),
        "16 bit": astronaut.astype(np.uint16) * 257,
        "strided": np.ascontiguousarray(astronaut[:, :, ::-1])[:, :, ::-1],
    }[name]
    (face,) = aligner.predict(picture)
    (plain,) = aligner.predict(astronaut)
    assert apart(plain, face) < (0.02 if "grey" in name else 1e-6)


@pytest.mark.parametrize(
    "picture",
    [np.zeros((4, 4), np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8)],
    ids=["floats", "two channels", "empty"],
)
def test_an_array_of_another_shape_or_type_is_an_error(
    aligner: Aligner, picture: np.ndarray
) -> None:
    with pytest.raises(ImageError, match=r"a picture of shape \(.*\) and .*, expected"):
        aligner.predict(picture)


def test_files_of_other_kinds_give_the_same_face(
    aligner: Aligner, astronaut: np.ndarray, tmp_path: Path
) -> None:
    (plain,) = aligner.predict(astronaut)
    image = Image.fromarray(astronaut)
    turned = Image.Exif()
    turned[0x0112] = 6  # shown turned by a quarter clockwise
    image.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    image.rotate(90, expand=True).save(tmp_path / "лицо 1.jpg", quality=95, exif=turned)
    cv2.imwrite(str(tmp_path / "deep.png"), astronaut[:, :, ::-1].astype(np.uint16) * 257)
    image.convert("RGBA").save(tmp_path / "alpha.png")
    for path in sorted(tmp_path.iterdir()):
        face = min(aligner.predict(path), key=lambda face: apart(plain, face))
        assert apart(plain, face) < 0.03, path.name


@pytest.mark.parametrize("shape", [(1, 1), (3, 12_000), (900, 12_000)])
def test_pictures_of_odd_sizes_without_a_face_have_none(
    aligner: Aligner, shape: tuple[int, int]
) -> None:
    assert aligner.predict(np.full(shape, 90, np.uint8)) == []


def test_fifty_faces_are_found(aligner: Aligner, portraits: list[tuple[np.ndarray, Box]]) -> None:
    tiles = [cv2.resize(picture, (480, 360)) for picture, _ in portraits]
    rows = [np.hstack([tiles[(row + i) % len(tiles)] for i in range(10)]) for row in range(5)]
    faces = aligner.predict(np.vstack(rows))
    assert len(faces) >= 49
    places = {(int(face.box.centre[0] // 480), int(face.box.centre[1] // 360)) for face in faces}
    assert len(places) >= 49


def test_an_unusable_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown model 'cascad', did you mean cascade?"):
        Aligner("cascad")
    with pytest.raises(
        ConfigError,
        match=r"'nets'. Valid: cascade, open, open-small, small, or the path of an .onnx",
    ):
        Aligner("nets")
    with pytest.raises(ModelError, match=r"gone.pt: no such file"):
        Aligner(tmp_path / "gone.pt")
    with pytest.raises(ModelError, match=r"gone.onnx: no such file"):
        Aligner(tmp_path / "gone.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"broken.onnx: not a network of facealign: "):
        Aligner(broken)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"upsample": 1}, "upsample: 1, expected non-negative integers"),
        ({"upsample": ()}, "upsample: "),
        ({"upsample": (0, -1)}, "upsample: "),
        ({"upsample": (0.5,)}, "upsample: "),
        ({"threads": -1}, "threads: -1, expected None or a positive integer"),
        ({"threads": "two"}, "threads: 'two'"),
        ({"detector": "dlid"}, "unknown detector 'dlid', did you mean dlib? Valid: fast, dlib"),
        ({"detector": None}, "unknown detector 'None'"),
    ],
)
def test_invalid_settings_are_errors(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        Aligner(**settings)


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ([(1, 2, 30, 40)], "boxes: (1, 2, 30, 40), expected Box(left, top, right, bottom)"),
        (Box(1, 2, 30, 40), "expected a list of Box"),
        ([Box(30, 2, 1, 40)], "expected left < right and top < bottom"),
        ([Box(1, 2, float("nan"), 40)], "expected left < right"),
        ([Box(1, 2, float("inf"), 40)], "expected left < right"),
        ([Box(0, 0, 1e300, 1e300)], "top < bottom, within 10,000,000 pixels"),
        ([Box(0, 0, 1e-310, 1e-310)], "expected left < right"),
    ],
)
def test_invalid_boxes_are_errors(
    aligner: Aligner, astronaut: np.ndarray, boxes: Any, said: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        aligner.predict(astronaut, boxes)


@pytest.mark.parametrize("picture", [None, 3, [[1, 2], [3, 4]]])
def test_a_picture_of_another_type_is_an_error(aligner: Aligner, picture: Any) -> None:
    with pytest.raises(ImageError, match="expected a numpy array or a path"):
        aligner.predict(picture)


def test_a_batch_is_a_list(aligner: Aligner) -> None:
    with pytest.raises(ConfigError, match=r"pictures: 'photo.jpg', expected a list of pictures"):
        aligner.predict_batch("photo.jpg")


def test_a_function_detects_in_place_of_dlib(astronaut: np.ndarray) -> None:
    """It gets the picture once, not doubled, whatever `upsample` is."""
    box = Aligner("small", threads=1).detect(astronaut)[0].box
    shapes = []

    def detector(image: np.ndarray) -> list[Box]:
        shapes.append(image.shape)
        return [box] if image.shape[0] == 512 else []

    aligner = Aligner("small", detector, threads=1)
    (face,) = aligner.predict(astronaut)
    assert face.box == box
    assert aligner.detect(astronaut[:200]) == []
    assert shapes == [(512, 512, 3), (200, 512, 3)]
    wrong: Any = lambda image: np.zeros((1, 4))  # noqa: E731
    with pytest.raises(ConfigError, match=r"boxes of the detector: .*expected a list of Box"):
        Aligner("small", wrong, threads=1).detect(astronaut)


def test_a_pickled_aligner_is_loaded_once(astronaut: np.ndarray) -> None:
    aligner = Aligner("small", upsample=(0,), threads=1)
    first, second = (pickle.loads(pickle.dumps(aligner)) for _ in range(2))
    assert first is second and first.upsample == (0,)
    (face,), (same,) = aligner.predict(astronaut), first.predict(astronaut)
    np.testing.assert_array_equal(face.points, same.points)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mine") / "mine.pt"
    shutil.copy(FOLDER / "cascade.pt", path)
    return path


@pytest.mark.slow
def test_a_checkpoint_is_exported_once(mine: Path, aligner: Aligner, astronaut: np.ndarray) -> None:
    first, second = Aligner(mine, threads=1), Aligner(str(mine), threads=1)
    assert first.network.path == second.network.path != mine
    (face,), (released,) = first.predict(astronaut), aligner.predict(astronaut)
    assert 0 < apart(face, released) < 0.02  # the released file is the mean of two networks
    os.utime(mine, (1, 1))  # as if trained again
    assert Aligner(mine, threads=1).network.path != first.network.path


@pytest.mark.slow
def test_the_export_is_removed_at_exit(mine: Path, tmp_path: Path) -> None:
    code = f"from facealign import Aligner; print(Aligner({str(mine)!r}).network.path)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(tmp_path)
    assert done.stderr == "" and not list(tmp_path.glob("facealign-*"))


@pytest.mark.slow
def test_worker_processes_share_the_parents_export(
    mine: Path, astronaut: np.ndarray, tmp_path: Path
) -> None:
    for name in ("one.png", "two.png"):
        cv2.imwrite(str(tmp_path / name), astronaut[:, :, ::-1])
    aligner = Aligner(mine, threads=1)
    away = mine.rename(tmp_path / "away.pt")  # so that no worker could export it
    try:
        found = list(folders.predict_all(listing.find_pictures([str(tmp_path)]), aligner, None, 2))
    finally:
        away.rename(mine)
    (face,) = aligner.predict(astronaut)
    for result in found:
        np.testing.assert_array_equal(result.faces[0].points, face.points)


def test_without_torch_a_checkpoint_names_the_extra(mine: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from facealign import Aligner, DependencyError\n"
        f"try: Aligner({str(mine)!r})\n"
        "except DependencyError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{mine}: a checkpoint needs torch: pip install '.[export]' in a clone\n"


def test_covered_points_have_lower_scores(
    aligner: Aligner, portraits: list[tuple[np.ndarray, Box]]
) -> None:
    ratios = []
    for picture, box in portraits:
        (seen,) = aligner.predict(picture, [box])
        covered = picture.copy()
        x, y = seen.points[57]
        half = 0.2 * box.width
        covered[int(y - half) : int(y + half), int(x - 2 * half) : int(x + 2 * half)] = 30
        (hidden,) = aligner.predict(covered, [box])
        assert seen.scores is not None and hidden.scores is not None
        ratios.append(
            [hidden.scores[part].mean() / seen.scores[part].mean() for part in EYES_AND_MOUTH]
        )
    eyes, mouth = np.median(ratios, axis=0)
    assert mouth < 0.8 < eyes


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import facealign, sys; "
        "print(sorted({'cv2', 'numpy', 'torch', 'yaml', 'onnxruntime'} & set(sys.modules)))\n"
        "facealign.Aligner; "
        "print(sorted({'torch', 'yaml', 'matplotlib', 'dvc', 'mlflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"
