"""The groups of the mutation run: files of each kind, damaged and given to what reads them.

A group has its seeds, real files that are made once, and `case`, which writes one case into the
current folder, an empty one, and reads it. A case may end well or in a `FacealignError`.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from facealign.core import config, images
from facealign.core.faces import Faces
from facealign.core.geometry import Box
from facealign.data.annotations import format_pts, read_pts
from facealign.labels import conversion
from tests.fuzz import labels, seeds
from tests.fuzz.command import facealign
from tests.fuzz.mutations import WORDS, cut, damage, damaged_text, replaced
from tests.fuzz.sections import SECTIONS

Seeds = Any


@dataclass(frozen=True)
class Group:
    count: int  # cases of `make test`
    seeds: Callable[[], Seeds]
    case: Callable[[Seeds, Random], None]


# --- annotations and images ---


def pts_case(given: list[str], rng: Random) -> None:
    path = Path("face.pts")
    path.write_bytes(damaged_text(rng.choice(given), rng))
    points = read_pts(path)
    path.write_text(format_pts(points), encoding="utf-8")
    np.testing.assert_array_equal(read_pts(path), points)


def image_case(given: dict[str, tuple[bytes, np.ndarray]], rng: Random) -> None:
    suffix = rng.choice(list(given))
    data, whole = given[suffix]
    path, shortened = Path(f"face{suffix}"), rng.random() < 0.3
    path.write_bytes(cut(data, rng) if shortened else damage(data, rng, head=600))
    image = images.read(path)
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    # what is missing must not be filled in
    assert not shortened or np.array_equal(image, whole), "a cut image is read as if it were whole"


def predict_case(given: dict[str, tuple[bytes, np.ndarray]], rng: Random) -> None:
    suffix = rng.choice(list(given))
    path = Path(f"face{suffix}")
    path.write_bytes(damage(given[suffix][0], rng, head=600))
    form = rng.choice(["json", "pts", "csv"])
    facealign("predict", path, "--model", "small", "--format", form, "--out", "out", "--overlay")


def film_case(given: dict[str, bytes], rng: Random) -> None:
    suffix = rng.choice(list(given))
    path = Path(f"film{suffix}")
    path.write_bytes(damage(given[suffix], rng, head=2000))
    facealign("video", path, "--model", "small", "--json", "lines.jsonl")
    assert all(json.loads(line) for line in Path("lines.jsonl").read_text().splitlines())


# --- archives ---


def archive_case(given: dict[str, dict[str, bytes]], rng: Random) -> None:
    from stages import extract

    files = dict(given[rng.choice(list(given))])
    methods: list[Callable[[bytes], bytes]] = [gzip.compress, lzma.compress, bz2.compress, bytes]
    compress = rng.choice(methods)
    match rng.randrange(3):
        case 0:  # the archive itself
            data = damage(compress(seeds.packed(files)), rng)
        case 1:  # a header, with the right checksum
            data = compress(_damaged_header(seeds.packed(files), rng))
        case _:  # a list or table in it
            lists = [name for name in files if not name.endswith(".jpg")] or [min(files)]
            name = rng.choice(lists)
            files[name] = damaged_text(files[name].decode(errors="surrogateescape"), rng)
            data = compress(seeds.packed(files))
    Path("faces.tgz").write_bytes(data)
    try:
        extract.main(Path("faces.tgz"), Path("out"))
    finally:
        assert {path.name for path in Path().iterdir()} <= {"faces.tgz", "out"}
    inside = list(Path("out").rglob("*"))
    assert inside and not any(path.is_symlink() for path in inside)


def _damaged_header(tar: bytes, rng: Random) -> bytes:
    fields = [(0, 100), (100, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8), (345, 155)]
    starts = [at for at in range(0, len(tar), 512) if tar[at + 257 : at + 262] == b"ustar"]
    start, (place, length) = rng.choice(starts), rng.choice(fields)
    value = rng.choice(
        [b"\xff" * length, b"7" * length, b"-1", b"../../x", b"/x", b"a\0b", b"\x80" + b"\xff" * 9]
        + [rng.choice(b"1234567LKxgSDV").to_bytes(), rng.randbytes(length)]
    )
    header = bytearray(tar[start : start + 512])
    header[place : place + length] = value[:length].ljust(length, b"\0")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return tar[:start] + bytes(header) + tar[start + 512 :]


# --- params, lists of experiments, tables ---


def params_case(given: tuple[str, dict[str, str]], rng: Random) -> None:
    whole, parts = given
    section = rng.choice(list(SECTIONS))
    text = whole if rng.random() < 0.05 else parts[section.partition(".")[0]]
    path = Path("params.yaml")
    path.write_bytes(damaged_text(text, rng))
    assert isinstance(config.load(section, SECTIONS[section], path), SECTIONS[section])


def sweep_case(given: tuple[list[str], Any], rng: Random) -> None:
    from facealign.experiments import sweep_list

    lists, params = given
    path = Path("list.yaml")
    path.write_bytes(damaged_text(rng.choice(lists), rng))
    experiments = sweep_list.load(path)
    sweep_list.check(experiments, params, path)
    for values in experiments.values():
        assert all("=" in text for text in sweep_list.overrides(values))
        sweep_list.initial_weights(values)
        sweep_list.different(values, params)


def scheme_case(given: tuple[str, Any], rng: Random) -> None:
    """A user's scheme, as a file of theirs and as a stage or a network hands it on."""
    from facealign.core import points
    from facealign.core.schemes import files

    points._own.clear()  # of the cases before
    text, values = given
    if rng.random() < 0.5:
        Path("schemes").mkdir()
        Path("schemes/mine.yaml").write_bytes(damaged_text(text, rng))
        scheme = files.find("schemes/mine.yaml", Path("schemes"))
    else:
        value: Any = rng.choice([None, "x", "chin", [], {}, 1, True, ["chin"], [["chin", "nose"]]])
        Path("scheme.json").write_text(json.dumps(replaced(values, rng, value)), encoding="utf-8")
        scheme = files.adopt(Path("scheme.json"))
    assert [scheme.mirror[point] for point in scheme.mirror] == list(range(scheme.count))
    files.write(scheme, Path("again.json"))
    assert files.adopt(Path("again.json")).count == scheme.count


