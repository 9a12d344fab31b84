"""From stored crops to the network's input tensor."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from facealign.augment import Draw
from facealign.cropping import Stats


def plain_input(pixels: np.ndarray, stats: Stats, device: torch.device) -> torch.Tensor:
    """(N, side, side, 3) uint8 -> (N, 3, size, size), normalised; the rim is cut off."""
    inner = slice(stats.border, stats.border + stats.size)
    return _normalised(_tensor(pixels[:, inner, inner], device), stats)


def augmented_input(
    pixels: np.ndarray, chosen: Draw, stats: Stats, device: torch.device
) -> torch.Tensor:
    """The same, through each face's own map and colours: one warp of the crop with its rim."""
    crops = _tensor(pixels, device)
    side = crops.shape[-1]
    theta = _sampling(chosen.maps, stats.size, stats.border, side)
    grid = F.affine_grid(
        torch.as_tensor(theta, dtype=torch.float32, device=device),
        [len(crops), 3, stats.size, stats.size],
        align_corners=False,
    )
    warped = F.grid_sample(crops, grid, padding_mode="border", align_corners=False)
    gain, offset = (
        torch.tensor(v, dtype=torch.float32, device=device)[..., None, None]
        for v in (chosen.gain, chosen.offset)
    )
    return _normalised(warped, stats) * gain + offset


def _tensor(pixels: np.ndarray, device: torch.device) -> torch.Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(pixels)).to(device)
    return tensor.permute(0, 3, 1, 2).float()


def _normalised(tensor: torch.Tensor, stats: Stats) -> torch.Tensor:
    mean, std = (
        torch.tensor(v, dtype=torch.float32, device=tensor.device)[:, None, None]
        for v in (stats.mean, stats.std)
    )
    return ((tensor - mean) / std.clamp(min=1.0)).contiguous(memory_format=torch.channels_last)


def _sampling(maps: np.ndarray, size: int, border: int, side: int) -> np.ndarray:
    """For `affine_grid`: from the output's to the crop's coordinates, each -1 to 1.

    With align_corners=False -1 is the first pixel's outer edge, which is -0.5 in pixels.
    """
    count = len(maps)
    full = np.concatenate([maps, np.broadcast_to([[[0.0, 0.0, 1.0]]], (count, 1, 3))], axis=1)
    back = np.linalg.inv(full)
    half = (size - 1) / 2
    to_pixels = np.array([[size / 2, 0, half], [0, size / 2, half], [0, 0, 1]])
    rim = (border + 0.5) * 2 / side - 1
    to_unit = np.array([[2 / side, 0, rim], [0, 2 / side, rim], [0, 0, 1]])
    return (to_unit @ back @ to_pixels)[:, :2]
