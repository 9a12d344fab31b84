"""Boxes and affine maps, and the project's one pixel convention.

A coordinate is a real number, a pixel's centre lies at whole numbers, the first pixel is 0: an
image of width W covers [-0.5, W - 0.5]. `.pts` files and the course's tables
count from 1 (`annotations` converts).

dlib's rectangles name their first and last pixel. A `Box` keeps those four numbers, and its width
is `right - left`, as the task's sqrt(H * W) has it: the distance between the two centres.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, fields

import numpy as np

from facealign.core.errors import InputError

FARTHEST = 1e7  # pixels: no image is so large
SMALLEST = 1e-3  # pixels: no face is so small


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, counted from 0; a pixel's centre is a whole number.

    >>> from facealign import Box
    >>> box = Box(left=20, top=30, right=180, bottom=190)
    >>> box.width, box.height, box.centre
    (160, 160, (100.0, 110.0))
    """

    left: float
    top: float
    right: float
    bottom: float

    @property
    def corners(self) -> tuple[float, float, float, float]:
        return astuple(self)

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def holds(self, points: np.ndarray) -> np.ndarray:
        """For each point (..., 2), whether it lies in the box, borders included."""
        x, y = points[..., 0], points[..., 1]
        return (self.left <= x) & (x <= self.right) & (self.top <= y) & (y <= self.bottom)

    @staticmethod
    def of_picture(width: float, height: float) -> Box:
        """The whole picture, to the outer edges of its pixels."""
        return Box(-0.5, -0.5, width - 0.5, height - 0.5)

    @staticmethod
    def around(points: np.ndarray) -> Box:
        """The smallest box that holds the points (N, 2)."""
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return Box(float(left), float(top), float(right), float(bottom))


CORNERS = tuple(field.name for field in fields(Box))


def possible(boxes: np.ndarray) -> np.ndarray:
    """Of each of the boxes (N, 4), whether it has a width and a height, and is not far outside of
    any image."""
    left, top, right, bottom = boxes.T
    near = (np.abs(boxes) <= FARTHEST).all(axis=1)
    return near & (right - left >= SMALLEST) & (bottom - top >= SMALLEST)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (one.width * one.height + other.width * other.height - both)


def box_sizes(boxes: np.ndarray) -> np.ndarray:
    """sqrt(H * W) of boxes (N, 4), each with its CORNERS."""
    return np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


@dataclass(frozen=True, eq=False)
class Affine:
    """The map p -> matrix[:, :2] @ p + matrix[:, 2]; `a @ b` applies b first.

    BLAS, which np.matmul and np.linalg use, rounds by the processor's kernel. Sums written out
    have the same bits on all of them.
    """

    matrix: np.ndarray  # (2, 3) float64

    @staticmethod
    def identity() -> Affine:
        return Affine(np.eye(2, 3))

    @staticmethod
    def translation(x: float, y: float) -> Affine:
        return Affine(np.array([[1.0, 0.0, x], [0.0, 1.0, y]]))

    @staticmethod
    def similarity(scale: float, degrees: float = 0.0) -> Affine:
        """Scale and turn about the origin; positive degrees turn x towards y."""
        cos, sin = math.cos(math.radians(degrees)) * scale, math.sin(math.radians(degrees)) * scale
        return Affine(np.array([[cos, -sin, 0.0], [sin, cos, 0.0]]))

    @property
    def scale(self) -> float:
        """The square root of what an area is multiplied by."""
        (a, b, _), (c, d, _) = self.matrix.tolist()
        return math.sqrt(abs(a * d - b * c))

    def __matmul__(self, other: Affine) -> Affine:
        (a, b, x), (c, d, y) = self.matrix.tolist()
        across, down = other.matrix
        shift = np.array([[0.0, 0.0, x], [0.0, 0.0, y]])
        return Affine(np.array([a * across + b * down, c * across + d * down]) + shift)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        (a, b, x), (c, d, y) = self.matrix.tolist()
        across, down = points[..., 0], points[..., 1]
        return np.stack([a * across + b * down + x, c * across + d * down + y], axis=-1)

    def inverse(self) -> Affine:
        (a, b, x), (c, d, y) = self.matrix.tolist()
        area = a * d - b * c
        a, b, c, d = d / area, -b / area, -c / area, a / area
        return Affine(np.array([[a, b, -(a * x + b * y)], [c, d, -(c * x + d * y)]]))


def fitted_similarity(points: np.ndarray, aims: np.ndarray) -> Affine:
    """The turn, scale and shift that brings the points (N, 2) closest to `aims` (N, 2), by least
    squares."""
    middle, aim = points.mean(axis=0), aims.mean(axis=0)
    # of complex numbers, one factor is both rotation and scale
    here, there = (its @ (1, 1j) for its in (points - middle, aims - aim))
    spread = np.abs(here).max()
    if not SMALLEST <= spread <= FARTHEST:
        raise InputError(f"points {spread:.3g} pixels apart cannot be aligned")
    factor = np.vdot(here, there) / np.vdot(here, here).real
    turn = Affine.similarity(abs(factor), float(np.degrees(np.angle(factor))))
    return Affine.translation(*aim) @ turn @ Affine.translation(*-middle)


def crop_map(box: Box, margin: float, size: int, roll: float = 0.0) -> Affine:
    """Image pixels -> pixels of a square crop of `size`: the box's longer side, widened by `margin`
    of itself on each side, fills the crop; nothing is stretched. A face that is turned clockwise by
    `roll` degrees about the box's centre is upright in the crop."""
    side = max(box.width, box.height) * (1 + 2 * margin)
    x, y = box.centre
    middle = (size - 1) / 2
    return (
        Affine.translation(middle, middle)
        @ Affine.similarity(size / side, -roll)
        @ Affine.translation(-x, -y)
    )
