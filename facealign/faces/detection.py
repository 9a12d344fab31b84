"""Which rectangle of a detector belongs to an annotated face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np

from facealign.core import images
from facealign.core.config import Range
from facealign.core.errors import InputError
from facealign.core.faces import TRUTH, Detection, Face, Faces, as_detection
from facealign.core.geometry import CORNERS, Box, overlap
from facealign.core.parallel import map_in_order
from facealign.core.points import can_become, scheme_of, select
from facealign.detectors import find_detector, hog

# Size and middle of dlib's rectangle against the box around so many true points: medians over the
# faces (1,761) of 300-W that the detector finds among 1,840.
_EXPECTED = {68: (1.027, 0.005, -0.103), 5: (2.169, -0.01, -0.047)}


_Boxed = TypeVar("_Boxed", Detection, Face)


@dataclass(frozen=True)
class Detect:
    """The section `detect` of params.yaml."""

    detector: str
    upsample: tuple[Annotated[int, Range(0, 3)], ...]
    undetected: Literal["skip", "truth"]


@dataclass(frozen=True)
class Found:
    face: Detection
    upsample: int


@dataclass(frozen=True)
class NotFound:
    elsewhere: int  # rectangles that the detector put on something else


@dataclass(frozen=True, eq=False)
class Detected:
    """What the stage `detect` writes."""

    faces: Faces  # with `box`, `roll` and `source`: "upsample N" or TRUTH
    lost: list[tuple[str, int]]  # images without the detector's rectangle; rectangles elsewhere
    counts: Counter[str]  # by split and source


def choose(found: Sequence[_Boxed], points: np.ndarray) -> _Boxed | None:
    """Of those whose boxes hold at least half of the points, the one that is most like the box
    around them."""
    holding = [one for one in found if 2 * one.box.holds(points).sum() >= len(points)]
    around = Box.around(points)
    return max(holding, key=lambda one: overlap(one.box, around), default=None)


def locate(
    image: np.ndarray,
    points: np.ndarray,
    upsample: Sequence[int],
    find: Callable[[np.ndarray, int], Sequence[Detection]] = hog.find_faces,
) -> Found | NotFound:
    """The annotated face's rectangle, at the first upsampling at which it is found."""
    elsewhere = 0
    for doublings in upsample:
        found = find(image, doublings)
        face = choose(found, points)
        if face is not None:
            return Found(face, doublings)
        elsewhere = len(found)
    return NotFound(elsewhere)


def locate_all(
    root: Path, faces: Faces, upsample: Sequence[int], detector: str = "dlib"
) -> list[Found | NotFound]:
    """Of each face, by its `points`."""
    named = find_detector(detector)  # fail before the images are read
    annotated = list(zip(faces.images, faces.points, strict=True))
    doublings = tuple(upsample) if named.doubles else (0,)
    return list(map_in_order(partial(_locate, root, doublings, detector), annotated, "detect"))


def detect(root: Path, faces: Faces, config: Detect) -> Detected:
    """The rectangles of all annotated faces; the params say what becomes of a train face that the
    detector does not find."""
    rows: list[int] = []
    boxes: list[Detection] = []
    sources: list[str] = []
    lost: list[tuple[str, int]] = []
    counts: Counter[str] = Counter()
    results = locate_all(root, faces, config.upsample, config.detector)
    each = zip(faces.images, faces.splits, results, strict=True)
    for row, (image, split, result) in enumerate(each):
        if isinstance(result, Found):
            box, source = result.face, f"upsample {result.upsample}"
        else:
            lost.append((image, result.elsewhere))
            if split != "train" or config.undetected == "skip":
                counts[f"{split}, not found"] += 1
                continue
            box, source = Detection(box_from_points(faces.points[row])), TRUTH
        counts[f"{split}, {source}"] += 1
        rows.append(row)
        boxes.append(box)
        sources.append(source)
    corners = [one.box.corners for one in boxes]
    found = faces.subset(np.array(rows, np.int64)).with_columns(
        box=np.array(corners, np.float64).reshape(-1, len(CORNERS)),
        roll=np.array([one.roll for one in boxes], np.float64),
        source=sources,
    )
    return Detected(found, lost, counts)


def largest_face(image: np.ndarray, detect: Detect) -> Detection | None:
    """Of those that the detector is clear about, at the first upsampling at which there is one."""
    detector = find_detector(detect.detector)
    for doublings in detect.upsample if detector.doubles else (0,):
        found = [as_detection(one) for one in detector.find(image, doublings)]
        clear = [one for one in found if one.score is None or one.score >= detector.clear]
        if clear:
            return max(clear, key=lambda one: one.box.width)
    return None


def box_from_points(points: np.ndarray) -> Box:
    """Where dlib's rectangle would be expected, from the true points."""
    count = next((count for count in _EXPECTED if can_become(len(points), count)), None)
    if count is None:
        raise InputError(
            f"{len(points)} points ({scheme_of(len(points)).name}) cannot become 68 or 5, by which "
            "a face's rectangle is known"
        )
    around = Box.around(select(points, count))
    size = float(np.sqrt(around.width * around.height))
    side, right, down = _EXPECTED[count]
    x, y = around.centre
    x, y, half = x + right * size, y + down * size, side * size / 2
    return Box(x - half, y - half, x + half, y + half)


def _locate(
    root: Path, upsample: Sequence[int], detector: str, face: tuple[str, np.ndarray]
) -> Found | NotFound:
    image, points = face
    find = find_detector(detector).find

    def detections(picture: np.ndarray, doublings: int) -> list[Detection]:
        return [as_detection(one) for one in find(picture, doublings)]

    return locate(images.read(root / image), points, upsample, detections)
