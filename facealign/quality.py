"""What makes a face hard to read: how far it is turned, how blurred and how small it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from facealign import images
from facealign.geometry import Box, crop_map

_SIDE = 128  # the face is looked at in this size, so that its own pixels' count says nothing


def sharpness(image: np.ndarray, box: Box) -> float:
    """Strength of the face's finest detail against all its detail; the lighting says nothing.

    A blurred face and one of few pixels lack the finest detail alike.
    """
    face = images.warp(image, crop_map(box, 0, _SIDE), _SIDE)
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return float(cv2.Laplacian(grey, cv2.CV_64F).std() / (grey.std() + 1))


@dataclass(frozen=True)
class Group:
    """Faces that are alike in one respect: from `low` up to, and without, `high`."""

    low: float
    high: float
    rows: np.ndarray


def between(values: np.ndarray, edges: Sequence[float]) -> list[Group]:
    """The faces between one edge and the next, without empty groups."""
    groups = [
        Group(low, high, np.flatnonzero((low <= values) & (values < high)))
        for low, high in pairwise(edges)
    ]
    return [group for group in groups if len(group.rows)]


def in_thirds(values: np.ndarray) -> list[Group]:
    """About as many faces in each; equal values stay together."""
    if not len(values):
        return []
    cuts = np.unique(np.quantile(values, [1 / 3, 2 / 3]))
    inner = [float(cut) for cut in cuts if values.min() < cut]
    return between(values, [float(values.min()), *inner, np.inf])
