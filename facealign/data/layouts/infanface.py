"""The layout of InfAnFace: images/BATCH/PICTURE, and labels.csv with a row for each.

Batches are for training or for testing, and faces with none of the four attributes are the common
ones, as published. InfAnFace does not document whether points count pixels from 0 or from 1; they
are read as 0-based.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from facealign.core import tables
from facealign.core.errors import ArchiveError
from facealign.core.points import COUNT
from facealign.data.layouts.release import Release, Sample, picture_in

LABELS, PICTURES = "labels.csv", "images"
BATCHES = {"ads": "train", "google2": "train", "youtube2": "train", "google": "test"}
BATCHES["youtube"] = "test"
ATTRIBUTES = ("turned", "occluded", "expressive", "tilted")
_X, _Y = ([f"gt-{axis}{number}" for number in range(COUNT)] for axis in "xy")


def fits(folder: Path) -> bool:
    path = folder / LABELS
    if not path.is_file() or not (folder / PICTURES).is_dir():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return {"image-set", "filename"} <= set(file.readline(10_000).strip().split(","))


def read(folder: Path) -> Iterator[Sample]:
    path = folder / LABELS
    table = tables.read(path)
    points = np.stack([table.numbers(*_X), table.numbers(*_Y)], axis=-1)
    marks = {name: _marks(table, name) for name in ATTRIBUTES}
    names = zip(table["image-set"], table["filename"], strict=True)
    for row, (batch, picture) in enumerate(names):
        where = f"{path}:{row + table.first}"
        if batch not in BATCHES:
            raise ArchiveError(
                f"{where}: image-set {batch[:40]!r}, expected one of {', '.join(BATCHES)}"
            )
        has = [name for name in ATTRIBUTES if marks[name][row]]
        kind = "challenging" if has else "common"
        yield Sample(
            split=BATCHES[batch],
            name=PurePosixPath(batch, picture).with_suffix("").as_posix(),
            picture=picture_in(folder / PICTURES, f"{batch}/{picture}", where),
            points=points[row],
            attributes=[kind, *has] if BATCHES[batch] == "test" else has,
        )


def _marks(table: tables.Table, name: str) -> np.ndarray:
    values = table.numbers(name)[:, 0]
    for row, value in enumerate(values.tolist()):
        if value not in (0, 1):
            raise ArchiveError(f"{table.path}:{row + table.first}: {name} {value}, expected 0 or 1")
    return values == 1


RELEASE = Release("InfAnFace", re.compile(r"labels\.csv|images"), fits, read)
