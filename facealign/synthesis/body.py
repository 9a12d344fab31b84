"""Ears, neck, shoulders and clothes of a person."""

from __future__ import annotations

from functools import cache

import numpy as np

from facealign.synthesis import exact, materials, planes
from facealign.synthesis.look import linear

NECK_PIVOT = np.array([0.0, 10.0, -85.0])


@cache
def ear(side: int) -> np.ndarray:
    """(16, 16, 3): a shallow shell with a raised rim on one side of the head."""
    t, s = np.meshgrid(np.linspace(-1, 1, 16), np.linspace(-1, 1, 16), indexing="ij")
    half_width = 17 * np.sqrt(np.clip(1 - t**2, 0, 1)) * (1.05 - 0.28 * t)
    backwards = half_width * s + 2 + 5 * t**2
    rim = 3.5 * (1 - t**2 * 0.5) * np.sqrt(1 - np.abs(s)) - 5 * exact.exp(
        -((s / 0.45) ** 2 + (t / 0.5) ** 2)
    )
    x = 80.0 + backwards * 0.5 + rim * 0.8
    y = -20 + 31 * t - 3 * s
    z = -61 - backwards * 0.86 + rim * 0.5
    sheet = np.stack([side * x, y, z], axis=-1)
    return sheet if side > 0 else sheet[:, ::-1]


@cache
def ear_shade() -> np.ndarray:
    """(32, 32, 1): the brightness of an ear, dark in its middle."""
    t, s = np.meshgrid(np.linspace(-1, 1, 32), np.linspace(-1, 1, 32), indexing="ij")
    shade = 1 - 0.62 * exact.exp(-((s / 0.38) ** 2 + ((t - 0.1) / 0.45) ** 2))
    return np.asarray(shade[..., None], dtype=np.float32)


def lathe(rows: list[tuple[float, float, float, float]], start: float, stop: float) -> np.ndarray:
    """(40, 40, 3): elliptic rings around y; a row is y, half width, half depth, z of the centre."""
    profile = np.array(rows)
    y = np.linspace(profile[0, 0], profile[-1, 0], 40)
    wide, deep, middle = (np.interp(y, profile[:, 0], profile[:, k])[:, None] for k in (1, 2, 3))
    sin, cos, rounded = _ring(start, stop)
    x = wide * np.sign(sin) * rounded
    return np.stack([x, np.broadcast_to(y[:, None], x.shape), middle + deep * cos], axis=-1)


@cache
def _ring(start: float, stop: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(1, 40) each: sines, cosines, and the power of the sines that makes a ring less round."""
    angle = np.linspace(start, stop, 40)[None]
    sin, cos = exact.sin(angle), exact.cos(angle)
    return sin, cos, exact.power(np.abs(sin), 0.9)


def attached(
    sheet: np.ndarray, turn: np.ndarray, body_turn: np.ndarray, low: float, high: float
) -> np.ndarray:
    """Rotate a sheet with the head above y = low, with the body below y = high, and in between."""
    from_head, from_body = (
        exact.transform(sheet, turn.T),
        exact.transform(sheet - NECK_PIVOT, body_turn.T) + exact.transform(NECK_PIVOT, turn.T),
    )
    share = np.clip((sheet[..., 1:2] - low) / (high - low), 0, 1)
    share = share * share * (3 - 2 * share)
    return np.asarray(from_head + (from_body - from_head) * share)


def cloth(rng: np.random.Generator, skin: np.ndarray, size: int = 160) -> np.ndarray:
    """Texture of neck and shoulders: skin above the neckline, clothes below."""
    colours = exact.power(rng.uniform(0.02, 0.85, (2, 3)), 1.6).astype(np.float32)
    if rng.uniform() < 0.35:
        colours[0] = rng.choice([0.01, 0.02, 0.75], 1)
    texture = planes.joined(np.empty((3, size, size), np.float32))
    texture[:] = colours[0]
    rows, columns = (ticks / size for ticks in np.ogrid[:size, :size])
    kind = rng.integers(0, 5)
    if kind == 0:
        texture[(rows[:, 0] * rng.integers(12, 40)) % 1 < 0.4] = colours[1]
    elif kind == 1:
        weave = ((rows * 22) % 1 < 0.3) * 0.5 + ((columns * 30) % 1 < 0.3) * 0.5
        texture += (colours[1] - texture) * weave[..., None].astype(np.float32)
    elif kind == 2:
        shirt = np.abs(columns - 0.5) < (0.10 - 0.16 * (rows - 0.45)).clip(0.004)
        texture[shirt] = linear(235, 235, 240)
    wrinkles = 1 + 0.10 * materials.noise(rng, size, 14) + 0.05 * materials.noise(rng, size, 1.5)
    texture *= wrinkles[..., None].clip(0.3)
    depth = rng.uniform(0.0, 0.13)
    # a collar or a scarf may reach up to the chin
    height = 0.235 - 0.1 * np.square(rng.uniform()) if rng.uniform() < 0.5 else 0.235
    neckline = height + depth * exact.exp(-(((columns - 0.5) / 0.10) ** 2))
    bare = np.clip((neckline - rows) * size / 2, 0, 1)[..., None].astype(np.float32)
    # under the chin it is darker, which sets the jaw off; the chin ends at 0.13
    dark, lit = rng.uniform(0.3, 1.0), rng.uniform(0.03, 0.16)
    tone = dark + (1 - dark) * np.clip((rows - 0.12) / lit, 0, 1).astype(np.float32)
    tone = tone + 0.03 * materials.noise(rng, size, 12)
    texture += (planes.tinted(tone, skin) - texture) * bare
    collar = exact.exp(-(((rows - neckline - 0.008) / 0.008) ** 2))[..., None].astype(np.float32)
    return np.ascontiguousarray(texture * (1 - 0.5 * collar))
