"""The record of a face, as detectors, networks and data sets give and take it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facealign.core.geometry import Box


@dataclass(frozen=True)
class Pose:
    """Degrees; all three are 0 for a head that looks straight into the camera."""

    yaw: float  # towards the right edge of the picture
    pitch: float  # down
    roll: float  # clockwise


@dataclass(frozen=True, eq=False)
class Face:
    """Pixels of the picture, counted from 0: a pixel's centre is a whole number."""

    box: Box  # the detector's rectangle, or the one that was given
    points: np.ndarray  # (68, 2), or (5, 2) of a network for five
    scores: np.ndarray | None = None  # (68,), 1: certain; 0.5: expected 2 % of the box's side off
    pose: Pose | None = None  # which way the head is turned; unknown from five points
