"""From stored crops to the network's input tensor.

There are two equivalent implementations of augmentation (a test compares them): face by face with
OpenCV, which on a CPU is ten times faster and leaves torch its threads, and as one batch of tensors
for crops in a GPU's memory.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from facealign.faces.cropping import Stats
from facealign.training.augment import FILTER, STRONGEST_BLUR, Draw

_GREY = (0.299, 0.587, 0.114)  # red, green, blue; OpenCV's own shares


def plain_input(pixels: np.ndarray, stats: Stats, device: torch.device) -> torch.Tensor:
    """(N, side, side, 3) uint8 -> (N, 3, size, size), normalised; the rim is cut off."""
    inner = slice(stats.border, stats.border + stats.size)
    tensor = torch.from_numpy(np.ascontiguousarray(pixels[:, inner, inner])).to(device)
    gain, offset = _colours(stats)
    # a permuted (N, size, size, 3) is what torch calls channels last: nothing is copied
    return (tensor * _on(gain, device) + _on(offset, device)).permute(0, 3, 1, 2)


def augmented_input(pixels: np.ndarray, chosen: Draw, stats: Stats) -> torch.Tensor:
    """The same after augmentation: each crop with its rim is warped once, then blurred, covered and
    recoloured."""
    size = stats.size
    out = np.empty((len(pixels), size, size, 3), np.uint8)
    for face, crop, matrix, style, kernel, mix, grey, blur, cover, paint in zip(
        out,
        pixels,
        chosen.maps @ _from_stored(stats),
        chosen.style,
        chosen.filters,
        chosen.mixes,
        chosen.grey,
        chosen.blur,
        chosen.cover,
        chosen.paint,
        strict=True,
    ):
        cv2.warpAffine(
            crop, matrix, (size, size), face, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if style > 0:
            face[:] = _restyled(face, float(style), kernel, mix)
        if blur > 0:
            side = 2 * _radius(stats) + 1
            cv2.GaussianBlur(face, (side, side), float(blur), face, borderType=cv2.BORDER_REPLICATE)
        if grey:
            face[:] = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)[..., None]
        left, top, right, bottom = cover
        face[top:bottom, left:right] = paint
    gain, offset = _colours(stats, chosen)
    lit: np.ndarray = out
    if chosen.light.any():
        lit = lit * _brightness(chosen.light, size)
    if chosen.noise.any():
        lit = lit + _noise(chosen, size)
    return torch.from_numpy(lit * gain + offset).permute(0, 3, 1, 2)


def augmented_on_device(crops: torch.Tensor, chosen: Draw, stats: Stats) -> torch.Tensor:
    """`augmented_input` for crops (N, side, side, 3) uint8 on any device."""
    device = crops.device
    theta = _sampling(chosen.maps, stats.size, stats.border, crops.shape[1])
    grid = F.affine_grid(_on(theta, device), [len(crops), 3, stats.size, stats.size], False)
    images = F.grid_sample(
        crops.permute(0, 3, 1, 2).float(), grid, padding_mode="border", align_corners=False
    )
    if chosen.style.any():
        images = _all_restyled(images, chosen)
    if chosen.blur.any():
        images = _blurred(images, chosen.blur, _radius(stats))
    grey = torch.einsum("nchw,c->nhw", images, torch.tensor(_GREY, device=device))[:, None]
    images = torch.where(_on(chosen.grey, device)[:, None, None, None], grey, images)
    places = torch.arange(stats.size, device=device)
    left, top, right, bottom = _on(chosen.cover, device).T[..., None]
    hidden_x, hidden_y = (
        (low <= places) & (places < high) for low, high in ((left, right), (top, bottom))
    )
    hidden = hidden_y[:, None, :, None] & hidden_x[:, None, None, :]
    images = torch.where(hidden, _on(chosen.paint, device).float()[..., None, None], images)
    if chosen.light.any():
        images = images * _on(_brightness(chosen.light, stats.size), device).permute(0, 3, 1, 2)
    if chosen.noise.any():
        images = images + _on(_noise(chosen, stats.size), device).permute(0, 3, 1, 2)
    gain, offset = (_on(v, device).permute(0, 3, 1, 2) for v in _colours(stats, chosen))
    return (images * gain + offset).contiguous(memory_format=torch.channels_last)


def _on(values: np.ndarray, device: torch.device) -> torch.Tensor:
    kept = values.astype(np.float32) if values.dtype == np.float64 else values
    return torch.from_numpy(np.ascontiguousarray(kept)).to(device)


def _colours(stats: Stats, chosen: Draw | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Factor and summand, broadcast over (N, size, size, 3), that normalise and change colours."""
    mean, std = np.array(stats.mean), np.maximum(np.array(stats.std), 1.0)
    gain, offset = (np.ones(3), np.zeros(3)) if chosen is None else (chosen.gain, chosen.offset)
    factor = np.reshape(gain / std, (-1, 1, 1, 3))
    return factor.astype(np.float32), (np.reshape(offset, (-1, 1, 1, 3)) - mean * factor).astype(
        np.float32
    )


