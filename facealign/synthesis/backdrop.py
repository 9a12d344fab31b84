"""Backgrounds of generated pictures."""

from __future__ import annotations

import cv2
import numpy as np

from facealign.synthesis import exact
from facealign.synthesis.look import Look
from facealign.synthesis.materials import noise


def related_colours(rng: np.random.Generator, count: int) -> np.ndarray:
    """Related linear colours, some pale and some dark."""
    base = rng.uniform(0.1, 0.75) + exact.normal(rng, 0, 0.09, 3)
    others = base + exact.normal(rng, 0, 0.17, (count, 1))
    others += exact.normal(rng, 0, 0.08, (count, 3))
    others = np.clip(others, 0.03, 0.95)
    return np.square(others * rng.uniform(0.5, 1.1)).astype(np.float32)


def _window(image: np.ndarray, rng: np.random.Generator) -> tuple[slice, slice]:
    height, width = image.shape[:2]
    x, y = rng.integers(-width // 4, width), rng.integers(-height // 4, height)
    wide, high = rng.integers(width // 12 + 1, width // 2), rng.integers(height // 12 + 1, height)
    return slice(max(y, 0), max(y + high, 0)), slice(max(x, 0), max(x + wide, 0))


def _spread(sheet: np.ndarray, image: np.ndarray, palette: np.ndarray) -> None:
    """Mix two colours by a sheet from 0 to 1."""
    sheet = np.clip(sheet, 0, 1)[: image.shape[0], : image.shape[1], None].astype(np.float32)
    image[:] = palette[2] + (palette[3] - palette[2]) * sheet


def _blobs(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(10, 36))):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        radius = int(rng.integers(3, 30))
        cv2.circle(image, centre, radius, palette[rng.integers(2, 8)].tolist(), -1, cv2.LINE_AA)


def _bokeh(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(10, 30))):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        colour = palette[rng.integers(2, 8)] * 1.6
        disc = image.copy()
        cv2.circle(disc, centre, int(rng.integers(3, 11)), colour.tolist(), -1, cv2.LINE_AA)
        image[:] = image * 0.45 + disc * 0.55


