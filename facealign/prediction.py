"""Points of many crops by a network, in batches."""

from __future__ import annotations

import os

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from facealign import tables
from facealign.checkpoint import Checkpoint, build
from facealign.codecs import Codec
from facealign.cropping import Crops
from facealign.crops import plain_input
from facealign.errors import FacealignError
from facealign.geometry import Affine

BATCH = 256  # enough to fill the cores


def choose_device() -> torch.device:
    """FACEALIGN_DEVICE, or a GPU if there is one."""
    name = os.environ.get("FACEALIGN_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError):  # torch has either for a device that is not there
        raise FacealignError(
            f"FACEALIGN_DEVICE: no device {name!r} here, expected cpu, cuda or cuda:N"
        ) from None
    return device


@torch.inference_mode()
def crop_points(
    network: nn.Module,
    codec: Codec,
    crops: Crops,
    rows: np.ndarray,
    device: torch.device,
    title: str | None = None,
) -> np.ndarray:
    """Points (rows, 68, 2) in input pixels, float64."""
    points = np.empty((len(rows), *crops.points.shape[1:]))
    starts = range(0, len(rows), BATCH)
    for start in tqdm(starts, desc=title, unit=" batches", disable=title is None):
        chunk = rows[start : start + BATCH]
        output = network(plain_input(crops.pixels[chunk], crops.stats, device))
        points[start : start + BATCH] = codec.decode(output).cpu().numpy()
    return points


def predict(checkpoint: Checkpoint, crops: Crops, rows: np.ndarray) -> np.ndarray:
    """Points (rows, 68, 2) in the original picture's pixels."""
    if checkpoint.stats != crops.stats:
        raise FacealignError(
            f"the network was trained on other crops: {checkpoint.stats}, not {crops.stats}"
        )
    device = choose_device()
    network, codec = build(checkpoint, device)
    points = crop_points(network, codec, crops, rows, device, title="predict")
    back = (Affine(matrix).inverse() for matrix in crops.maps[rows])
    return tables.stack([to_image(p) for to_image, p in zip(back, points, strict=True)])
