"""The layout of LaPa: for each split pictures, and a file of 106 points for each.

The first line of a file is the number of points, then comes a line for each. LaPa does not document
whether they count pixels from 0 or from 1; they are read as 0-based. Its validation faces are for
training; its labels of pixels are not needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from facealign.core.errors import ArchiveError
from facealign.core.schemes.published import JD
from facealign.data.layouts.release import Release, Sample, picture_of, points_in

_SPLITS = ("train", "val", "test")


def fits(folder: Path) -> bool:
    return any((folder / split / "landmarks").is_dir() for split in _SPLITS)


def read(folder: Path) -> Iterator[Sample]:
    for split in _SPLITS:
        home = folder / split
        if not (home / "landmarks").is_dir():
            raise ArchiveError(f"{folder}: no folder {split}/landmarks, of LaPa")
        for path in sorted((home / "landmarks").glob("*.txt")):
            yield Sample(
                split="test" if split == "test" else "train",
                name=path.stem if split != "val" else f"val/{path.stem}",
                picture=picture_of(home / "images" / path.stem, path),
                points=points_in(path, JD.count, headed=True),
            )


RELEASE = Release("LaPa", re.compile("train|val|test"), fits, read)
