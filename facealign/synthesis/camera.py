"""From linear light to the file of a camera, with the faults of good and bad ones."""

from __future__ import annotations

import struct

import cv2
import numpy as np

from facealign.synthesis import exact, planes

_GREY = (0.299, 0.587, 0.114)


def turned(
    colour: np.ndarray, marks: np.ndarray, size: tuple[int, int], degrees: float
) -> tuple[np.ndarray, np.ndarray]:
    """The middle of a picture, of this size, as a camera turned by so much sees it."""
    angle = np.radians(degrees)
    cos, sin = float(exact.cos(angle)), float(exact.sin(angle))
    turn = np.array([[cos, -sin], [sin, cos]])
    before, after = (np.array(colour.shape[1::-1]) - 1) / 2, (np.array(size) - 1) / 2
    x, y = np.meshgrid(np.arange(size[0]) - after[0], np.arange(size[1]) - after[1])
    seen = exact.look_up(
        colour,
        (cos * x + sin * y + before[0]).astype(np.float32),
        (cos * y - sin * x + before[1]).astype(np.float32),
        cv2.BORDER_REPLICATE,
    )
    return seen, exact.transform(marks - before, turn.T) + after


def _face_light(colour: np.ndarray, marks: np.ndarray) -> float:
    """Mean brightness of the inner face, which determines the exposure."""
    left, top = np.maximum(marks[17:].min(axis=0), 0).astype(int)
    right, bottom = marks[17:].max(axis=0).astype(int) + 1
    return float(colour[top:bottom, left:right].mean())


def _exposure(light: float, rng: np.random.Generator, odd: float) -> np.ndarray:
    """Of each channel: the brightness and the white balance."""
    level = float(np.clip(exact.power(0.3 / max(light, 0.01), 0.6), 0.6, 2.8))
    kind = rng.uniform()
    if kind < 0.5 * odd:
        level *= rng.uniform(0.2, 0.7)
    elif kind < 0.9 * odd:
        level *= rng.uniform(1.5, 3.2)
    balance = 0.13 if rng.uniform() < odd else 0.025
    channels = exact.normal(rng, 1, balance, 3).clip(0.6, 1.5)
    return np.asarray(level * rng.uniform(0.5, 1.25) * channels)


def _tint(values: np.ndarray, rng: np.random.Generator, odd: float) -> None:
    """Weaker or stronger colours, none at all, or those of sepia and other prints."""
    kind = rng.uniform()
    if kind > odd:
        return
    grey = sum(values[k] * np.float32(_GREY[k]) for k in range(3))
    if kind < 0.25 * odd:
        dark, pale = rng.uniform(0, 0.25, 3), rng.uniform(0.75, 1.0, 3)
        if rng.uniform() < 0.5:
            dark, pale = np.array([0.08, 0.04, 0.0]), np.array([1.0, 0.93, 0.78])
        for k in range(3):
            values[k] = grey * np.float32(pale[k] - dark[k]) + np.float32(dark[k])
        return
    share = np.float32(0 if kind < 0.4 * odd else rng.uniform(0.3, 1.9))
    for k in range(3):
        values[k] = grey + (values[k] - grey) * share
    np.maximum(values, 0, out=values)


def _motion(values: np.ndarray, length: float, angle: float) -> np.ndarray:
    """Mean of shifted copies, about a pixel apart."""
    height, width = values.shape[1:]
    count = max(int(length), 2)
    steps = np.linspace(-length / 2, length / 2, count)
    across = np.rint(steps * float(exact.cos(angle))).astype(int)
    down = np.rint(steps * float(exact.sin(angle))).astype(int)
    margin = int(np.abs([across, down]).max()) + 1
    padded = np.pad(values, ((0, 0), (margin, margin), (margin, margin)), mode="edge")
    total = np.zeros_like(values)
    for x, y in zip((across + margin).tolist(), (down + margin).tolist(), strict=True):
        total += padded[:, y : y + height, x : x + width]
    total *= np.float32(1 / count)
    return total


def _blurred(values: np.ndarray, unit: float, rng: np.random.Generator, odd: float) -> np.ndarray:
    """`unit` is the width of the face in pixels."""
    kind = rng.uniform()
    if kind < 0.5 * odd:
        return _motion(values, unit * rng.uniform(0.015, 0.085), rng.uniform(0, np.pi))
    if kind < odd:
        deviation = max(unit * rng.uniform(0.006, 0.022), 0.5)
    elif rng.uniform() < 0.35:
        deviation = max(unit * rng.uniform(0.002, 0.0065), 0.3)
    elif rng.uniform() < 0.15:
        size = (int(rng.integers(2, 5)), 1)
        return np.stack([cv2.blur(plane, size) for plane in values])
    else:
        return values
    return np.stack([exact.blur(plane, deviation, 4) for plane in values])


