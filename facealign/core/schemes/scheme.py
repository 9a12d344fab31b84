"""What the points of a face stand for.

Sides are the viewer's: "left" is at the left edge of the picture, which is the person's right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

Row = tuple[int, ...]  # of a map: the points whose mean is one point of the other scheme
Run = tuple[Iterable[int], Iterable[int]]  # points on the left, and their partners


@dataclass(frozen=True, eq=False)
class Scheme:
    """A scheme is known by its number of points, which it shares with no other."""

    name: str
    mirror: tuple[int, ...]  # mirror[i] is the point that i becomes in a mirrored picture
    regions: Mapping[str, tuple[int, ...]]  # a point may be in none
    eyes: tuple[Row, Row]  # the left and the right end of the interocular distance
    lines: tuple[tuple[int, ...], ...] = ()  # to draw, each from point to point
    # the schemes that its points can be converted to, by their numbers of points
    maps: Mapping[int, tuple[Row, ...]] = field(default_factory=dict)
    source: Any = None  # of a user's scheme: what its file says
    file: str = ""  # and the file's name in params.yaml, where that is known

    @property
    def count(self) -> int:
        return len(self.mirror)

    @cached_property
    def mirror_array(self) -> np.ndarray:
        return np.array(self.mirror)


def mirrored(count: int, runs: Iterable[Run]) -> tuple[int, ...]:
    """`Scheme.mirror`; points that are in no run are on the axis of the face."""
    mirror = list(range(count))
    for left, right in runs:
        for one, other in zip(left, right, strict=True):
            mirror[one], mirror[other] = other, one
    return tuple(mirror)


def chosen(points: np.ndarray, rows: Sequence[Row]) -> np.ndarray:
    """Points (..., K, 2) -> (..., rows, 2)."""
    if all(len(row) == 1 for row in rows):
        return points[..., [row[0] for row in rows], :]
    each = [np.take(points, row, axis=-2).mean(axis=-2) for row in rows]
    return np.stack(each, axis=-2)


def through(rows: Sequence[Row], then: Sequence[Row]) -> tuple[Row, ...]:
    """The map `rows`, and then the map `then`, each of whose rows takes rows of one length."""
    return tuple(tuple(point for i in row for point in rows[i]) for row in then)


def run(first: int, last: int) -> tuple[int, ...]:
    """Both ends included, in either direction."""
    step = 1 if last >= first else -1
    return tuple(range(first, last + step, step))


def across(first: int, last: int) -> Run:
    """A run of points that crosses the face and is its own mirror image."""
    return run(first, last), run(last, first)


def ring(*points: int) -> tuple[int, ...]:
    """A closed line."""
    return (*points, points[0])


def singles(*points: int) -> tuple[Row, ...]:
    """The rows of a map that selects points."""
    return tuple((point,) for point in points)


# the centres of the eyes, the tip of the nose and the corners of the mouth, of iBUG's 68 points
IBUG_FIVE = (run(36, 41), run(42, 47), (30,), (48,), (54,))
