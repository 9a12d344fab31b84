"""The formats of labels, and which one a path has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facealign.core import tables
from facealign.core.config import unknown_name
from facealign.core.errors import ConfigError, InputError
from facealign.labels import (
    coco,
    cvat,
    imglab,
    json_files,
    label_studio,
    labelme,
    pts,
    table,
    via,
    xml_files,
)
from facealign.labels.faces import Images, LabelledFace, Labels, read_bytes

FOLDER = ""  # the suffix of formats with a file for each image or face


@dataclass(frozen=True)
class Format:
    """`recognise` and `read` take what the suffix's loader gives; `write` gives texts by file."""

    name: str
    suffix: str
    recognise: Callable[[Any], bool]
    read: Callable[[Any, Images], Labels]
    write: Callable[[Path, Sequence[LabelledFace], Images], dict[Path, str]]
    hidden: bool = True  # it marks hidden points
    names: bool = True  # it names points
    listed: bool = False  # it lists labelled points one by one, and says nothing of the others
    whole: bool = False  # it has whole pixels only


FORMATS = {
    one.name: one
    for one in (
        Format("pts", FOLDER, pts.recognise, pts.read, pts.write, hidden=False, names=False),
        Format("csv", ".csv", table.recognise, table.read, table.write, names=False),
        Format("coco", ".json", coco.recognise, coco.read, coco.write),
        Format("cvat", ".xml", cvat.recognise, cvat.read, cvat.write),
        Format(
            *("label-studio", ".json", label_studio.recognise),
            *(label_studio.read, label_studio.write),
            listed=True,
        ),
        Format(
            *("imglab", ".xml", imglab.recognise, imglab.read, imglab.write),
            hidden=False,
            names=False,
            listed=True,
            whole=True,
        ),
        Format("labelme", FOLDER, labelme.recognise, labelme.read, labelme.write, listed=True),
        Format("via", ".json", via.recognise, via.read, via.write, listed=True),
    )
}
_LOADERS: dict[str, Callable[[Path], Any]] = {
    FOLDER: Path,
    ".csv": lambda path: tables.parse(read_bytes(path), path),
    ".json": json_files.load,
    ".xml": xml_files.load,
}


def load(path: Path, name: str | None) -> tuple[Format, Any]:
    """The format of existing labels, by its name or by their contents; and what it reads."""
    if name is not None:
        chosen = _named(name)
        if path.is_dir() != (chosen.suffix == FOLDER):
            raise InputError(
                f"{path}: expected a {'folder' if path.is_file() else 'file'} for {name}"
            )
        return chosen, _LOADERS[chosen.suffix](path)
    suffix = FOLDER if path.is_dir() else path.suffix.lower()
    if suffix not in _LOADERS:
        raise InputError(
            f"{path}: expected a folder or a file of {_suffixes()}, or name its format"
        )
    content = _LOADERS[suffix](path)
    possible = [one for one in FORMATS.values() if one.suffix == suffix]
    found = [one for one in possible if one.recognise(content)]
    if len(found) != 1:
        expected = " or ".join(one.name for one in found or possible)
        raise InputError(f"{path}: not known which labels these are; name {expected} with --from")
    return found[0], content


def of_new(path: Path, name: str | None) -> Format:
    """The format of labels to be written: by its name or by the path's suffix."""
    if name is not None:
        return _named(name)
    possible = [one.name for one in FORMATS.values() if one.suffix == path.suffix.lower()]
    if len(possible) != 1:
        names = ", ".join(possible or FORMATS)
        raise ConfigError(f"{path}: several formats are possible: name one with --to: {names}")
    return FORMATS[possible[0]]


def _named(name: str) -> Format:
    if name not in FORMATS:
        raise ConfigError(unknown_name("format", name, list(FORMATS)))
    return FORMATS[name]


def _suffixes() -> str:
    return ", ".join(suffix for suffix in _LOADERS if suffix)
