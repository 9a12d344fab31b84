"""Predict the points of many crops in batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from facealign.core.errors import ModelError
from facealign.core.geometry import Affine
from facealign.faces.cropping import Crops
from facealign.models.parts.codecs import Codec, unflipped
from facealign.training.checkpoint import Checkpoint, build
from facealign.training.device import BATCH, choose_device
from facealign.training.inputs import plain_input


@dataclass(frozen=True)
class Predict:
    """The section `predict` of params.yaml."""

    flip: bool


@torch.inference_mode()
def crop_points(
    network: nn.Module,
    codec: Codec,
    crops: Crops,
    rows: np.ndarray,
    device: torch.device,
    title: str | None = None,
    flip: bool = False,
) -> np.ndarray:
    """Points (rows, K, 2) in input pixels, float64; with `flip` test-time augmentation, averaged
    over the crop and the flipped crop."""
    points = []
    starts = range(0, len(rows), BATCH)
    for start in tqdm(starts, desc=title, unit=" batches", disable=title is None):
        chunk = rows[start : start + BATCH]
        inputs = plain_input(crops.pixels[chunk], crops.stats, device)
        found = codec.decode(network(inputs)).double()
        if flip:
            other = codec.decode(network(inputs.flip(3))).double()
            found = (found + unflipped(other, crops.stats.size)) / 2
        points.append(found.cpu().numpy())
    return np.concatenate(points)


def predict(checkpoint: Checkpoint, crops: Crops, rows: np.ndarray, config: Predict) -> np.ndarray:
    """Points (rows, K, 2) in the pixels of the original image."""
    if checkpoint.stats != crops.stats:
        raise ModelError(
            f"the network was trained on other crops: {checkpoint.stats}, not {crops.stats}"
        )
    device = choose_device()
    network, codec = build(checkpoint, device)
    if not len(rows):
        return np.empty((0, *checkpoint.mean_face.shape))
    points = crop_points(network, codec, crops, rows, device, "predict", config.flip)
    back = (Affine(matrix).inverse() for matrix in crops.maps[rows])
    return np.stack([to_image(p) for to_image, p in zip(back, points, strict=True)])
