"""Convert the points of one data set to the annotation style of another.

Two data sets with the same 68 points agree on the corners of a mouth, but not on where a jaw
begins. The difference depends on the face: the jaw of a turned head is off by other vectors than
that of a frontal one. A linear map of the whole shape covers that.
"""

from __future__ import annotations

import numpy as np

from facealign.core import ridge

# The square of 0.003 of a face's size: the map hardly uses variations smaller than that.
RIDGE = 1e-5


def translate(points: np.ndarray, wanted: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Points (N, K, 2), moved by the linear map of shapes that brings them closest to `wanted`
    (N, K, 2) over all faces; `sizes` (N,) are those of the faces."""
    units = sizes[:, None, None]
    shapes = ((points - points.mean(axis=1, keepdims=True)) / units).reshape(len(points), -1)
    steps = ((wanted - points) / units).reshape(len(points), -1)
    slopes, shift = ridge.fit(shapes, steps, RIDGE)
    moved = (shapes @ slopes + shift).reshape(points.shape)
    return np.asarray(points + moved * units)
