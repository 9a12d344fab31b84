"""A labelled face, whatever the tool that labelled it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan, nan
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from facealign.core import images
from facealign.core.errors import AnnotationError, ImageError, InputError
from facealign.core.geometry import FARTHEST
from facealign.core.text import printable

MOST_POINTS = 10_000  # of a face; the number of a point may come from a stranger's file
MOST_BYTES = 2**28  # of a file that is read as a whole
_NUMBER = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """A face's points (K, 2) in pixels of the upright image, the centre of the first pixel at 0.

    A point that is not labelled is NaN; `hidden` (K,) says which of the others cannot be seen.
    """

    image: str  # its path below the folder of images, with "/"
    points: np.ndarray
    hidden: np.ndarray
    names: tuple[str, ...] | None = None  # of the points, unless they are only numbered
    size: tuple[int, int] | None = None  # width and height of the image, where they are known
    number: int = 1  # of the face in its image: 1, 2 and so on


@dataclass(frozen=True)
class Labels:
    """What a file holds, and how much of it is left out, by what it is."""

    faces: list[LabelledFace]
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Point:
    """One labelled point, for the formats that list points one by one."""

    x: float
    y: float
    hidden: bool = False


class Images:
    """The folder of the images that labels name; an image is read when its size is needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sizes: dict[str, tuple[int, int]] = {}

    def size(self, face: LabelledFace) -> tuple[int, int]:
        """Width and height of a face's image."""
        if face.size is not None:
            return face.size
        if face.image not in self._sizes:
            try:
                height, width = images.read(self.folder / face.image).shape[:2]
            except ImageError as error:
                raise InputError(f"{error}; the size of this image is needed: {_WHERE}") from None
            self._sizes[face.image] = width, height
        return self._sizes[face.image]

    def bytes(self, face: LabelledFace) -> int:
        """The size of the file of a face's image."""
        path = self.folder / face.image
        try:
            return path.stat().st_size
        except OSError as error:
            raise InputError(
                f"{path}: {error.strerror}; the size of this file is needed: {_WHERE}"
            ) from None


_WHERE = "name the folder of the images with --images"


def listed(left_out: Counter[str]) -> str:
    """The end of an error: what was left out."""
    return "".join(f"; left out: {what}: {count}" for what, count in (+left_out).items())


def by_image(faces: Iterable[LabelledFace]) -> dict[str, list[LabelledFace]]:
    found: dict[str, list[LabelledFace]] = {}
    for face in faces:
        found.setdefault(face.image, []).append(face)
    return found


def checked(labels: Labels, path: Path) -> Labels:
    """The faces with a labelled point, by image and numbered; errors name `path`."""
    kept: list[LabelledFace] = []
    left_out = labels.left_out.copy()
    for image, faces in by_image(labels.faces).items():
        labelled = [face for face in faces if not np.isnan(face.points).all()]
        left_out["faces without a labelled point"] += len(faces) - len(labelled)
        for number, face in enumerate(labelled, start=1):
            _check_points(face, f"{path}: {image!r}, face {number}")
            kept.append(replace(face, number=number))
    return Labels(kept, +left_out)


def _check_points(face: LabelledFace, where: str) -> None:
    for number, (x, y) in enumerate(face.points.tolist(), start=1):
        if isnan(x) != isnan(y) or max(abs(x), abs(y)) > FARTHEST:
            raise AnnotationError(
                f"{where}: point {number} is {x}, {y}, expected numbers within {FARTHEST:,.0f}"
            )
    names = face.names or ()
    if len(set(names)) < len(names) or any(not name or printable(name) != name for name in names):
        shown = printable(", ".join(names))[:100]
        raise AnnotationError(
            f"{where}: points named {shown!r}, expected different printable names"
        )


def image_name(name: str, where: str) -> str:
    """The path of an image as a file names it, which may be Windows'; never out of the folder."""
    return path_within(name, f"{where}: image", "the folder of images")


def path_within(name: str, where: str, folder: str) -> str:
    """The same of any file."""
    path = PurePosixPath(name.replace("\\", "/"))
    absolute = path.is_absolute() or PureWindowsPath(name).drive or "://" in name
    shown = printable(name[:100])
    if not path.name or absolute or ".." in path.parts:
        raise AnnotationError(f"{where} {shown!r}, expected a path in {folder}")
    if printable(name) != name:
        raise AnnotationError(f"{where} {shown!r}: its name has letters that are not printable")
    return str(path)


def face_of(
    image: str,
    coordinates: Sequence[tuple[float, float]],
    hidden: Sequence[bool] | None = None,
    names: tuple[str, ...] | None = None,
    size: tuple[int, int] | None = None,
) -> LabelledFace:
    points = np.array(coordinates, dtype=np.float64).reshape(-1, 2)
    marks = np.zeros(len(points), bool) if hidden is None else np.array(hidden, bool)
    return LabelledFace(image, points, marks & ~np.isnan(points[:, 0]), names, size)


def arranged(
    faces: Sequence[tuple[str, Mapping[str, Point], tuple[int, int] | None]],
    path: Path,
    known: Sequence[str] = (),
) -> list[LabelledFace]:
    """Faces whose points are listed by their names, as (image, points, size).

    The order is that of the `known` names. Without those, names that are numbers give it, from 0 if
    there is a 0, else from 1; other names are in the order in which they first occur.
    """
    names = list(dict.fromkeys([*known, *(name for _, points, _ in faces for name in points)]))
    if names and not known and all(map(_NUMBER.fullmatch, names)):
        numbers = [int(name) for name in names]
        if max(numbers) > MOST_POINTS:
            raise AnnotationError(f"{path}: a point {max(numbers)}, expected {MOST_POINTS} at most")
        names = [str(number) for number in range(min(1, *numbers), max(numbers) + 1)]
    found = []
    for image, points, size in faces:
        listed = [points.get(name) for name in names]
        coordinates = [(point.x, point.y) if point else (nan, nan) for point in listed]
        hidden = [point is not None and point.hidden for point in listed]
        found.append(face_of(image, coordinates, hidden, unless_numbers(names), size))
    return found


def unless_numbers(names: Sequence[str]) -> tuple[str, ...] | None:
    """None if the names only number the points, from 0 or 1."""
    counted = any([*map(str, range(first, first + len(names)))] == [*names] for first in (0, 1))
    return None if counted else tuple(names)


def point_names(face: LabelledFace) -> tuple[str, ...]:
    return face.names or tuple(str(number) for number in range(1, len(face.points) + 1))


def add_point(points: dict[str, Point], name: str, point: Point, where: str) -> None:
    """Each point of a face once; 01 is 1."""
    key = str(int(name)) if _NUMBER.fullmatch(name) else name
    if key in points:
        raise AnnotationError(
            f"{where}: two points {printable(name[:40])!r} in one face; tell its faces apart"
        )
    points[key] = point


def labelled_points(face: LabelledFace) -> list[tuple[int, Point]]:
    """The labelled points with their numbers, from 0."""
    return [
        (number, Point(x, y, hidden))
        for number, ((x, y), hidden) in enumerate(
            zip(face.points.tolist(), face.hidden.tolist(), strict=True)
        )
        if x == x  # not NaN
    ]


def corners(face: LabelledFace) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the labelled points."""
    (left, top), (right, bottom) = (end(face.points, axis=0) for end in (np.nanmin, np.nanmax))
    return float(left), float(top), float(right), float(bottom)


def read_bytes(path: Path) -> bytes:
    """A file up to MOST_BYTES."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise AnnotationError(f"{path}: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise AnnotationError(f"{path}: more than {MOST_BYTES / 2**20:.0f} MiB")
    return data
