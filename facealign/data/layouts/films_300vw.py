"""The layout of 300-VW: folders NUMBER/ with vid.avi, and annot/ with a `.pts` for each frame.

000001.pts is that of the first frame. The films' numbers say which are for testing, and in which of
the three published categories.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from facealign.core.errors import ArchiveError
from facealign.data.annotations import read_pts
from facealign.data.layouts.release import Release, Sample

FILM, POINTS = "vid.avi", "annot"
_FOLDER = re.compile(r"\d{3}")
_CATEGORIES = {  # Shen et al., The First Facial Landmark Tracking in-the-Wild Challenge, 2015
    "category 1": "114 124 125 126 150 158 401 402 505 506 507 508 509 510 511 514 515 518 519 520 "
    "521 522 524 525 537 538 540 541 546 547 548",
    "category 2": "203 208 211 212 213 214 218 224 403 404 405 406 407 408 409 412 550 551 553",
    "category 3": "410 411 516 517 526 528 529 530 531 533 557 558 559 562",
}
CATEGORY = {film: name for name, films in _CATEGORIES.items() for film in films.split()}


def fits(folder: Path) -> bool:
    return any((path / POINTS).is_dir() for path in _films(folder))


def read(folder: Path) -> Iterator[Sample]:
    for home in _films(folder):
        category = CATEGORY.get(home.name)
        for frame, image, path in _frames(home):
            yield Sample(
                split="train" if category is None else "test",
                name=f"{home.name}/{frame:06}",
                picture=image,
                points=read_pts(path),
                attributes=[] if category is None else [category],
                suffix=".jpg",  # losslessly, all films would take 100 GB
            )


def _films(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.is_dir() and _FOLDER.fullmatch(path.name)
    )


def _frames(home: Path) -> Iterator[tuple[int, np.ndarray, Path]]:
    """The annotated frames, counted from 1, and their files of points."""
    film = home / FILM
    if not film.is_file():
        raise ArchiveError(f"{home}: no file {FILM}, of 300-VW")
    with film.open("rb") as file:
        start = file.read(12)
    # FFmpeg opens playlists and scripts, too, which name other files
    if start[:4] != b"RIFF" or start[8:] != b"AVI ":
        raise ArchiveError(f"{film}: not an AVI film")
    annotated = {}
    for path in sorted((home / POINTS).glob("*.pts")):
        if not path.stem.isdecimal():
            raise ArchiveError(f"{path}: expected the number of a frame")
        annotated[int(path.stem)] = path
    capture = cv2.VideoCapture(str(film.absolute()))
    number = 0
    try:
        while annotated and capture.grab():
            number += 1
            if number in annotated:
                path = annotated.pop(number)
                done, image = capture.retrieve()
                if not done:
                    raise ArchiveError(f"{film}: frame {number} cannot be read")
                yield number, cv2.cvtColor(image, cv2.COLOR_BGR2RGB), path
    finally:
        capture.release()
    if not number:
        raise ArchiveError(f"{film}: no frame can be read")
    if annotated:
        print(
            f"{film}: {len(annotated)} annotated frames, from {min(annotated)} on, are not in the "
            f"film, which has {number}",
            file=sys.stderr,
        )


RELEASE = Release("300VW", _FOLDER, fits, read)
