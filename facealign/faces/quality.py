"""What makes a face hard: how far it is turned, how blurred and how small it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from facealign.core import images
from facealign.core.geometry import Box, crop_map
from facealign.core.points import COUNT, can_become
from facealign.faces import pose

_YAW = (0, 15, 30, 45, 91)  # degrees, either way
_SIDE = 128  # faces are resized to this, so that the measure does not depend on their resolution


def sharpness(image: np.ndarray, box: Box) -> float:
    """The finest detail against the contrast of the whole face, independent of the lighting.

    It is low for blurred faces and for those of few pixels.
    """
    face = images.warp(image, crop_map(box, 0, _SIDE), _SIDE)
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return float(cv2.Laplacian(grey, cv2.CV_64F).std() / (grey.std() + 1))


@dataclass(frozen=True)
class Group:
    """The rows of faces whose value is at least `low` and below `high`."""

    low: float
    high: float
    rows: np.ndarray

    def bounds(self, last: float) -> str:
        return f"{self.low:.0f}–{min(self.high, last):.0f}"


def subgroups(
    truth: np.ndarray, sharp: np.ndarray, sizes: np.ndarray
) -> dict[str, list[tuple[str, Group]]]:
    """Named groups of faces by sharpness, by size in pixels and, if they have 68 points or can have
    them, by yaw in degrees."""
    turned: list[Group] = []
    if can_become(truth.shape[1], COUNT):
        turned = between(np.abs([pose.estimate(points).yaw for points in truth]), _YAW)
    sharpened, sized = in_thirds(sharp), in_thirds(sizes)
    levels = ("least", "middle", "most") if len(sharpened) == 3 else ("least", "most")
    named = {
        "yaw": [(group.bounds(last=90), group) for group in turned],
        "sharpness": list(zip(levels, sharpened, strict=False)),
        "size": [(group.bounds(last=sizes.max()), group) for group in sized],
    }
    return {subject: groups for subject, groups in named.items() if groups}


def between(values: np.ndarray, edges: Sequence[float]) -> list[Group]:
    """The groups from one edge to the next that are not empty."""
    groups = [
        Group(low, high, np.flatnonzero((low <= values) & (values < high)))
        for low, high in pairwise(edges)
    ]
    return [group for group in groups if len(group.rows)]


def in_thirds(values: np.ndarray) -> list[Group]:
    """Three groups of about the same size; equal values stay together."""
    if not len(values):
        return []
    cuts = np.unique(np.quantile(values, [1 / 3, 2 / 3]))
    inner = [float(cut) for cut in cuts if values.min() < cut]
    return between(values, [float(values.min()), *inner, np.inf])
