"""Landmarks from frame to frame: faces followed without the detector, points without jitter."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facealign.core.faces import Face
from facealign.core.geometry import Box
from facealign.faces.detection import box_from_points
from facealign.inference.aligner import Aligner

LOOK_EVERY = 1.0  # seconds between two looks for faces that are new
# Mean of a face's scores; below it the track has lost the face. Pictures of one colour reach 0.335,
# noise less; of 1,020 training frames of YouTube Faces, in boxes around the true points, the least
# has 0.41 by the flagship and 0.36 by `small`.
LEAST_SCORE = 0.35
SAME = 0.3  # two boxes that share so much of their union show one face

# The smoother, chosen on generated films: as still as can be where nothing moves, and no later than
# the picture where something does. Speeds are in sides of the face's box a second.
STILLEST = 0.4  # Hz, of the low pass on a point that rests
EAGERNESS = 14.0  # Hz that it gains for each unit of speed
SPEED_CUTOFF = 4.0  # Hz, of the low pass on the speed itself
SLACK = 0.01  # sides of the box: no farther is a point shown from where its frame has it


@dataclass(frozen=True)
class Followed:
    track: int  # the same number for the same face, as long as it is not lost
    face: Face


class Smoother:
    """A low pass on each point that opens with its speed (Casiez et al. 2012, the 1 euro filter).

    The motion of the face as a whole is carried along: it is known well, from all points together.
    """

    def __init__(self, points: np.ndarray) -> None:
        self._raw = self.points = points
        self._speed = np.zeros_like(points)  # of the face as a whole, and each point's own
        self._whole = np.zeros(2)

    def __call__(self, points: np.ndarray, side: float, seconds: float) -> np.ndarray:
        """The points of a frame `seconds` after the last one, smoothed; `side`: of the box."""
        moved = (points - self._raw) / side / seconds
        whole = np.median(moved, axis=0)
        share = _share(SPEED_CUTOFF, seconds)
        self._whole = self._whole + share * (whole - self._whole)
        self._speed = self._speed + share * (moved - whole - self._speed)
        speed = np.linalg.norm(self._whole) + np.linalg.norm(self._speed, axis=1)
        expected = self.points + self._whole * side * seconds
        opened = _share(STILLEST + EAGERNESS * speed, seconds)[:, None]
        behind = (points - expected) * (1 - opened)
        far = np.linalg.norm(behind, axis=1, keepdims=True) / (SLACK * side)
        self._raw, self.points = points, points - behind / np.maximum(far, 1)
        return self.points


@dataclass
class _Track:
    number: int
    smoother: Smoother


class Tracker:
    """Call it with one frame after the other."""

    def __init__(self, aligner: Aligner, smooth: bool = True) -> None:
        self.aligner = aligner
        self.smooth = smooth
        self.detections = 0  # how often the detector was needed
        self.faces = 0  # so far
        self._tracks: list[_Track] = []
        self._last = self._looked = -math.inf

    def __call__(self, image: np.ndarray, seconds: float) -> list[Followed]:
        """The faces of an RGB frame shown at this time; times grow."""
        elapsed = max(seconds - self._last, 1e-3)
        self._last = seconds
        boxes = [box_from_points(track.smoother.points) for track in self._tracks]
        kept: list[Followed] = []
        for track, face in zip(self._tracks, self._find(image, boxes), strict=True):
            if _certainty(face) >= LEAST_SCORE and not _shown(face.box, [f.face.box for f in kept]):
                points = track.smoother(face.points, face.box.width, elapsed)
                kept.append(self._followed(track, face, points))
        survivors = {followed.track for followed in kept}
        lost = len(survivors) < len(self._tracks)
        self._tracks = [track for track in self._tracks if track.number in survivors]
        if lost or not kept or seconds - self._looked >= LOOK_EVERY:
            kept += self._look(image, seconds, [followed.face.box for followed in kept])
        return kept

    def _look(self, image: np.ndarray, seconds: float, known: Sequence[Box]) -> list[Followed]:
        """Faces that are not followed yet."""
        self.detections += 1
        self._looked = seconds
        boxes = [box for box in self.aligner.detect(image) if not _shown(box, known)]
        new = []
        for face in self._find(image, boxes):
            if _certainty(face) < LEAST_SCORE:  # the detector took something else for a face
                continue
            self.faces += 1
            track = _Track(self.faces, Smoother(face.points))
            self._tracks.append(track)
            new.append(self._followed(track, face, face.points))
        return new

    def _find(self, image: np.ndarray, boxes: Sequence[Box]) -> list[Face]:
        return self.aligner.predict(image, boxes) if boxes else []

    def _followed(self, track: _Track, face: Face, points: np.ndarray) -> Followed:
        shown = dataclasses.replace(face, points=points) if self.smooth else face
        return Followed(track.number, shown)


def _share(cutoff: np.ndarray | float, seconds: float) -> np.ndarray:
    """How much of a new value a low pass of this cutoff takes up in a step."""
    return np.asarray(1 / (1 + 1 / (2 * math.pi * np.asarray(cutoff) * seconds)))


def _certainty(face: Face) -> float:
    return 1.0 if face.scores is None else float(face.scores.mean())


def _shown(box: Box, others: Sequence[Box]) -> bool:
    """Whether one of the boxes shows the same face."""
    return any(_overlap(box, other) > SAME for other in others)


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (one.width * one.height + other.width * other.height - both)
