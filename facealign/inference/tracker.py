"""Landmarks from frame to frame: faces are tracked without the detector, points are smoothed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facealign.core.faces import Detection, Face
from facealign.core.geometry import Box, overlap
from facealign.inference.aligner import Aligner, expected_detection, open_picture

# A track is lost if the mean of its face's scores is lower. Pictures of a single colour reach
# 0.335, noise less; on 1,020 training frames of YouTube Faces, in boxes around the true points, the
# minimum is 0.41 for `cascade` and 0.36 for `small`.
MIN_SCORE = 0.35
SAME_FACE = 0.3  # intersection over union of two boxes from which on they show the same face

# The 1 euro filter (Casiez et al. 2012), tuned on generated films: as little jitter as possible on
# a still face without lag on a moving one. Speeds are in widths of the face's box per second.
MIN_CUTOFF = 0.4  # Hz, of the low-pass filter on a point at rest
BETA = 14.0  # Hz by which the cutoff rises per unit of speed
SPEED_CUTOFF = 4.0  # Hz, of the low-pass filter on the speed
MAX_OFFSET = 0.01  # widths of the box, of a smoothed point from the measured one


@dataclass(frozen=True, eq=False)
class TrackedFace:
    """A face in a frame, with the number of its track.

    Examples:
        >>> from facealign import Aligner, TrackedFace
        >>> [face] = Aligner("small").predict("photo.jpg")
        >>> TrackedFace(track=1, face=face).face.points.shape
        (68, 2)
    """

    track: int  # from 1; it stays with a face until the face is lost
    face: Face


class Smoother:
    """The 1 euro filter on each point: a low-pass filter whose cutoff rises with the speed.

    The motion of the whole face, the median over the points, is extrapolated instead of filtered.
    """

    def __init__(self, points: np.ndarray) -> None:
        self._measured = self.points = points
        self._speed = np.zeros_like(points)  # of each point relative to the whole face
        self._face_speed = np.zeros(2)

    def __call__(self, points: np.ndarray, width: float, seconds: float) -> np.ndarray:
        """The points smoothed, `seconds` after the previous call; `width` is that of the box."""
        speed = (points - self._measured) / width / seconds
        face_speed = np.median(speed, axis=0)
        alpha = _alpha(SPEED_CUTOFF, seconds)
        self._face_speed = self._face_speed + alpha * (face_speed - self._face_speed)
        self._speed = self._speed + alpha * (speed - face_speed - self._speed)
        total = np.linalg.norm(self._face_speed) + np.linalg.norm(self._speed, axis=1)
        expected = self.points + self._face_speed * width * seconds
        alphas = _alpha(MIN_CUTOFF + BETA * total, seconds)[:, None]
        offsets = (points - expected) * (1 - alphas)
        excess = np.linalg.norm(offsets, axis=1, keepdims=True) / (MAX_OFFSET * width)
        self._measured, self.points = points, points - offsets / np.maximum(excess, 1)
        return self.points


@dataclass
class _Track:
    number: int
    smoother: Smoother


class Tracker:
    """Tracks the faces of a video; call it with each frame in turn.

    The boxes of a frame come from the points of the previous one. New faces come from the detector:
    the fast one runs on every frame, any other once a second, and when a face is lost or none is
    known; with dlib's, `upsample=(0,)` keeps that fast.
    `smooth` removes the jitter of the points without making them late.

    `detections` counts the runs of the detector and `tracks` the faces so far.

    Examples:
        >>> import cv2
        >>> from facealign import Aligner, Tracker
        >>> frame = cv2.cvtColor(cv2.imread("photo.jpg"), cv2.COLOR_BGR2RGB)
        >>> tracker = Tracker(Aligner("small", upsample=(0,)))
        >>> [[one.track for one in tracker(frame, seconds=number / 30)] for number in range(3)]
        [[1], [1], [1]]
        >>> tracker.detections
        3
    """

    def __init__(self, aligner: Aligner, smooth: bool = True) -> None:
        self.aligner = aligner
        self.smooth = smooth
        self.detections = 0
        self.tracks = 0
        self._tracks: list[_Track] = []
        self._previous = self._detected = -math.inf  # seconds

    def __call__(self, frame: np.ndarray, seconds: float) -> list[TrackedFace]:
        """The faces of an RGB frame at this time of the video; times must increase."""
        frame = open_picture(frame)
        elapsed = max(seconds - self._previous, 1e-3)
        self._previous = seconds
        boxes = [expected_detection(track.smoother.points) for track in self._tracks]
        kept: list[TrackedFace] = []
        for track, face in zip(self._tracks, self._align(frame, boxes), strict=True):
            known = [one.face.box for one in kept]
            if _mean_score(face) >= MIN_SCORE and not _is_known(face.box, known):
                points = track.smoother(face.points, face.box.width, elapsed)
                kept.append(self._tracked(track, face, points))
        survivors = {one.track for one in kept}
        gone = [track for track in self._tracks if track.number not in survivors]
        self._tracks = [track for track in self._tracks if track.number in survivors]
        if gone or not kept or seconds - self._detected >= self.aligner.detect_every:
            kept += self._detect(frame, seconds, [one.face.box for one in kept], gone)
        return kept

    def _detect(
        self, frame: np.ndarray, seconds: float, known: Sequence[Box], gone: list[_Track]
    ) -> list[TrackedFace]:
        """Faces that are not tracked yet, or whose tracks are gone."""
        self.detections += 1
        self._detected = seconds
        found = [one for one in self.aligner.detect(frame) if not _is_known(one.box, known)]
        new = []
        for face in self._align(frame, found):
            if _mean_score(face) < MIN_SCORE:  # a false detection
                continue
            track = _Track(self._number(face.box, gone), Smoother(face.points))
            self._tracks.append(track)
            new.append(self._tracked(track, face, face.points))
        return new

    def _number(self, box: Box, gone: list[_Track]) -> int:
        """That of the track which is gone from this place, or a new one."""
        for track in gone:
            if _is_known(box, [expected_detection(track.smoother.points).box]):
                gone.remove(track)
                return track.number
        self.tracks += 1
        return self.tracks

    def _align(self, frame: np.ndarray, boxes: Sequence[Detection]) -> list[Face]:
        return self.aligner.predict(frame, boxes) if boxes else []

    def _tracked(self, track: _Track, face: Face, smoothed: np.ndarray) -> TrackedFace:
        shown = dataclasses.replace(face, points=smoothed) if self.smooth else face
        return TrackedFace(track.number, shown)


def _alpha(cutoff: np.ndarray | float, seconds: float) -> np.ndarray:
    """The weight of a new value in a low-pass filter with this cutoff."""
    return np.asarray(1 / (1 + 1 / (2 * math.pi * np.asarray(cutoff) * seconds)))


def _mean_score(face: Face) -> float:
    return 1.0 if face.scores is None else float(face.scores.mean())


def _is_known(box: Box, others: Sequence[Box]) -> bool:
    return any(overlap(box, other) > SAME_FACE for other in others)