def map_case(given: dict[str, str], rng: Random) -> None:
    """A learnt map, and labels that it converts."""
    path = Path("map.json")
    if rng.random() < 0.5:
        value: Any = rng.choice([None, True, "x", "1e9", -1, 0, 1, 1e7, 1e308, [], {}, [[1]]])
        path.write_text(json.dumps(replaced(json.loads(given["map"]), rng, value)))
    else:
        path.write_bytes(damaged_text(given["map"], rng))
    Path("faces.csv").write_text(given["labels"], encoding="utf-8")
    facealign("labels", "convert", "faces.csv", "out.csv", "--map", path)
    _, written = conversion.read(Path("out.csv"))
    assert all(np.isfinite(face.points).all() for face in written.faces)


def table_case(given: dict[str, Any], rng: Random) -> None:
    """`crop` and the measuring of `ced`, with one of their tables damaged."""
    from facealign.evaluation import scoring
    from facealign.faces.cropping import Crop, load_crops, make_crops

    texts = {name: text.encode() for name, text in given["tables"].items()}
    name = rng.choice(list(texts))
    texts[name] = damaged_text(given["tables"][name], rng)
    for name, data in texts.items():
        Path(name).write_bytes(data)
    index, boxes, predicted = (
        Faces.read(Path(name)) for name in ("index.csv", "boxes.csv", "predicted.csv")
    )
    found = boxes.join(index)
    tested = scoring.measure(found.where(split="test"), {"model": predicted})
    scoring.summarise(tested, scoring.undetected(index, boxes), scoring.Ced(10, 1))
    for name in given["names"]:
        path = Path("faces", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(given["image"])
    make_crops(Path("faces"), found, Crop("face", 16, 0.1, 0.0), Path("crops"))
    assert np.isfinite(load_crops(Path("crops")).maps).all()


def figures_case(given: dict[str, str], rng: Random) -> None:
    from facealign.experiments import results

    name = rng.choice(list(given))
    if rng.random() < 0.5:
        values = replaced(json.loads(given[name]), rng, rng.choice([None, "x", [], {}, 1, True]))
        data = json.dumps(values).encode()
    else:
        data = damaged_text(given[name], rng)
    Path(name).write_bytes(data)
    results.main(Path(name))


# --- models ---

VALUES: tuple[Any, ...] = (None, "", "x", "../x", "onet", "hourglass", -1, 0, 7, 48, 10**6, -0.5)
VALUES += (float("nan"), float("inf"), True, [], {}, [1], {"a": 1}, b"x", *WORDS[:9])


def checkpoint_case(given: dict[str, Any], rng: Random) -> None:
    import torch

    from facealign.training import checkpoint

    structured = rng.random() < 0.6
    value = rng.choice([*VALUES, torch.zeros(3), torch.full((68, 2), float("nan"))])
    values = replaced(given, rng, value) if structured else given
    file = io.BytesIO()
    torch.save(values, file)
    path = Path("model.pt")
    path.write_bytes(file.getvalue() if structured else damage(file.getvalue(), rng, head=3000))
    loaded = checkpoint.load(path)
    network, codec = checkpoint.build(loaded, torch.device("cpu"))
    with torch.no_grad():
        points = codec.decode(network(torch.zeros(1, 3, loaded.stats.size, loaded.stats.size)))
    assert points.shape[-1] == 2


def onnx_case(given: dict[str, Any], rng: Random) -> None:
    import onnx

    from facealign.inference.network import Network

    data: bytes = given["small.onnx"]
    if rng.random() < 0.5:
        data = damage(data, rng, head=6000)
    else:
        model = onnx.load_from_string(data)
        _change(model, rng)
        data = model.SerializeToString()
    path = Path("model.onnx")
    path.write_bytes(data)
    points, _ = Network(path, threads=1)(given["image"], [Box(30, 30, 130, 130)])
    assert points.shape[0] == 1 and points.shape[2] == 2 and np.isfinite(points).all()


def _change(model: Any, rng: Random) -> None:
    """The metadata, the input, the first weights or a node."""
    graph = model.graph
    match rng.randrange(5):
        case 0:
            rng.choice(model.metadata_props).value = rng.choice(WORDS).replace("\udcff", "")
        case 1:
            dims = graph.input[0].type.tensor_type.shape.dim
            rng.choice(dims).dim_value = rng.choice([0, 1, 3, 5, 64, 100_000, 2**40, -1])
        case 2:
            graph.input[0].type.tensor_type.elem_type = rng.randrange(1, 17)
        case 3:
            weights = rng.choice(graph.initializer)
            weights.data_location = 1  # in another file
            place = rng.choice(["/etc/passwd", "x", "../x"])
            weights.external_data.add(key="location", value=place)
        case _:
            del graph.node[rng.randrange(len(graph.node))]


GROUPS: dict[str, Group] = {
    "pts": Group(250, seeds.pts_files, pts_case),
    "labels": Group(250, seeds.labels, labels.labels_case),
    "patch": Group(100, seeds.corrected_labels, labels.patch_case),
    "corrected": Group(200, seeds.corrected_labels, labels.corrected_case),
    "image": Group(300, seeds.encoded_images, image_case),
    "predict": Group(12, seeds.encoded_images, predict_case),
    "film": Group(16, seeds.films, film_case),
    "archive": Group(150, seeds.layouts, archive_case),
    "params": Group(250, seeds.params, params_case),
    "scheme": Group(150, seeds.scheme, scheme_case),
    "map": Group(150, seeds.learnt_map, map_case),
    "sweep": Group(200, seeds.experiments, sweep_case),
    "table": Group(150, seeds.tables, table_case),
    "figures": Group(200, seeds.figures, figures_case),
    "checkpoint": Group(100, seeds.checkpoint_values, checkpoint_case),
    "onnx": Group(40, seeds.networks, onnx_case),
}