def _brightness(slopes: np.ndarray, size: int) -> np.ndarray:
    """(N, size, size, 1): a factor that is 1 in the middle and changes evenly across the crop."""
    places = np.linspace(-1, 1, size, dtype=np.float32)
    across, down = slopes.astype(np.float32).T[..., None, None]
    return np.asarray(1 + across * places + down * places[:, None])[..., None]


@cache
def noise_field(size: int) -> np.ndarray:
    """Of unit deviation, for all crops of this size: drawing numbers anew would take longer than
    the rest of the augmentation."""
    return np.random.default_rng(0).standard_normal((2 * size, 2 * size, 3), np.float32)


def _noise(chosen: Draw, size: int) -> np.ndarray:
    field = noise_field(size)
    parts = [field[y : y + size, x : x + size] for x, y in chosen.place.tolist()]
    return np.asarray(np.stack(parts) * chosen.noise.astype(np.float32)[:, None, None, None])


def _restyled(face: np.ndarray, share: float, kernel: np.ndarray, mix: np.ndarray) -> np.ndarray:
    """Partly filtered and recoloured at random, with the brightness and contrast that it had."""
    before = face.astype(np.float32)
    after = cv2.transform(cv2.filter2D(before, -1, kernel.astype(np.float32)), mix)
    (mean, deviation), (own, spread) = (cv2.meanStdDev(one) for one in (before, after))
    gain = share * deviation[:, 0] / np.maximum(spread[:, 0], 1e-3)
    offset = share * mean[:, 0] - gain * own[:, 0]
    restyled = (1 - share) * before + after * gain.astype(np.float32) + offset.astype(np.float32)
    return np.asarray(np.clip(np.rint(restyled), 0, 255), dtype=np.uint8)


def _all_restyled(images: torch.Tensor, chosen: Draw) -> torch.Tensor:
    """`_restyled` for images (N, 3, height, width) on any device."""
    count, colours, height, width = images.shape
    kernels = _on(chosen.filters, images.device).repeat_interleave(colours, 0)[:, None]
    flat = images.reshape(1, -1, height, width)
    flat = F.pad(flat, [FILTER // 2] * 4, mode="reflect")
    after = F.conv2d(flat, kernels, groups=count * colours).reshape(images.shape)
    after = torch.einsum("nij,njhw->nihw", _on(chosen.mixes, images.device), after)
    share = _on(chosen.style, images.device)[:, None, None, None]
    mean, own = (one.mean((2, 3), keepdim=True) for one in (images, after))
    deviation, spread = (
        one.std((2, 3), correction=0, keepdim=True).clamp(min=1e-3) for one in (images, after)
    )
    styled = (after - own) / spread * deviation + mean
    return torch.where(share > 0, ((1 - share) * images + share * styled).clamp(0, 255), images)


def _radius(stats: Stats) -> int:
    """Of the blur's kernel: three deviations of the strongest blur that params.yaml allows."""
    return max(1, round(3 * STRONGEST_BLUR * stats.size))


def _blurred(images: torch.Tensor, sigmas: np.ndarray, radius: int) -> torch.Tensor:
    """Each image by its own Gaussian, first vertically, then horizontally."""
    count, colours, height, width = images.shape
    places = np.arange(-radius, radius + 1)
    kernels = np.exp(-(places**2) / (2 * np.maximum(sigmas, 1e-3)[:, None] ** 2))
    kernel = _on(kernels / kernels.sum(axis=1, keepdims=True), images.device)
    kernel = kernel.repeat_interleave(colours, 0)[:, None]
    flat = F.pad(images.reshape(1, -1, height, width), [radius] * 4, mode="replicate")
    flat = F.conv2d(flat, kernel[:, :, None], groups=count * colours)
    flat = F.conv2d(flat, kernel[..., None], groups=count * colours)
    return flat.reshape(images.shape)


def _from_stored(stats: Stats) -> np.ndarray:
    """Pixels of the stored crop -> input pixels, which start inside the rim."""
    return np.array([[1.0, 0, -stats.border], [0, 1.0, -stats.border], [0, 0, 1.0]])


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
