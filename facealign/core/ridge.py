"""Ridge regression: the linear map that maps rows of numbers to others, and is small."""

from __future__ import annotations

import numpy as np


def fit(inputs: np.ndarray, targets: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """(N, P) and (N, Q) -> slopes (P, Q) and shift (Q,), whose `inputs @ slopes + shift` come close
    to the targets. Directions in which the inputs vary by less than `strength`, a variance, are
    hardly used."""
    middle, mean = inputs.mean(axis=0), targets.mean(axis=0)
    centred = inputs - middle
    penalty = strength * len(inputs) * np.eye(inputs.shape[1])
    slopes = np.linalg.solve(centred.T @ centred + penalty, centred.T @ (targets - mean))
    return slopes, mean - middle @ slopes
