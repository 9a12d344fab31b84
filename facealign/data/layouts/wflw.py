"""The layout of WFLW: WFLW_images/ with folders of pictures, and WFLW_annotations/ with two lists.

A line of a list is a face: 98 points, the corners of a box, six attributes, each 0 or 1, and its
picture, on which other faces may be, too. WFLW does not document whether points count pixels from 0
or from 1; they are read as 0-based.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import compress
from pathlib import Path, PurePosixPath

from facealign.core.errors import ArchiveError
from facealign.core.schemes.published import WFLW
from facealign.data.layouts.release import Release, Sample, find, lines, numbers, picture_in

PICTURES, ANNOTATIONS = "WFLW_images", "WFLW_annotations"
LISTS = {"train": "list_98pt_rect_attr_train.txt", "test": "list_98pt_rect_attr_test.txt"}
ATTRIBUTES = ("pose", "expression", "illumination", "make-up", "occlusion", "blur")
_BOX = 4
_WORDS = 2 * WFLW.count + _BOX + len(ATTRIBUTES) + 1


def fits(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in (PICTURES, ANNOTATIONS))


def read(folder: Path) -> Iterator[Sample]:
    for name in (PICTURES, ANNOTATIONS):
        if not (folder / name).is_dir():
            raise ArchiveError(f"{folder}: no folder {name}, of WFLW")
    for split, name in LISTS.items():
        faces: Counter[str] = Counter()
        for where, line in lines(find(folder / ANNOTATIONS, name)):
            *words, picture = line.split()
            if len(words) != _WORDS - 1:
                raise ArchiveError(
                    f"{where}: {len(words) + 1} words, expected {_WORDS}: {2 * WFLW.count} of "
                    f"points, {_BOX} of a box, {len(ATTRIBUTES)} attributes, a picture"
                )
            marks = words[-len(ATTRIBUTES) :]
            if set(marks) - {"0", "1"}:
                raise ArchiveError(f"{where}: attributes {' '.join(marks)[:40]}, expected 0 or 1")
            path = picture_in(folder / PICTURES, picture, where)
            faces[picture] += 1
            stem = PurePosixPath(picture).with_suffix("").as_posix()
            yield Sample(
                split=split,
                name=stem if faces[picture] == 1 else f"{stem}_{faces[picture]}",
                picture=path,
                points=numbers(words[: 2 * WFLW.count], 2 * WFLW.count, where).reshape(-1, 2),
                attributes=[*compress(ATTRIBUTES, (mark == "1" for mark in marks))],
            )


RELEASE = Release("WFLW", re.compile(r"WFLW_\w+"), fits, read)
