"""The cases of the mutation run that are labels of annotation tools, and corrections of them."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from random import Random
from typing import Any
from xml.sax import saxutils

import numpy as np

from facealign.data import patches
from facealign.data.filtering import filter_faces
from facealign.labels import conversion
from facealign.labels.formats import FORMATS
from tests.fuzz import seeds
from tests.fuzz.command import facealign
from tests.fuzz.mutations import WORDS, damage, damaged_text, replaced


def damaged_value(name: str, text: str, rng: Random) -> bytes:
    """One value changed in JSON or XML that stays well-formed, half of the time; else nothing."""
    if rng.random() < 0.5:
        return b""
    if name.endswith(".json"):
        value: Any = rng.choice([None, True, "x", "0", -1, 0, 1e9, [], {}, *WORDS[:20]])
        return json.dumps(replaced(json.loads(text), rng, value)).encode()
    if name.endswith(".xml"):
        start, end = rng.choice([*re.finditer(r'(?<=")[^"]*(?=")', text)]).span()
        word = saxutils.escape(rng.choice(WORDS), {'"': "&quot;"})
        return f"{text[:start]}{word}{text[end:]}".encode(errors="surrogateescape")
    return b""


def labels_case(given: dict[str, Any], rng: Random) -> None:
    form = rng.choice(list(given["files"]))
    name, text = given["files"][form]
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(damaged_value(name, text, rng) or damaged_text(text, rng))
    Path("images").mkdir()
    Path("images", seeds.LABELLED).write_bytes(given["image"])
    source, target = Path(name).parts[0], rng.choice([one for one in FORMATS if one != form])
    facealign("labels", "convert", source, "out", "--to", target, "--images", "images")
    _, written = conversion.read(Path("out"), target, Path("images"))
    assert all(np.isfinite(face.points[~np.isnan(face.points)]).all() for face in written.faces)


def patch_case(given: dict[str, Any], rng: Random) -> None:
    """A patch in `filter`, and as one that applies already."""
    _write_files(Path("faces"), given["files"])
    path = Path("patch.csv")
    path.write_bytes(damaged_text(given["patch"], rng))
    patched = patches.read([path])
    filter_faces(Path("faces"), ["300W"], patched=patched)
    if patched:
        patches.write(Path("again.csv"), {image: one.points for image, one in patched.items()})
        for image, one in patches.read([Path("again.csv")]).items():
            np.testing.assert_array_equal(one.points, patched[image].points)
    Path("labels.csv").write_text(given["archives"]["csv"]["labels.csv"], encoding="utf-8")
    words = ("labels.csv", "--images", "faces", "--patch", path, "--out", "next.csv")
    facealign("labels", "apply", *words)


def corrected_case(given: dict[str, Any], rng: Random) -> None:
    """An archive of corrected labels: damaged as a whole, in a header, a name or a file."""
    _write_files(Path("faces"), given["files"])
    texts = given["archives"][rng.choice(list(given["archives"]))]
    files = {name: text.encode() for name, text in texts.items()}
    name, method = rng.choice(list(files)), rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    match rng.randrange(4):
        case 0:
            data = damage(seeds.zipped(files, method), rng)
        case 1:
            data = _damaged_zip_header(seeds.zipped(files, method), rng)
        case 2:
            word = rng.choice([*WORDS, "../../x", "/x", "C:/x", "a.xml/b"]).replace("\udcff", "")
            files[f"{word}{Path(name).suffix}"] = files.pop(name) if rng.random() < 0.5 else b""
            data = seeds.zipped(files, method)
        case _:
            files[name] = damaged_value(name, texts[name], rng) or damaged_text(texts[name], rng)
            data = seeds.zipped(files, method)
    Path("corrected.zip").write_bytes(data)
    try:
        words = ("corrected.zip", "--images", "faces", "--out", "patch.csv")
        facealign("labels", "apply", *words)
    finally:
        assert {path.name for path in Path().iterdir()} <= {"corrected.zip", "faces", "patch.csv"}
    if Path("patch.csv").exists():
        filter_faces(Path("faces"), ["300W"], patched=patches.read([Path("patch.csv")]))


def _write_files(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _damaged_zip_header(data: bytes, rng: Random) -> bytes:
    starts = [match.start() for match in re.finditer(rb"PK(?:\x01\x02|\x03\x04|\x05\x06)", data)]
    place = rng.choice(starts) + rng.randrange(4, 46)
    length = rng.choice([1, 2, 4])
    value = rng.choice([b"\0" * 4, b"\xff" * 4, b"\x7f" * 4, rng.randbytes(4)])[:length]
    return data[:place] + value + data[place + length :]
