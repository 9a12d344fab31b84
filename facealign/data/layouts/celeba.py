"""The layout of CelebA: a folder of pictures, and lists of their points and people.

The lists may lie beside img_celeba/ or, as CelebA itself has them, in folders of their own. Faces
are found by their points, so list_bbox_celeba.txt is not needed. CelebA does not document whether
points count pixels from 0 or from 1; they are read as 0-based.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facealign.core.errors import ArchiveError
from facealign.data.layouts.release import Release, Sample, split_of

PICTURES = "img_celeba"
LANDMARKS = "list_landmarks_celeba.txt"  # five points of each picture
IDENTITIES = "identity_CelebA.txt"  # the person on each picture
PARTITION = "list_eval_partition.txt"  # 0: train, 1: validation, 2: test
_HEADED = {LANDMARKS}  # two lines come first: the count, and the names of the columns
# What is behind a picture's name: a pattern of the words, their count, and what errors call them
_NUMBER = re.compile(r"[+-]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})", re.ASCII)
_WORDS = {
    LANDMARKS: (_NUMBER, 10, "10 numbers"),
    IDENTITIES: (re.compile(r"\d{1,9}", re.ASCII), 1, "the number of a person"),
    PARTITION: (re.compile(r"[012]"), 1, "0, 1 or 2"),
}


def fits(folder: Path) -> bool:
    return any(_find(folder, name) for name in (LANDMARKS, IDENTITIES)) and bool(
        _find(folder, PICTURES)
    )


def read(folder: Path) -> Iterator[Sample]:
    """The faces as SPLIT/PERSON/PICTURE; without identities there is no folder PERSON, without
    landmarks there are no points."""
    pictures = _find(folder, PICTURES)
    assert pictures is not None
    present = {path.name for path in pictures.iterdir() if path.is_file()}
    points = _read(folder, LANDMARKS, present)
    people = _read(folder, IDENTITIES, present)
    partition = _read(folder, PARTITION, present)
    for name in sorted(present):
        person = f"{people[name][0]:.0f}" if name in people else ""
        tested = "test" if partition.get(name) == [2] else "train"
        yield Sample(
            split=tested if name in partition else split_of(person or name),
            name=(Path(person) / name).with_suffix("").as_posix(),
            picture=pictures / name,
            points=np.array(points[name]).reshape(-1, 2) if name in points else None,
        )


def _find(folder: Path, name: str) -> Path | None:
    found = sorted(path for path in folder.rglob(name) if path.is_dir() == (name == PICTURES))
    if len(found) > 1:
        raise ArchiveError(f"{found[0]} and {found[1]}: expected one of them")
    return found[0] if found else None


def _read(folder: Path, name: str, present: set[str]) -> dict[str, list[float]]:
    """The numbers of each picture that is present; none without such a list."""
    path = _find(folder, name)
    if path is None:
        return {}
    pattern, count, wanted = _WORDS[name]
    values: dict[str, list[float]] = {}
    absent = 0
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        picture, *words = line.split() or [""]
        shown = line[:100]
        fits = len(words) == count and all(map(pattern.fullmatch, words))
        if name in _HEADED and number <= 2:
            if fits or picture in present:
                headed = "the count in line 1 and the columns' names in line 2"
                raise ArchiveError(f"{path}:{number}: {shown!r}, expected {headed}")
            continue
        if not picture:
            continue
        if not fits:
            raise ArchiveError(
                f"{path}:{number}: {shown!r}, expected a picture's name and {wanted}"
            )
        numbers = [float(word) for word in words]
        if picture in values:
            raise ArchiveError(f"{path}:{number}: {picture} is in an earlier line, too")
        if picture in present:
            values[picture] = numbers
        else:
            absent += 1
    if absent:
        print(f"{name}: {absent} lines name pictures that are missing", file=sys.stderr)
    return values


RELEASE = Release(
    "celeba",
    re.compile(r"img_celeba|(list|identity)_\w+\.txt|Anno|Eval|Img", re.IGNORECASE),
    fits,
    read,
)
