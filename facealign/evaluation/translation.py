"""Points of one data set in the places that the annotators of another mean by them.

Two data sets with the same 68 points agree on a mouth's corner and not on where a jaw begins. By
how much they differ depends on the face: the jaw of a turned head is off by other steps than that
of one seen from the front. A linear map of the whole shape covers that.
"""

from __future__ import annotations

import numpy as np

# Squared, 0.003 of a face's size: ways of varying that are smaller are hardly learnt from.
RIDGE = 1e-5


def translate(points: np.ndarray, wanted: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(N, K, 2) -> the same points moved by a linear map of each shape, the one that brings all
    faces together nearest to `wanted` (N, K, 2); `sizes` (N,) are the faces' own."""
    units = sizes[:, None, None]
    shapes = ((points - points.mean(axis=1, keepdims=True)) / units).reshape(len(points), -1)
    steps = ((wanted - points) / units).reshape(len(points), -1)
    varied = shapes - shapes.mean(axis=0)
    penalty = RIDGE * len(points) * np.eye(varied.shape[1])
    weights = np.linalg.solve(varied.T @ varied + penalty, varied.T @ (steps - steps.mean(axis=0)))
    moved = (varied @ weights + steps.mean(axis=0)).reshape(points.shape)
    return np.asarray(points + moved * units)
