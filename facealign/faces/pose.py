"""Head pose from the 68 points."""

from __future__ import annotations

import math

import numpy as np

from facealign.core.faces import Pose
from facealign.core.points import COUNT, select
from facealign.faces.mean_face import MEAN_FACE

# Points that move little with the expression: brows, nose and the corners of the eyes. Those of the
# jaw follow the visible outline, which is not a fixed place on the head, and the mouth moves.
_RIGID = [*range(17, 36), 36, 39, 42, 45]


def estimate(points: np.ndarray) -> Pose:
    """By fitting an average head to the 68 points, or to those that others can become, without
    perspective."""
    head, seen = MEAN_FACE[_RIGID], select(points, COUNT)[_RIGID]
    view = np.linalg.lstsq(head - head.mean(axis=0), seen - seen.mean(axis=0), rcond=None)[0].T
    # the nearest two rows of a rotation matrix
    left, _, right = np.linalg.svd(view, full_matrices=False)
    across, down = left @ right
    towards = np.cross(across, down)
    return Pose(
        yaw=math.degrees(math.atan2(-towards[0], towards[2])),
        pitch=math.degrees(math.asin(np.clip(-towards[1], -1, 1))),
        roll=math.degrees(math.atan2(-across[1], down[1])),
    )
