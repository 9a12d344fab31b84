"""Hair and hats on the flat map of a head, and hair that hangs down."""

from __future__ import annotations

import cv2
import numpy as np

from facealign.synthesis import exact, planes
from facealign.synthesis.look import Look
from facealign.synthesis.materials import STRANDS, Fields, fields, noise

COVERING = ("long", "bob", "curly")  # styles of hair that hides the ears


def strands_noise(field: Fields, rng: np.random.Generator) -> np.ndarray:
    """Uniform noise, stretched along the hair from the crown outwards."""
    shift = np.float32(rng.uniform(0, 180))
    x = field.strand_x * np.float32(0.86) + shift
    return exact.look_up(STRANDS, x, field.strand_y, cv2.BORDER_REFLECT)


def hair_mask(look: Look, rng: np.random.Generator, size: int) -> np.ndarray:
    field = fields(size)
    if look.hair_style == "bald":
        return np.zeros((size, size), np.float32)
    line = field.hairline + 1.6 * noise(rng, size, size / 60) + 2.5 * noise(rng, size, size / 9)
    # where strands cross the hairline, below the temples, they would be spikes on the cheek
    line = line + (7 - 6.5 * field.below_temples) * (strands_noise(field, rng) - 0.5)
    line = line - look.recession
    if look.hair_style == "fringe":
        line = line + field.forehead * (26 * look.fringe)
        swept = np.clip(0.5 + look.parting * field.x / 40, 0, 1)
        line = line + field.forehead * swept * 22 * rng.uniform(0, 1)
    elif look.hair_style in ("short", "cropped"):
        line = line - field.temples * rng.uniform(0, 24)
    else:
        line = line + field.forehead * np.clip(look.parting * field.x / 30, -0.3, 1) * 12
    if look.hair_style in COVERING:
        line = line + 14 * field.by_ears
    if look.hair_style in ("long", "bob") and look.fringe > 1.1:  # it falls over the cheeks
        line = line + field.sides * 70 * (look.fringe - 1.1)
    return np.clip(line / 7 + 0.5, 0, 1).astype(np.float32)


def strands(look: Look, rng: np.random.Generator, size: int) -> np.ndarray:
    """Brightness of the hair, with a mean of about 1."""
    field = fields(size)
    if look.hair_style in ("curly", "cropped"):
        curls = noise(rng, size, max(size / 60, 2)) + 0.7 * noise(rng, size, max(size / 130, 1.5))
        return np.clip(0.85 + 0.32 * curls, 0.2, 2)
    bright = strands_noise(field, rng)
    return np.asarray(0.45 + 0.75 * bright + 0.16 * noise(rng, size, size / 14))


def hat_mask(look: Look, rng: np.random.Generator, size: int) -> np.ndarray | None:
    field = fields(size)
    if not look.hat:
        return None
    edge = field.scarf if look.hat == "scarf" else field.hat
    edge = edge + look.hat_low + 0.8 * noise(rng, size, size / 7)
    return np.clip(edge / 2 + 0.5, 0, 1).astype(np.float32)


def hat_cloth(look: Look, rng: np.random.Generator, size: int) -> np.ndarray:
    field = fields(size)
    folds = 1 + 0.12 * noise(rng, size, size / 14) + 0.05 * noise(rng, size, 2)
    if look.hat == "knit":
        ribs = exact.sin(field.strand_x * np.float32(0.25)) * 0.5 + 0.5
        folds = folds * (0.7 + 0.3 * ribs)
        folds = folds * (1 - 0.35 * ((field.hat + look.hat_low) % 26 < 3))
    elif look.hat == "scarf":
        folds = folds + 0.16 * exact.sin(field.scarf * np.float32(0.35))
    cloth = planes.tinted(folds.clip(0.1), look.hat_colours[0])
    if look.hat == "cap" or rng.uniform() < 0.3:
        badge = (np.abs(field.x) < 22) & (np.abs(field.hat + look.hat_low - 26) < 12)
        if rng.uniform() < 0.5:
            badge = np.abs(field.hat + look.hat_low - 8) < 7
        cloth[badge] = look.hat_colours[1]
    return np.asarray(cloth, dtype=np.float32)


def brim(look: Look) -> np.ndarray:
    """(24, 24, 3): the peak of a cap, or a brim all around, on the head's surface."""
    around = np.pi if look.hat == "brimmed" else 0.95
    angle, out = np.meshgrid(np.linspace(-around, around, 24), np.linspace(0, 1, 24))
    sin, cos = exact.sin(angle), exact.cos(angle)
    reach = 62.0 if look.hat == "cap" else 55.0
    fade = cos if look.hat == "cap" else 1.0
    x = sin * (70 + (8 if look.hat == "cap" else reach) * out)
    z = -80 + cos * 84 + reach * out * fade
    y = -86 - look.hat_low + 0.12 * z + (10 if look.hat == "cap" else -6) * out
    y = y + 0.0022 * x * x * (out if look.hat == "cap" else 1)
    return np.asarray(np.stack([x, y, z], axis=-1)[::-1])


def hanging_hair(look: Look, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Texture and opacity of hair that hangs down; strands run along the columns."""
    if look.hair_style == "curly":
        bright = 0.85 + 0.3 * noise(rng, size, 7) + 0.2 * noise(rng, size, 3)
    else:
        locks = exact.resize(STRANDS[:, : size // 2], (size, size))
        broad = exact.resize(STRANDS[:5, 300 : 300 + size // 9], (size, size), cubic=True)
        bright = 0.3 + 0.6 * locks + 0.5 * broad
    rows, columns = np.mgrid[:size, :size] / size
    ragged = 0.03 * noise(rng, size, 9)[:1] + 0.02 * noise(rng, size, 3)[:1]
    cover = np.clip((0.96 - rows + ragged) * 25, 0, 1)
    cover *= np.clip((0.5 - np.abs(columns - 0.5) + 0.5 * ragged.T) * 60, 0, 1)
    texture = planes.tinted(np.clip(bright, 0.1, 2), look.hair)
    return texture.astype(np.float32), cover.astype(np.float32)
