"""Faces: one as a network gives it, and the table of many that data sets and stages exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facealign.core import tables
from facealign.core.errors import InputError
from facealign.core.geometry import CORNERS, FARTHEST, Box, possible
from facealign.core.points import is_known
from facealign.core.tables import (
    KEY,
    Table,
    dataset_and_split,
    point_columns,
    score_columns,
)

# Sources of a face's box, beside a detector: TRUTH around true points, as no detector found the
# face; TEACHER from a detector, but the points are those of a network
TRUTH, TEACHER = "truth", "teacher"
# The method, beside `model` and `dlib`, whose points are those of dlib's predictor trained here
DLIB_TRAINED = "dlib-trained"
METHOD_NAMES = {DLIB_TRAINED: "dlib, trained here"}  # as tables and figures call them, if otherwise


@dataclass(frozen=True)
class Pose:
    """Which way a head is turned, in degrees; all three are 0 if it faces the camera.

    >>> from facealign import Aligner
    >>> [face] = Aligner("small").predict("photo.jpg")
    >>> abs(face.pose.yaw) < 10
    True
    """

    yaw: float  # towards the right edge of the picture
    pitch: float  # down
    roll: float  # clockwise


@dataclass(frozen=True)
class Detection:
    """A face as a detector finds it.

    `box` is like dlib's rectangle around the face if it were upright: turn it by `roll` about its
    centre. `score` is on the detector's own scale.

    >>> from facealign import Box, Detection
    >>> Detection(Box(20, 30, 180, 190), score=0.9, roll=45).box.width
    160
    """

    box: Box
    score: float | None = None
    roll: float = 0.0  # degrees, clockwise


def as_detection(found: Box | Detection) -> Detection:
    return Detection(found) if isinstance(found, Box) else found


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture, in pixels counted from 0; a pixel's centre is a whole number.

    `points` are (68, 2), or as many as the network's scheme has, and `scores` one a point: 1 is
    certain, 0.5 an expected error of 2 % of the box's side. Networks may have no scores, and only
    points that can be converted to the 68 have a pose.

    >>> from facealign import Aligner
    >>> [face] = Aligner("small").predict("photo.jpg")
    >>> face.points.shape, face.scores.shape
    ((68, 2), (68,))
    >>> round(face.box.width), face.score > 0.9
    (99, True)
    """

    box: Box  # the detector's rectangle, or the one that was given
    points: np.ndarray  # (68, 2), or (K, 2) of another scheme
    scores: np.ndarray | None = None  # (68,), 1: certain; 0.5: expected 2 % of the box's side off
    pose: Pose | None = None  # which way the head is turned; unknown without 68 points
    score: float | None = None  # the detector's, on its own scale; None if the box was given


