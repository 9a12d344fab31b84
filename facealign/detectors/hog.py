"""dlib's HOG detector for frontal faces."""

from __future__ import annotations

from functools import cache
from typing import Any

import dlib
import numpy as np

from facealign.core.faces import Detection
from facealign.core.geometry import CORNERS, Box


def find_faces(image: np.ndarray, doublings: int) -> list[Detection]:
    """dlib's rectangles as they are: they may reach beyond the image. A score is the margin to
    the detector's threshold, about 0 to 3."""
    rectangles, scores, _ = _detector().run(image, doublings, 0.0)
    return [
        Detection(Box(*(float(getattr(one, side)()) for side in CORNERS)), score)
        for one, score in zip(rectangles, scores, strict=True)
    ]


@cache
def _detector() -> Any:
    return dlib.get_frontal_face_detector()
