"""The record of a face, as detectors, networks and data sets give and take it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facealign.core.geometry import Box


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


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture, in pixels counted from 0; a pixel's centre is a whole number.

    `points` are (68, 2), or (5, 2) of a network for five points, and `scores` one a point: 1 is
    certain, 0.5 an expected error of 2 % of the box's side. Networks may have no scores, and five
    points no pose.

    >>> from facealign import Aligner
    >>> [face] = Aligner("small").predict("photo.jpg")
    >>> face.points.shape, face.scores.shape
    ((68, 2), (68,))
    >>> face.box.width
    87.0
    """

    box: Box  # the detector's rectangle, or the one that was given
    points: np.ndarray  # (68, 2), or (5, 2) of a network for five
    scores: np.ndarray | None = None  # (68,), 1: certain; 0.5: expected 2 % of the box's side off
    pose: Pose | None = None  # which way the head is turned; unknown from five points
