"""The layout of the facial-keypoints course: folders of pictures, and one table of points for each.

NAME/training/ and NAME/test/ hold the pictures, NAME/training_frames_keypoints.csv and
NAME/test_frames_keypoints.csv a row for each: its file's name, then x and y of its points. They
count pixels from 1, as `.pts` files do, so the numbers are copied as they are written.
"""

import csv
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from facealign.core.errors import AnnotationError, ArchiveError
from facealign.core.points import COUNT
from facealign.data.annotations import from_1, pts_text

TABLES = {"train": "training_frames_keypoints.csv", "test": "test_frames_keypoints.csv"}
_PICTURES = {"train": "training", "test": "test"}


def is_course(folder: Path) -> bool:
    return any((folder / table).is_file() for table in TABLES.values())


def arrange(folder: Path, target: Path) -> None:
    """Make it `target`: SPLIT/PICTURE with a `.pts` beside each, instead of the tables."""
    for split, theirs in _PICTURES.items():
        pictures = folder / split
        if split != theirs and pictures.exists():
            raise ArchiveError(f"{pictures}: unexpected beside the course's {theirs}/")
        if (folder / theirs).is_dir():
            (folder / theirs).rename(pictures)
        table = folder / TABLES[split]
        if table.is_file():
            pictures.mkdir(exist_ok=True)
            _write_points(table, pictures)
            table.unlink()
    folder.rename(target)


def read(table: Path, pictures: Path) -> dict[str, np.ndarray]:
    """The points (68, 2) of each picture, counted from 0."""
    points = {}
    for number, (picture, *numbers) in _faces(table, pictures):
        where = f"{table}:{number}"
        _points_name(picture, where)  # a plain name of a file
        if picture in points:
            raise AnnotationError(f"{where}: {picture!r} is in an earlier line, too")
        pairs = _pairs(numbers, where)
        points[picture] = np.array([[from_1(x), from_1(y)] for x, y in pairs])
    return points


def _faces(table: Path, pictures: Path) -> Iterator[tuple[int, list[str]]]:
    """The table's lines below that of the column names, with their numbers."""
    rows = _rows(table)
    number, names = next(rows, (1, [""]))
    # otherwise the first face of a table without column names would be taken for them
    if len(names) != 1 + 2 * COUNT or (pictures / names[0]).is_file():
        raise AnnotationError(f"{table}:{number}: expected a line of {1 + 2 * COUNT} column names")
    yield from rows


def _write_points(table: Path, pictures: Path) -> None:
    lines: dict[str, int] = {}
    for number, (picture, *numbers) in _faces(table, pictures):
        where = f"{table}:{number}"
        name = _points_name(picture, where)
        if name in lines:
            raise AnnotationError(f"{where}: {picture!r} is in line {lines[name]}, too")
        lines[name] = number
        if (pictures / name).exists():
            raise AnnotationError(f"{where}: {picture!r} has its points in {name} too")
        text = pts_text(_pairs(numbers, where))
        (pictures / name).write_text(text, encoding="utf-8", newline="\n")


def _rows(table: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not blank, with their numbers."""
    try:
        file = table.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise AnnotationError(f"{table}: {error.strerror}") from None
    with file:
        reader = csv.reader(file, strict=True)
        try:
            yield from ((reader.line_num, row) for row in reader if row)
        except csv.Error as error:
            raise AnnotationError(f"{table}:{reader.line_num}: not a table: {error}") from None


def _points_name(picture: str, where: str) -> str:
    if picture in {"", ".", ".."} or set(picture) & set("/\\\0"):
        raise AnnotationError(f"{where}: {picture!r}, expected the name of a file")
    return PurePosixPath(picture).with_suffix(".pts").name


def _pairs(numbers: list[str], where: str) -> list[tuple[str, str]]:
    if len(numbers) != 2 * COUNT:
        raise AnnotationError(f"{where}: {len(numbers)} numbers, expected {2 * COUNT}")
    words = [number.strip() for number in numbers]
    for column, word in enumerate(words, start=2):
        try:
            from_1(word)
        except ArithmeticError:
            message = f"{where}: {word!r} in column {column}, expected a number"
            raise AnnotationError(message) from None
    return list(zip(words[::2], words[1::2], strict=True))
