"""Points and boxes on pictures, points with subpixel accuracy."""

from __future__ import annotations

import cv2
import numpy as np

from facealign.core.geometry import Box

_FRACTION = 4  # bits of the fractions of a pixel that OpenCV draws with

Colour = tuple[int, int, int]  # red, green, blue


def draw_points(picture: np.ndarray, points: np.ndarray, colour: Colour, radius: float) -> None:
    size = max(1, round(radius * 2**_FRACTION))
    for x, y in np.rint(points * 2**_FRACTION).astype(int).tolist():
        cv2.circle(picture, (x, y), size, colour, -1, cv2.LINE_AA, _FRACTION)


def draw_box(picture: np.ndarray, box: Box, colour: Colour, width: int) -> None:
    low = (round(box.left), round(box.top))
    cv2.rectangle(picture, low, (round(box.right), round(box.bottom)), colour, width, cv2.LINE_AA)
