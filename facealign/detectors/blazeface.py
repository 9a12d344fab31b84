"""BlazeFace, the face detector of MediaPipe: small, fast, and with six points of each face.

The networks are converted by `facealign.experiments.convert_blazeface`; their source and licence
stand in `weights/NOTICE`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime

from facealign.core import images
from facealign.core.geometry import Affine, Box, crop_map

Kind = Literal["short", "full"]

WEIGHTS = Path(__file__).parent / "weights"
# the stride of each map of anchors, in pixels of the input, and its anchors at each place
MAPS: dict[Kind, tuple[tuple[int, int], ...]] = {"short": ((8, 2), (16, 6)), "full": ((4, 1),)}
SAME = 0.3  # boxes that overlap by a larger share of their union show one face, as in MediaPipe
STEEPEST = 100.0  # logits beyond are cut, as in MediaPipe


@dataclass(frozen=True, eq=False)
class Raw:
    """A face as the network gives it."""

    box: Box  # from the brows to the chin, in pixels of the picture; as if the face were upright
    score: float
    keypoints: np.ndarray  # (6, 2): the person's right and left eye, nose, mouth, right, left ear


@dataclass(frozen=True)
class BlazeFace:
    """`short` sees 128 x 128 pixels, and faces of 12 to 100 % of the region's longer side; `full`
    192 x 192, and faces of 8 to 60 %. Smaller ones are partly found, with less exact keypoints.

    Pickled as its name: each process that receives it loads the network once.
    """

    kind: Kind

    def __call__(
        self,
        image: np.ndarray,
        region: Box | None = None,
        threshold: float = 0.5,
        roll: float = 0.0,
    ) -> list[Raw]:
        """The faces of an RGB picture, or of a part of it, best first.

        The part is seen alone, as if it were cut out: black surrounds it. A face that is turned
        clockwise by `roll` degrees is upright for the network.
        """
        session, side = _load_once(self.kind)
        height, width = image.shape[:2]
        region = region or Box.of_picture(width, height)
        to_input = crop_map(region, 0, side, roll)
        cut = _turned(image, to_input, side) if roll else _cut(image, region, to_input, side)
        if cut is None:
            return []
        boxes, scores = session.run(["boxes", "scores"], {"image": cut[None]})
        chosen, points = _merge(*_decode(self.kind, side, boxes[0], scores[0], threshold))
        halves = (points[:, 1] - points[:, 0]) / 2 / to_input.scale
        points = to_input.inverse()(points)
        middles = points[:, :2].mean(axis=1)
        corners = np.concatenate([middles - halves, middles + halves], axis=1).tolist()
        return [
            Raw(Box(*corner), score, face[2:])
            for corner, score, face in zip(corners, chosen.tolist(), points, strict=True)
        ]


def _cut(image: np.ndarray, region: Box, to_input: Affine, side: int) -> np.ndarray | None:
    """The region of the picture as the network's input; None if they do not meet."""
    height, width = image.shape[:2]
    left, right = max(math.ceil(region.left), 0), min(math.floor(region.right), width - 1)
    top, bottom = max(math.ceil(region.top), 0), min(math.floor(region.bottom), height - 1)
    if left > right or top > bottom:
        return None
    part = image[top : bottom + 1, left : right + 1]
    cut = images.warp(part, to_input @ Affine.translation(left, top), side)
    # it repeats the part's border pixels, which look like nothing that the network was trained on
    places = to_input.inverse()(np.repeat(np.arange(side, dtype=np.float64)[:, None], 2, axis=1))
    cut[:, (places[:, 0] < left - 0.5) | (places[:, 0] > right + 0.5)] = 0
    cut[(places[:, 1] < top - 0.5) | (places[:, 1] > bottom + 0.5)] = 0
    return cut


def _turned(image: np.ndarray, to_input: Affine, side: int) -> np.ndarray:
    """The same of a square that is turned: it fills the input."""
    height, width = image.shape[:2]
    cut = images.warp(image, to_input, side)
    y, x = np.mgrid[:side, :side].astype(np.float64)
    x, y = np.moveaxis(to_input.inverse()(np.stack([x, y], axis=-1)), -1, 0)
    cut[(x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)] = 0
    return cut


def _decode(
    kind: Kind, side: int, boxes: np.ndarray, logits: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (N,) that reach the threshold, best first, and points (N, 8, 2) in the input's pixels:
    two corners of the box, and the keypoints."""
    logits = np.clip(logits.astype(np.float64), -STEEPEST, STEEPEST)
    scores = 1 / (1 + np.exp(-logits))
    best = np.argsort(-scores, kind="stable")
    best = best[scores[best] >= threshold]
    numbers = boxes[best].astype(np.float64).reshape(-1, 8, 2)
    half = numbers[:, 1] / 2
    # the network counts from the input's outer edge, where the first pixel's centre is at 0.5
    points = numbers + (_anchors(kind, side)[best] - 0.5)[:, None]
    middle = points[:, 0].copy()
    points[:, 0], points[:, 1] = middle - half, middle + half
    real = (half > 0).all(axis=1)
    return scores[best][real], points[real]


def _merge(scores: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of boxes that show one face, the best score and the mean of the points, weighted by score."""
    found: list[tuple[float, np.ndarray]] = []
    while len(scores):
        same = _overlaps(points[0, :2], points[:, :2]) > SAME
        mean = np.average(points[same], axis=0, weights=scores[same])
        found.append((scores[0], mean))
        scores, points = scores[~same], points[~same]
    return (
        np.array([score for score, _ in found]),
        np.array([face for _, face in found]).reshape(-1, 8, 2),
    )


def _overlaps(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of a box (2, 2) with boxes (N, 2, 2)."""
    shared = np.minimum(box[1], boxes[:, 1]) - np.maximum(box[0], boxes[:, 0])
    intersection = shared.clip(min=0).prod(axis=1)
    areas = (boxes[:, 1] - boxes[:, 0]).prod(axis=1)
    return intersection / (areas + (box[1] - box[0]).prod() - intersection)


@cache
def _anchors(kind: Kind, side: int) -> np.ndarray:
    """The anchors' centres (N, 2) in pixels from the input's outer edge, row by row."""
    found = []
    for stride, times in MAPS[kind]:
        centres = np.arange(stride / 2, side, stride)
        x, y = np.meshgrid(centres, centres)
        found.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), times, axis=0))
    return np.concatenate(found)


@cache
def _load_once(kind: Kind) -> tuple[Any, int]:
    """The network, and the side of its input."""
    content = (WEIGHTS / f"blazeface_{kind}.onnx").read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    return session, session.get_inputs()[0].shape[1]
