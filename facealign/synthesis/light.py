"""The light of a generated picture."""

from __future__ import annotations

import numpy as np

from facealign.synthesis import exact
from facealign.synthesis.materials import noise
from facealign.synthesis.render import Lamp, Lighting

_UNUSUAL = ("side", "back", "below", "coloured", "flat", "flash", "many")


def _unit(x: float, y: float, z: float) -> np.ndarray:
    direction = np.array([x, y, z], dtype=float)
    return np.asarray(direction / exact.norm(direction))


def _lighting(
    direction: np.ndarray,
    key: np.ndarray,
    fills: list[tuple[np.ndarray, np.ndarray]],
    sky: np.ndarray,
    ground: np.ndarray,
) -> Lighting:
    lamps = tuple(Lamp(towards, colour.astype(np.float32)) for towards, colour in fills)
    colours = (colour.astype(np.float32) for colour in (key, sky, ground))
    key, sky, ground = colours
    return Lighting(Lamp(direction, key), lamps, sky, ground)


def random_lighting(rng: np.random.Generator) -> Lighting:
    """A lamp in front, a weaker one on the other side, and light from all around."""
    direction = _unit(float(exact.normal(rng, 0, 0.55)), rng.uniform(-1.0, 0.12), 1.0)
    fill = _unit(-direction[0] - rng.uniform(-0.4, 0.4), 0.1, 0.8)
    warmth = exact.normal(rng, 0, 0.07)
    key = np.array([1 + warmth, 1, 1 - 1.3 * warmth])
    tint = exact.normal(rng, 1, 0.05, 3)
    harsh = rng.uniform(0.45, 0.95)
    ambient = 0.92 - 0.55 * harsh
    ground = tint[::-1] * ambient * rng.uniform(0.4, 0.7)
    fills = [(fill, tint * rng.uniform(0.05, 0.22))]
    return _lighting(direction, key * harsh, fills, tint * ambient, ground)


def unusual_lighting(rng: np.random.Generator) -> Lighting:
    kind = str(rng.choice(_UNUSUAL))
    side = float(rng.choice([-1.0, 1.0]))
    tint = exact.normal(rng, 1, 0.09, 3)
    ambient = tint * rng.uniform(0.08, 0.3)
    key = exact.normal(rng, 1, 0.07, 3) * rng.uniform(0.7, 1.1)
    direction = _unit(side * rng.uniform(0.8, 1.7), rng.uniform(-0.8, 0.3), rng.uniform(0.1, 1.0))
    fills = []
    if kind == "back":
        direction = _unit(
            side * rng.uniform(0.2, 1.2), rng.uniform(-1.0, 0.0), -rng.uniform(0.3, 1)
        )
        ambient = tint * rng.uniform(0.2, 0.6)
        fills = [(_unit(-side, -0.2, 1.0), tint * rng.uniform(0.05, 0.3))]
    elif kind == "below":
        direction = _unit(side * rng.uniform(0, 0.6), rng.uniform(0.3, 1.0), 0.9)
    elif kind == "coloured":
        key = rng.uniform(0.12, 1.1, 3)
        ambient = rng.uniform(0.05, 0.45, 3)
        fills = [(_unit(-side * rng.uniform(0.5, 1.5), -0.1, 0.6), rng.uniform(0.0, 0.8, 3))]
    elif kind == "flat":
        key, ambient = key * 0.15, tint * rng.uniform(0.8, 1.0)
    elif kind == "flash":
        direction = _unit(side * rng.uniform(0, 0.12), -rng.uniform(0.02, 0.2), 1.0)
        key = key * 1.1
    elif kind == "many":
        for _ in range(int(rng.integers(2, 5))):
            towards = _unit(rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0, 1))
            fills.append((towards, exact.normal(rng, 1, 0.12, 3) * rng.uniform(0.1, 0.6)))
    return _lighting(direction, key, fills, ambient, ambient * rng.uniform(0.3, 1.1))


def cast_shadows(colour: np.ndarray, marks: np.ndarray, rng: np.random.Generator) -> None:
    """Shadows of things outside the picture: an edge, blinds or leaves."""
    height, width = colour.shape[:2]
    kind = str(rng.choice(["edge", "blinds", "leaves"]))
    unit = float(np.ptp(marks[:, 0]))
    if kind == "leaves":
        side = max(height, width)
        sheet = noise(rng, side, max(unit * rng.uniform(0.08, 0.4), 2))[:height, :width]
    else:
        angle = rng.uniform(0, np.pi)
        x0, y0 = marks[30] + exact.normal(rng, 0, 0.25, 2) * unit
        y, x = np.ogrid[:height, :width]
        across = (x - x0) * float(exact.cos(angle)) + (y - y0) * float(exact.sin(angle))
        across = across / (unit * rng.uniform(0.1, 0.3))
        sheet = across if kind == "edge" else np.abs(across % 2 - 1) * 3 - 1.5
    soft = rng.uniform(1.0, 6.0)
    dark = np.clip(sheet * soft + 0.5, 0, 1).astype(np.float32)
    colour *= (1 - np.float32(rng.uniform(0.25, 0.8)) * dark)[..., None]