def _levels(picture: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """What becomes black and white: most cameras use the whole range."""
    seen = np.bincount(picture[::2, ::2].ravel(), minlength=256).cumsum()
    black, white = np.searchsorted(seen, np.array([0.01, 0.985]) * seen[-1])
    share = rng.uniform(0.4, 1.0)
    if rng.uniform() < 0.3 or white - black < 50:
        return 0.0, 1.0
    return share * float(black) / 255, 1 - share * float(255 - white) / 255


def _curve(picture: np.ndarray, rng: np.random.Generator, odd: float) -> np.ndarray:
    """A tone curve of bytes: contrast, as cameras add it; now and then gamma and faded blacks."""
    black, white = _levels(picture, rng)
    t = np.clip((np.arange(256) / 255 - black) / (white - black), 0, 1)
    contrast = rng.uniform(0, 1.6)
    unusual = rng.uniform() < 2 * odd
    if unusual:
        t = exact.power(t, float(rng.uniform(0.7, 1.7)))
        contrast = rng.uniform(-0.6, 1.9)
    t = t + contrast * (t * t * (3 - 2 * t) - t)
    if not unusual:
        return np.rint(255 * np.clip(t, 0, 1)).astype(np.uint8)
    darkest = rng.uniform(0, 0.2) if rng.uniform() < 0.3 else 0.0
    brightest = rng.uniform(0.7, 1) if rng.uniform() < 0.2 else 1.0
    return np.rint(255 * np.clip(darkest + (brightest - darkest) * t, 0, 1)).astype(np.uint8)


def _grain(shape: tuple[int, int], rng: np.random.Generator, odd: float) -> np.ndarray:
    """(h, w), or (3, h, w) if it is coloured, of a share of 255."""
    height, width = shape
    strong = rng.uniform() < odd
    sigma = np.float32(255 * (rng.uniform(0.025, 0.08) if strong else rng.uniform(0.001, 0.014)))
    grain = exact.cut(rng.standard_normal((height, width), dtype=np.float32))
    grain *= sigma
    if rng.uniform() < 0.8 * odd:
        cell = int(rng.integers(2, 5))
        blotches = rng.standard_normal((height // cell + 1, width // cell + 1, 3), dtype=np.float32)
        coloured = planes.split(exact.resize(exact.cut(blotches), (width, height)))
        coloured *= sigma
        coloured += grain
        return coloured
    return grain


def _shrunk(picture: np.ndarray, unit: float, rng: np.random.Generator) -> np.ndarray:
    """A picture that was once much smaller, and mostly stored so."""
    height, width = picture.shape[:2]
    factor = min(rng.uniform(1.5, 6.0), unit / 26)
    small_size = (max(round(width / factor), 8), max(round(height / factor), 8))
    small = cv2.resize(picture, small_size, interpolation=cv2.INTER_AREA)
    if rng.uniform() < 0.6:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))]
        stored = cv2.imdecode(cv2.imencode(".jpg", small, quality)[1], cv2.IMREAD_COLOR)
        small = small if stored is None else stored
    if rng.uniform() < 0.15:
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    large = exact.resize(small.astype(np.float32), (width, height), cubic=rng.uniform() < 0.5)
    return np.asarray(np.clip(np.rint(large), 0, 255), dtype=np.uint8)


def photograph(
    colour: np.ndarray, marks: np.ndarray, rng: np.random.Generator, dark: bool, odd: float
) -> np.ndarray:
    """Linear light -> the 8-bit RGB of a camera; `odd` is the share of each kind of fault."""
    height, width = colour.shape[:2]
    unit = float(np.ptp(marks[:17], axis=0).max())
    exposure = _exposure(_face_light(colour, marks), rng, odd)
    if dark:
        exposure = exposure * 0.0015
    y = np.square(np.linspace(-1, 1, height, dtype=np.float32))[:, None]
    x = np.square(np.linspace(-1, 1, width, dtype=np.float32))[None]
    vignette = 1 - np.float32(rng.uniform(0, 0.28)) * (x + y)
    values = planes.split(colour)
    values *= exposure.astype(np.float32)[:, None, None]
    values *= vignette
    values = np.sqrt(np.maximum(values, 0, out=values))
    values /= np.float32(0.9) + np.float32(0.12) * values
    _tint(values, rng, 1.3 * odd)
    values = _blurred(values, unit, rng, 1.5 * odd)
    if rng.uniform() < 0.5 * odd:  # light on the lens
        veil = rng.uniform(0.5, 1, (3, 1, 1)).astype(np.float32)
        values += (veil - values) * np.float32(rng.uniform(0.1, 0.45))
    values *= np.float32(255)
    values += _grain((height, width), rng, odd)
    picture = planes.interleaved(np.clip(values, 0, 255, out=values).astype(np.uint8))
    picture = _curve(picture, rng, odd).take(picture)
    if rng.uniform() < odd and unit > 60:
        picture = _shrunk(picture, unit, rng)
    return picture


def _exif_quarter_turn(jpeg: bytes) -> bytes:
    """Insert EXIF orientation 6, "rotate by 90 degrees clockwise", after the start marker."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    payload = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


def encode(picture: np.ndarray, suffix: str, kind: str, rng: np.random.Generator) -> bytes:
    """The file of a picture of this kind of `pictures.Plan`."""
    image = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY if kind == "grey" else cv2.COLOR_RGB2BGR)
    if kind == "exif":
        image = cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE)
    quality = int(rng.integers(25, 62) if rng.uniform() < 0.25 else rng.integers(62, 97))
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == ".jpg" else []
    _, encoded = cv2.imencode(suffix, image, settings)
    data = encoded.tobytes()
    return _exif_quarter_turn(data) if kind == "exif" else data