def _blocks(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    """Shelves, or a street of houses with windows."""
    height, width = image.shape[:2]
    street = rng.uniform() < 0.5
    x = 0
    while x < width:
        step = int(rng.integers(3, 22))
        top = int(rng.uniform(0, 0.7 if street else 0.2) * height)
        colour = palette[rng.integers(1, 8)] * rng.uniform(0.5, 1.3)
        cv2.rectangle(image, (x, top), (x + step, height), colour.tolist(), -1)
        if street:
            for y in range(top + 4, height, 9):
                pane = (colour * rng.uniform(0.3, 2.2)).clip(0, 1).tolist()
                cv2.rectangle(image, (x + 2, y), (x + max(step - 3, 3), y + 4), pane, -1)
        x += step + int(rng.integers(0, 3))
    if not street:
        for y in range(int(rng.integers(8, 40)), height, int(rng.integers(24, 60))):
            cv2.line(image, (0, y), (width, y), (palette[1] * 0.4).tolist(), 3)


def _foliage(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    side = max(height, width)
    leaves = noise(rng, side, 5) + 0.6 * noise(rng, side, 2) + noise(rng, side, 22)
    green = np.array([rng.uniform(0.08, 0.3), 0.32, rng.uniform(0.03, 0.12)], np.float32)
    light = np.clip(0.45 + 0.3 * leaves[:height, :width], 0.05, 2)
    image[:] = image * 0.25 + green * light[..., None]


def _wall(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    side = max(height, width)
    rough = 1 + 0.1 * noise(rng, side, 3) + 0.12 * noise(rng, side, 30)
    image *= rough[:height, :width, None]
    corner = int(rng.uniform(-0.5, 1) * width)
    image[:, max(corner, 0) :] *= np.float32(rng.uniform(0.6, 0.95))
    if rng.uniform() < 0.5:
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height // 2 + 1))
        cv2.rectangle(image, (x, y), (x + 40, y + 30), palette[2].tolist(), -1)
        cv2.rectangle(image, (x, y), (x + 40, y + 30), palette[3].tolist(), 2)


def _studio(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    """One colour, often white, grey or black, or of a sky."""
    if rng.uniform() < 0.6:
        image[:] = np.square(np.float32(rng.choice([0.03, 0.2, 0.5, 0.8, 0.98])))
    image *= np.float32(rng.uniform(0.7, 1.3))


def _room(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    """Rectangles of any size, some very bright, as of windows, doors, screens and furniture."""
    for _ in range(int(rng.integers(4, 14))):
        window = _window(image, rng)
        bright = rng.uniform(0.3, 1.2) if rng.uniform() < 0.85 else 3.0
        image[window] = palette[rng.integers(0, 8)] * np.float32(bright)


def _outdoors(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    side = max(height, width)
    horizon = int(rng.uniform(0.2, 0.9) * height)
    blue = np.array([rng.uniform(0.25, 0.8), rng.uniform(0.45, 0.85), 0.9], np.float32)
    image[:] = blue + (1 - blue) * np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    hills = horizon + 0.06 * height * noise(rng, side, side / 5)[0, :width]
    below = np.arange(height)[:, None] > hills
    ground = palette[2] * (1 + 0.25 * noise(rng, side, 3))[:height, :width, None]
    image[below] = ground[below].clip(0)


def _stripes(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    """Stripes, checks or tiles at any angle."""
    y, x = np.ogrid[: image.shape[0], : image.shape[1]]
    angle, period = rng.uniform(0, np.pi), rng.uniform(3, 24)
    cos, sin = float(exact.cos(angle)) / period, float(exact.sin(angle)) / period
    one, other = (x * cos + y * sin) % 1 < rng.uniform(0.2, 0.8), (y * cos - x * sin) % 1 < 0.5
    kind = rng.integers(3)
    _spread(one if kind == 0 else one ^ other if kind == 1 else one & other, image, palette)


def _texture(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    side = max(image.shape[:2])
    grain = noise(rng, side, rng.uniform(1.3, 5)) + noise(rng, side, rng.uniform(4, 30))
    _spread(0.5 + rng.uniform(0.15, 0.9) * grain, image, palette)


def _shards(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    """Polygons and lines with hard edges."""
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(6, 26))):
        corners = rng.uniform(-0.2, 1.2, (int(rng.integers(3, 6)), 2)) * (width, height)
        colour = (palette[rng.integers(0, 8)] * rng.uniform(0.4, 1.5)).tolist()
        knots = [np.rint(corners * 16).astype(np.int32)]
        if rng.uniform() < 0.4:
            cv2.polylines(image, knots, True, colour, int(rng.integers(1, 8)), cv2.LINE_AA, 4)
        else:
            cv2.fillPoly(image, knots, colour, cv2.LINE_AA, 4)


def _writing(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    """Rows of letters that do not exist."""
    height, width = image.shape[:2]
    image[:] = palette[2]
    size = int(rng.integers(4, 20))
    for y in range(int(rng.integers(0, size)), height, size * 2):
        colour = palette[rng.integers(3, 8)].tolist()
        start, count = int(rng.integers(-size, width)), int(rng.integers(3, 14))
        strokes = rng.integers(0, 3, (count, 4, 2)) * (size // 3 + 1, size // 2 + 1)
        strokes[..., 0] += start + np.arange(count)[:, None] * (size + size // 3)
        strokes[..., 1] += y
        letters = list(strokes.astype(np.int32))
        cv2.polylines(image, letters, False, colour, max(size // 6, 1), cv2.LINE_AA)


def _crowd(image: np.ndarray, palette: np.ndarray, rng: np.random.Generator) -> None:
    """Other heads, with hair and dark eyes, above clothes."""
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(2, 9))):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        size = max(int(rng.uniform(0.04, 0.16) * width), 3)
        skin = np.array([0.55, 0.3, 0.2]) * rng.uniform(0.15, 1.4)
        hair = (
            np.array([0.05, 0.03, 0.02]) + rng.uniform(0, 0.3) * np.array([1, 0.8, 0.5])
        ).tolist()
        cloth = palette[rng.integers(0, 8)].tolist()
        cv2.rectangle(image, (x - 2 * size, y + size), (x + 2 * size, height), cloth, -1)
        cv2.ellipse(
            image, (x, y - size // 3), (size + 1, size + 2), 0, 0, 360, hair, -1, cv2.LINE_AA
        )
        cv2.ellipse(image, (x, y), (size * 3 // 4, size), 0, 0, 360, skin.tolist(), -1, cv2.LINE_AA)
        for side in (-1, 1):
            eye = (x + side * size // 3, y - size // 6)
            cv2.circle(image, eye, max(size // 9, 1), hair, -1, cv2.LINE_AA)
        mouth = (x, y + size // 2)
        cv2.ellipse(image, mouth, (size // 3, max(size // 9, 1)), 0, 0, 360, hair, -1, cv2.LINE_AA)


_PAINTERS = {
    _blobs: 0.06,
    _bokeh: 0.07,
    _blocks: 0.13,
    _foliage: 0.09,
    _wall: 0.1,
    _studio: 0.1,
    _room: 0.12,
    _outdoors: 0.07,
    _stripes: 0.05,
    _texture: 0.06,
    _shards: 0.07,
    _writing: 0.03,
    _crowd: 0.05,
}


def background(
    rng: np.random.Generator, width: int, height: int, look: Look | None = None
) -> np.ndarray:
    """(height, width, 3); mostly out of focus, so it is painted small and enlarged.

    Now and then its colours are those of the person's skin and hair.
    """
    sharp = rng.uniform() < 0.3
    size = 1.6 if sharp else 3.0
    small_w, small_h = max(int(width / size), 8), max(int(height / size), 8)
    palette = related_colours(rng, 8)
    if rng.uniform() < 0.3:
        palette[2:] = np.square(rng.uniform(0, 1, (6, 3)))
    elif look is not None and rng.uniform() < 0.15:
        alike = np.stack([look.skin, look.hair])[rng.integers(0, 2, 8)]
        palette = (alike * rng.uniform(0.6, 1.4, (8, 1))).astype(np.float32)
    down = np.linspace(0, 1, small_h, dtype=np.float32)[:, None, None]
    across = np.linspace(0, 1, small_w, dtype=np.float32)[None, :, None]
    slant = np.float32(rng.uniform(0, 1))
    image = palette[0] + (palette[1] - palette[0]) * (down * slant + across * (1 - slant))
    image = np.ascontiguousarray(image)
    painter = list(_PAINTERS)[rng.choice(len(_PAINTERS), p=list(_PAINTERS.values()))]
    painter(image, palette, rng)
    if rng.uniform() < 0.15:  # a hard edge across it
        image[_window(image, rng)] = palette[rng.integers(0, 8)]
    image = exact.blur(image, float(rng.uniform(0.4, 0.8) if sharp else rng.uniform(0.5, 4)), 2)
    return exact.resize(image.clip(0, 1), (width, height))
