"""Faces by dlib's HOG detector, and which rectangle belongs to an annotated face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal

import dlib
import numpy as np

from facealign.core import images
from facealign.core.config import Range
from facealign.core.geometry import Box
from facealign.core.parallel import map_in_order

# Size and middle of dlib's rectangle against the box around so many true points: medians over the
# faces (1,761) of 300-W that the detector finds among 1,840.
_EXPECTED = {68: (1.027, 0.005, -0.103), 5: (2.169, -0.01, -0.047)}


@dataclass(frozen=True)
class Detect:
    """The section `detect` of params.yaml."""

    upsample: tuple[Annotated[int, Range(0, 3)], ...]
    undetected: Literal["skip", "truth"]


@dataclass(frozen=True)
class TrueFace:
    image: str
    points: np.ndarray


@dataclass(frozen=True)
class Found:
    box: Box
    upsample: int


@dataclass(frozen=True)
class NotFound:
    elsewhere: int  # rectangles that the detector put on something else


def find_faces(image: np.ndarray, upsample: int) -> list[Box]:
    """dlib's rectangles as they are: they may reach beyond the picture."""
    rectangles = _detector()(image, upsample)
    return [
        Box(float(r.left()), float(r.top()), float(r.right()), float(r.bottom()))
        for r in rectangles
    ]


def choose(boxes: Sequence[Box], points: np.ndarray) -> Box | None:
    """The box that holds the most points, if it holds at least half of them."""
    held = [int(box.holds(points).sum()) for box in boxes]
    best = int(np.argmax(held)) if held else 0
    return boxes[best] if held and 2 * held[best] >= len(points) else None


def locate(
    image: np.ndarray,
    points: np.ndarray,
    upsample: Sequence[int],
    find: Callable[[np.ndarray, int], list[Box]] = find_faces,
) -> Found | NotFound:
    """The annotated face's rectangle, at the first upsampling that shows it."""
    elsewhere = 0
    for doublings in upsample:
        boxes = find(image, doublings)
        box = choose(boxes, points)
        if box is not None:
            return Found(box, doublings)
        elsewhere = len(boxes)
    return NotFound(elsewhere)


def locate_all(
    root: Path, faces: Sequence[TrueFace], upsample: Sequence[int]
) -> list[Found | NotFound]:
    return list(map_in_order(partial(_locate, root, tuple(upsample)), faces, "detect"))


def box_from_points(points: np.ndarray) -> Box:
    """Where dlib's rectangle would be expected, from the true points."""
    around = Box.around(points)
    size = float(np.sqrt(around.width * around.height))
    side, right, down = _EXPECTED[len(points)]
    x, y = around.centre
    x, y, half = x + right * size, y + down * size, side * size / 2
    return Box(x - half, y - half, x + half, y + half)


def _locate(root: Path, upsample: Sequence[int], face: TrueFace) -> Found | NotFound:
    return locate(images.read(root / face.image), face.points, upsample)


@cache
def _detector() -> Any:
    return dlib.get_frontal_face_detector()
