"""The layout of FaceSynthetics: NUMBER.png, NUMBER_ldmks.txt and NUMBER_seg.png of each face.

The first 68 of the 70 points are iBUG's; the last two, the pupils, are left out. FaceSynthetics has
no splits, and does not document whether points count pixels from 0 or from 1; they are read as
0-based.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from facealign.core.points import COUNT
from facealign.data.layouts.release import Release, Sample, picture_of, points_in, split_of

_POINTS = "_ldmks.txt"
_ALL = COUNT + 2


def fits(folder: Path) -> bool:
    return any(folder.glob(f"[0-9]*{_POINTS}"))


def read(folder: Path) -> Iterator[Sample]:
    for path in sorted(folder.glob(f"*{_POINTS}")):
        number = path.name.removesuffix(_POINTS)
        yield Sample(
            split=split_of(number),
            name=number,
            picture=picture_of(folder / number, path),
            points=points_in(path, _ALL)[:COUNT],
        )


RELEASE = Release("FaceSynthetics", re.compile(r"\d+(\.png|_seg\.png|_ldmks\.txt)"), fits, read)
