"""Random augmentation of a training batch: the affine map, colours, blur and cover of each face.

No pixels here, so that a CPU and a GPU augment the same faces in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from facealign.core.geometry import Affine
from facealign.core.points import mirror

FILTER = 7  # pixels; smaller filters have zeros around them
STRONGEST_BLUR = 0.02  # of the crop's side; beyond it the landmarks cannot be made out


@dataclass(frozen=True)
class Strength:
    flip: float  # probability
    rotation: float  # degrees, either way
    scale: float  # share, either way
    shift: float  # share of the crop's side, either way
    colour: float  # share
    grey: float = 0.0  # probability
    blur: float = 0.0  # largest deviation, share of the crop's side
    cover: float = 0.0  # probability
    light: float = 0.0  # largest change of brightness from the middle to the rim, share
    noise: float = 0.0  # largest deviation, share of the brightest value
    style: float = 0.0  # probability

    @staticmethod
    def of(params: object) -> Strength:
        """From a section of params.yaml that has these values; it may lack optional ones."""
        names = [field.name for field in fields(Strength) if hasattr(params, field.name)]
        return Strength(**{name: getattr(params, name) for name in names})


@dataclass(frozen=True, eq=False)
class Draw:
    """The augmentation drawn for each of N faces."""

    maps: np.ndarray  # (N, 2, 3): input pixels -> augmented input pixels
    flipped: np.ndarray  # (N,) bool
    gain: np.ndarray  # (N, 3) factor of each colour, about the mean
    offset: np.ndarray  # (N, 3) in standard deviations
    grey: np.ndarray  # (N,) bool
    blur: np.ndarray  # (N,) deviation of the Gaussian, input pixels; 0 for a sharp face
    cover: np.ndarray  # (N, 4) int: left, top, right, bottom of the hidden rectangle, ends excluded
    paint: np.ndarray  # (N, 3) uint8, the cover's colour
    light: np.ndarray  # (N, 2) change of brightness from the middle to the right, and to the bottom
    noise: np.ndarray  # (N,) deviation of a pixel's noise, 0 to 255; 0 for half the faces
    place: np.ndarray  # (N, 2) int: column and row of `inputs.noise_field` where the noise begins
    style: np.ndarray  # (N,) share of the face in another style; 0 for one in its own
    filters: np.ndarray  # (N, FILTER, FILTER) random filter of that style
    mixes: np.ndarray  # (N, 3, 3) random colours of it: its red, green, blue from those before

    def part(self, chosen: slice) -> Draw:
        """Of these faces only."""
        return Draw(**{name: values[chosen] for name, values in vars(self).items()})


def draw(rng: np.random.Generator, count: int, size: int, strength: Strength) -> Draw:
    """The augmentation of `count` faces; the same generator state gives the same one."""
    flipped = rng.random(count) < strength.flip
    degrees = rng.uniform(-1, 1, count) * strength.rotation
    scales = np.exp(rng.uniform(-1, 1, count) * np.log1p(strength.scale))
    shifts = rng.uniform(-1, 1, (count, 2)) * strength.shift * size
    maps = [
        _map(bool(m), float(d), float(s), xy, size)
        for m, d, s, xy in zip(flipped, degrees, scales, shifts, strict=True)
    ]
    contrast = 1 + rng.uniform(-1, 1, (count, 1)) * strength.colour
    tint = 1 + rng.uniform(-1, 1, (count, 3)) * strength.colour / 3
    light = rng.uniform(-1, 1, (count, 1)) * strength.colour
    blur = np.maximum(0, rng.uniform(-1, 1, count)) * strength.blur * size  # half stay sharp
    # a tenth to nearly half of the crop's side, anywhere in it
    sides = rng.uniform(0.1, 0.45, (count, 2)) * (rng.random((count, 1)) < strength.cover)
    corner = rng.uniform(0, 1 - sides)
    grey = rng.random(count) < strength.grey
    paint = rng.integers(0, 256, (count, 3), np.uint8)
    own = rng.spawn(1)[0]  # so that light and noise do not change what is drawn otherwise
    towards = own.uniform(0, 2 * np.pi, count)
    slope = own.uniform(0, 1, count) * strength.light
    return Draw(
        np.array(maps),
        flipped,
        contrast * tint,
        np.broadcast_to(light, (count, 3)),
        grey,
        blur,
        np.round(np.hstack([corner, corner + sides]) * size).astype(np.int64),
        paint,
        np.stack([slope * np.cos(towards), slope * np.sin(towards)], axis=1),
        np.maximum(0, own.uniform(-1, 1, count)) * strength.noise * 255,
        own.integers(0, size, (count, 2)),
        own.uniform(0, 1, count) * (own.random(count) < strength.style),
        _filters(own, count),
        own.standard_normal((count, 3, 3)),
    )


def _filters(rng: np.random.Generator, count: int) -> np.ndarray:
    away = np.abs(np.arange(FILTER) - FILTER // 2)
    radius = rng.integers(0, FILTER // 2 + 1, count)
    inside = np.maximum(away, away[:, None]) <= radius[:, None, None]
    return rng.standard_normal((count, FILTER, FILTER)) * inside


def move_points(points: np.ndarray, chosen: Draw) -> np.ndarray:
    """(N, K, 2) through the maps; in a flipped face left and right points are swapped, too."""
    moved = points @ chosen.maps[:, :, :2].transpose(0, 2, 1) + chosen.maps[:, None, :, 2]
    return np.where(chosen.flipped[:, None, None], moved[:, mirror(moved.shape[1])], moved)


def _map(flipped: bool, degrees: float, scale: float, shift: np.ndarray, size: int) -> np.ndarray:
    middle = (size - 1) / 2
    flip = Affine(np.array([[-1.0 if flipped else 1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    to_middle = Affine.translation(-middle, -middle)
    back = Affine.translation(middle + float(shift[0]), middle + float(shift[1]))
    return (back @ Affine.similarity(scale, degrees) @ flip @ to_middle).matrix
