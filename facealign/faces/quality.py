"""What makes a face hard to read: how far it is turned, how blurred and how small it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from facealign.core import images
from facealign.core.geometry import Box, crop_map
from facealign.core.points import COUNT
from facealign.faces import pose

_YAW = (0, 15, 30, 45, 91)  # degrees, either way
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

    def bounds(self, last: float) -> str:
        return f"{self.low:.0f}–{min(self.high, last):.0f}"


def subgroups(
    truth: np.ndarray, sharp: np.ndarray, sizes: np.ndarray
) -> dict[str, list[tuple[str, Group]]]:
    """The faces by what makes them hard, each group with its name; in order of yaw (without 68
    points nothing is known of it), sharpness (names are those of levels) and size, pixels."""
    turned: list[Group] = []
    if truth.shape[1] == COUNT:
        turned = between(np.abs([pose.estimate(points).yaw for points in truth]), _YAW)
    sharpened, sized = in_thirds(sharp), in_thirds(sizes)
    levels = ("least", "middle", "most") if len(sharpened) == 3 else ("least", "most")
    named = {
        "yaw": [(group.bounds(last=90), group) for group in turned],
        "sharpness": list(zip(levels, sharpened, strict=False)),
        "size": [(group.bounds(last=sizes.max()), group) for group in sized],
    }
    return {respect: groups for respect, groups in named.items() if groups}


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
