"""Points and boxes on pictures, points with subpixel accuracy."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from facealign.core import images
from facealign.core.faces import Face
from facealign.core.geometry import FARTHEST, Box
from facealign.core.points import scheme_of

_FRACTION = 4  # bits of the fractions of a pixel that OpenCV draws with

Colour = tuple[int, int, int]  # red, green, blue
POINT_COLOUR, BOX_COLOUR = (60, 220, 60), (255, 200, 40)


def draw(picture: np.ndarray, faces: Iterable[Face], lines: bool = False) -> np.ndarray:
    """A copy of an RGB picture with the boxes and points of these faces, and with the lines of
    their scheme if wanted.

    >>> import cv2
    >>> from facealign import Aligner, draw
    >>> picture = cv2.cvtColor(cv2.imread("photo.jpg"), cv2.COLOR_BGR2RGB)
    >>> drawn = draw(picture, Aligner("small").predict(picture))
    >>> cv2.imwrite("drawn.jpg", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    True
    """
    drawn = images.as_rgb(picture).copy()
    for face in faces:
        draw_box(drawn, face.box, BOX_COLOUR, max(1, round(face.box.width / 150)))
        if lines:
            draw_lines(drawn, face.points, POINT_COLOUR, max(1, round(face.box.width / 150)))
        draw_points(drawn, face.points, POINT_COLOUR, face.box.width / 100)
    return drawn


def draw_points(picture: np.ndarray, points: np.ndarray, colour: Colour, radius: float) -> None:
    size = max(1, round(radius * 2**_FRACTION))
    for x, y in _fixed(points).tolist():
        cv2.circle(picture, (x, y), size, colour, -1, cv2.LINE_AA, _FRACTION)


def draw_lines(picture: np.ndarray, points: np.ndarray, colour: Colour, width: int) -> None:
    """As the scheme of these points connects them."""
    each = [_fixed(points[list(line)]) for line in scheme_of(len(points)).lines]
    cv2.polylines(picture, each, False, colour, width, cv2.LINE_AA, _FRACTION)


def _fixed(points: np.ndarray) -> np.ndarray:
    """In OpenCV's fixed-point numbers, of 32 bits."""
    near = points.clip(-FARTHEST, FARTHEST)
    return np.rint(near * 2**_FRACTION).astype(np.int32)


def draw_box(picture: np.ndarray, box: Box, colour: Colour, width: int) -> None:
    low = (round(box.left), round(box.top))
    cv2.rectangle(picture, low, (round(box.right), round(box.bottom)), colour, width, cv2.LINE_AA)
