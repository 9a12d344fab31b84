"""Points of many crops by a network, in batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from facealign.core.errors import FacealignError
from facealign.core.geometry import Affine
from facealign.faces.cropping import Crops
from facealign.models.parts.codecs import Codec, unmirrored
from facealign.training.checkpoint import Checkpoint, build
from facealign.training.device import BATCH, choose_device
from facealign.training.inputs import plain_input


@dataclass(frozen=True)
class Predict:
    """The section `predict` of params.yaml."""

    mirrored: bool


@torch.inference_mode()
def crop_points(
    network: nn.Module,
    codec: Codec,
    crops: Crops,
    rows: np.ndarray,
    device: torch.device,
    title: str | None = None,
    mirrored: bool = False,
) -> np.ndarray:
    """Points (rows, K, 2) in input pixels, float64; if `mirrored`, the mean of those found in the
    crop and in its mirror image."""
    points = []
    starts = range(0, len(rows), BATCH)
    for start in tqdm(starts, desc=title, unit=" batches", disable=title is None):
        chunk = rows[start : start + BATCH]
        inputs = plain_input(crops.pixels[chunk], crops.stats, device)
        found = codec.decode(network(inputs)).double()
        if mirrored:
            other = codec.decode(network(inputs.flip(3))).double()
            found = (found + unmirrored(other, crops.stats.size)) / 2
        points.append(found.cpu().numpy())
    return np.concatenate(points)


def predict(checkpoint: Checkpoint, crops: Crops, rows: np.ndarray, config: Predict) -> np.ndarray:
    """Points (rows, K, 2) in the original picture's pixels."""
    if checkpoint.stats != crops.stats:
        raise FacealignError(
            f"the network was trained on other crops: {checkpoint.stats}, not {crops.stats}"
        )
    device = choose_device()
    network, codec = build(checkpoint, device)
    if not len(rows):
        return np.empty((0, *checkpoint.mean_face.shape))
    points = crop_points(network, codec, crops, rows, device, "predict", config.mirrored)
    back = (Affine(matrix).inverse() for matrix in crops.maps[rows])
    return np.stack([to_image(p) for to_image, p in zip(back, points, strict=True)])