@dataclass(frozen=True, eq=False)
class Faces:
    """A table of faces: a row each, a numpy array for each column, any columns beside `image`.

    `image` is the picture's path, DATASET/SPLIT/FILE, and the key by which tables are joined.
    `size` (N, 2), `box` (N, 4), `points` (N, K, 2) and `scores` (N, K) are several columns of a CSV
    file; any other is one. `dataset` and `split` are taken from the path where there are no such
    columns.
    """

    columns: Mapping[str, np.ndarray]
    name: str = "faces"  # of the file that it was read from, for errors

    @staticmethod
    def of(images: Sequence[str], **columns: np.ndarray | Sequence[str]) -> Faces:
        """Arrays as they are, lists as text."""
        return Faces({KEY: _text(images)}).with_columns(**columns)

    @staticmethod
    def read(path: Path, *numbers: str) -> Faces:
        """A CSV file; columns that are none of the above are text, or `numbers`."""
        parts = [Faces.of_table(block, *numbers) for block in tables.read_blocks(path)]
        names = parts[0].columns
        return Faces(
            {name: np.concatenate([part.columns[name] for part in parts]) for name in names},
            str(path),
        )

    @staticmethod
    def of_table(table: Table, *numbers: str) -> Faces:
        columns = {KEY: _text(table[KEY])}
        count = table.point_count
        several = _PARTS | {name: names(count) for name, names in _COUNTED.items()}
        for name, parts in several.items():
            if any(part in table.columns for part in parts):
                columns[name] = table.numbers(*parts)
        if "points" in columns:
            flat = columns["points"]
            if not is_known(count):
                raise InputError(f"{table.path}: columns of {count} points, no scheme has so many")
            columns["points"] = flat.reshape(len(flat), count, 2)
            if (np.abs(flat) > FARTHEST).any():
                raise InputError(f"{table.path}: a point far outside of any image")
        if "box" in columns and not possible(columns["box"]).all():
            raise InputError(f"{table.path}: a box without width or height, or far outside")
        if "size" in columns:
            sides = columns["size"]
            if ((sides < 1) | (sides > FARTHEST) | (sides % 1 != 0)).any():
                raise InputError(f"{table.path}: a width or height that is no number of pixels")
            columns["size"] = sides.astype(np.int64)
        taken = {KEY, *(part for parts in several.values() for part in parts)}
        for name in table.columns:
            if name not in taken:
                own = table.numbers(name)[:, 0] if name in numbers else _text(table[name])
                columns[name] = own
        return Faces(columns, str(table.path))

    def write(self, path: Path, *names: str) -> None:
        """A CSV file of `image` and of these columns, in this order."""
        cells: dict[str, tables.Column] = {}
        for name in (KEY, *names):
            column = self[name]
            flat = column.reshape(len(self), int(np.prod(column.shape[1:])))
            if name in _PARTS:
                cells |= dict(zip(_PARTS[name], flat.T, strict=True))
            elif name in _COUNTED:
                cells |= dict(zip(_COUNTED[name](column.shape[1]), flat.T, strict=True))
            else:
                cells[name] = column
        tables.write(path, cells)

    def __len__(self) -> int:
        return len(self.columns[KEY])

    def __getitem__(self, name: str) -> np.ndarray:
        if name in self.columns:
            return self.columns[name]
        if name in _OF_PATH:
            place = _OF_PATH.index(name)
            try:
                return _text([dataset_and_split(image)[place] for image in self.images])
            except InputError as error:
                raise InputError(f"{self.name}: {error}") from None
        raise InputError(f"{self.name}: no column {name!r}, has {', '.join(self.columns)}")

    @property
    def images(self) -> list[str]:
        return self.columns[KEY].tolist()

    @property
    def datasets(self) -> np.ndarray:
        return self["dataset"]

    @property
    def splits(self) -> np.ndarray:
        return self["split"]

    @property
    def boxes(self) -> np.ndarray:
        return self["box"]

    @property
    def points(self) -> np.ndarray:
        return self["points"]

    def box(self, row: int) -> Box:
        return Box(*self.boxes[row].tolist())

    def rows(self, images: Sequence[str]) -> np.ndarray:
        """The rows of these pictures, in their order."""
        place = {image: row for row, image in enumerate(self.images)}
        if missing := [image for image in images if image not in place]:
            more = f" and {len(missing) - 1} more" if missing[1:] else ""
            raise InputError(f"{self.name}: no row for {missing[0]}{more}")
        return np.array([place[image] for image in images], dtype=np.int64)

    def subset(self, rows: np.ndarray | slice) -> Faces:
        """By the numbers of rows, or by whether to take each."""
        return Faces({name: column[rows] for name, column in self.columns.items()}, self.name)

    def where(self, **values: str) -> Faces:
        """The rows that have these values: `faces.where(dataset="300W", split="test")`."""
        wanted = np.ones(len(self), dtype=bool)
        for name, value in values.items():
            wanted &= self[name] == value
        return self.subset(wanted)

    def and_those_of(self, other: Faces, *names: str) -> Faces:
        """The faces of both tables, with these columns."""
        both = {name: np.concatenate([self[name], other[name]]) for name in (KEY, *names)}
        return Faces(both, f"{self.name} and {other.name}")

    def with_columns(self, **columns: np.ndarray | Sequence[str]) -> Faces:
        """The same faces with these columns, too, or in the place of those of the same names."""
        arrays = {
            name: column if isinstance(column, np.ndarray) else _text(column)
            for name, column in columns.items()
        }
        assert all(len(array) == len(self) for array in arrays.values())
        return Faces({**self.columns, **arrays}, self.name)

    def join(self, other: Faces) -> Faces:
        """These faces, with the columns of `other` that they lack; it must have all of them."""
        found = other.subset(other.rows(self.images))
        return Faces({**found.columns, **self.columns}, self.name)


_PARTS = {  # column of the table -> columns of a CSV file
    "size": ("width", "height"),
    "box": CORNERS,
}
_COUNTED = {"points": point_columns, "scores": score_columns}  # the same, by number of points
_OF_PATH = ("dataset", "split")


def _text(values: Sequence[str]) -> np.ndarray:
    return np.array(values, dtype=object)
