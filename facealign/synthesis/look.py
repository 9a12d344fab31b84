"""Colours and styles of random people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facealign.synthesis import exact


def linear(*colour: float) -> np.ndarray:
    """sRGB-like values, 0 to 255 -> the renderer's linear float32 (squared)."""
    return np.square(np.array(colour, dtype=np.float32) / 255)


@dataclass(frozen=True)
class Look:
    """The colours and styles of one person. Amounts are from 0 to 1."""

    feminine: bool
    dark: float  # the skin's tone
    skin: np.ndarray
    eyeballs: np.ndarray
    blush: float
    freckles: float
    moles: int
    pores: float
    wrinkles: float
    bags: float  # under the eyes
    corners: float  # folds beyond those of eyes and mouth
    relief: float  # shade in the hollows of the face
    nostrils: float
    oil: float
    lips: np.ndarray
    lip_strength: float
    iris: np.ndarray
    liner: float
    shadow: np.ndarray  # the colour of made-up lids
    lashes: float
    hair: np.ndarray
    brows: np.ndarray
    brow_weight: float
    brow_tail: float
    brow_ends: float  # how thin its ends are
    brow_fill: int  # of 255, behind the single hairs
    brow_strength: float
    beard_kind: str  # "", full, goatee, strap or moustache
    beard_colour: np.ndarray
    beard: float
    moustache: float
    hair_style: str  # bald, cropped, short, fringe, curly, long, bob, tied
    hair_volume: float  # millimetres
    parting: float  # -1 to 1
    fringe: float  # 1 ends above the brows
    recession: float  # of the hairline, in millimetres
    hat: str  # "", knit, cap, brimmed or scarf
    hat_low: float  # millimetres
    hat_colours: np.ndarray  # (2, 3)


_TONES = (
    (247, 214, 196),
    (238, 195, 170),
    (226, 178, 146),
    (203, 150, 114),
    (168, 115, 82),
    (124, 80, 57),
    (86, 56, 43),
)
_HAIRS = (
    (24, 18, 17),
    (48, 32, 25),
    (84, 54, 36),
    (122, 82, 50),
    (186, 146, 92),
    (214, 186, 140),
    (132, 60, 34),
    (150, 148, 146),
    (215, 213, 208),
)
_EYES = ((66, 40, 24), (104, 68, 38), (96, 108, 70), (88, 122, 150), (120, 132, 140))
_LIPSTICKS = ((176, 40, 52), (196, 80, 92), (150, 40, 70), (206, 110, 104), (110, 20, 40))


def _skin(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """And how dark it is."""
    tones = np.stack([linear(*tone) for tone in _TONES])
    tone = float(exact.power(rng.uniform(0, 1), 1.25)) * 5.999
    below = int(tone)
    skin = tones[below] + (tones[below + 1] - tones[below]) * np.float32(tone - below)
    odd = rng.uniform() < 0.04  # face paint, or light that is stranger still
    return skin * exact.normal(rng, 1, 0.25 if odd else 0.06, 3).astype(np.float32), tone / 6


def _hair(rng: np.random.Generator, dark: float, age: float) -> np.ndarray:
    odds = np.array([3, 3, 2.5, 2, 1.5, 1, 0.7, 0.6, 0.3])
    odds[2:7] *= max(0.02, 1 - 1.7 * dark)
    odds[7:] *= 0 if age < 0 else 1 + 25 * age
    hair = linear(*_HAIRS[rng.choice(len(_HAIRS), p=odds / odds.sum())])
    if rng.uniform() < 0.03:
        hair = np.square(rng.uniform(0, 1, 3)).astype(np.float32)
    return np.asarray(hair * np.float32(rng.uniform(0.8, 1.25)))


def _hat(rng: np.random.Generator, feminine: bool) -> tuple[str, float]:
    kind = rng.uniform()
    if kind > 0.17:
        return "", 0.0
    if kind < 0.045 and feminine:
        return "scarf", float(rng.uniform(-6, 12))
    hat = str(rng.choice(["knit", "cap", "brimmed"], p=[0.4, 0.38, 0.22]))
    return hat, float(rng.uniform(-12, 12))


def _strength(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _bulk(rng: np.random.Generator) -> float:
    """How thick the hair is; now and then very thick."""
    return float(rng.uniform(0.7, 1.4) + 1.6 * np.square(np.square(rng.uniform())))


def random_look(rng: np.random.Generator, age: float) -> Look:
    """`age` is that of `variety.random_age`."""
    skin, dark = _skin(rng)
    hair = _hair(rng, dark, age)
    light_eyed = dark < 0.45 and rng.uniform() < 0.5
    iris = linear(*_EYES[rng.integers(2, 5) if light_eyed else rng.integers(0, 2)])
    feminine = rng.uniform() < 0.5
    made_up = feminine and age >= 0 and rng.uniform() < 0.6
    redness = rng.uniform(0, 1)
    lips = np.array([rng.uniform(0.6, 0.9), 0.65 - 0.35 * redness, 0.66 - 0.3 * redness])
    lips = skin * lips.astype(np.float32)
    if made_up:
        stick = linear(*rng.choice(_LIPSTICKS))
        share = np.float32(rng.uniform(0.3, 0.8))
        lips = lips * (1 - share) + stick * share
    styles = ("long", "bob", "tied", "curly", "fringe", "short")
    chances = (0.34, 0.16, 0.17, 0.14, 0.12, 0.07)
    if not feminine:
        styles = ("short", "cropped", "bald", "curly", "fringe", "long")
        chances = (0.42, 0.2, 0.1, 0.11, 0.12, 0.05)
    style = str(rng.choice(styles, p=chances))
    volumes = {"bald": 0, "cropped": 3, "short": 11, "fringe": 12, "curly": 22}
    beard = ""
    if not feminine and age >= 0 and rng.uniform() < 0.6:
        beards = ("full", "goatee", "strap", "moustache")
        beard = str(rng.choice(beards, p=[0.55, 0.2, 0.1, 0.15]))
    stubble = 0.12 + 0.9 * float(np.square(rng.uniform()))
    beard_colour = hair * 0.75
    if rng.uniform() < 0.15 + 0.6 * max(age, 0):
        beard_colour = beard_colour + (linear(190, 188, 184) - beard_colour) * rng.uniform(0.2, 1)
    brows = np.minimum(hair * _strength(rng, 0.2, 0.7), linear(100, 76, 54))
    if age > 0.5 and rng.uniform() < 0.4:
        brows = hair * 0.8
    brow_weight = _strength(rng, 0.35, 1.0) if feminine else _strength(rng, 0.55, 1.35)
    hat, hat_low = _hat(rng, feminine)
    wrinkles = float(np.square(rng.uniform(0, 1)))
    return Look(
        feminine=feminine,
        dark=dark,
        skin=skin,
        eyeballs=linear(206, 197, 192) * np.float32(rng.uniform(0.4, 1.1)),
        blush=_strength(rng, 0.2, 1.0) * (1 - 0.6 * dark),
        freckles=_strength(rng, 0.3, 1) if rng.uniform() < 0.18 and dark < 0.5 else 0.0,
        moles=int(rng.integers(1, 5)) if rng.uniform() < 0.2 else 0,
        pores=_strength(rng, 0.01, 0.06),
        wrinkles=0.0 if age < 0 else min(wrinkles * 0.8 + 1.1 * age, 1.6),
        bags=_strength(rng, 0, 1) if age < 0 else _strength(rng, 0, 1.1 + age),
        corners=_strength(rng, 0.2, 1.3),
        relief=_strength(rng, 0.45, 1.6),
        nostrils=_strength(rng, 0.55, 1.0),
        oil=0.02 + 0.6 * float(np.square(rng.uniform())) + 0.08 * dark,
        lips=lips,
        lip_strength=_strength(rng, 0.8, 1.0) if made_up else _strength(rng, 0.6, 1.0),
        iris=iris * np.float32(rng.uniform(0.4, 1.15)),
        liner=_strength(rng, 0.3, 1) if made_up else 0.0,
        shadow=np.square(rng.uniform(0.05, 0.6, 3)).astype(np.float32),
        lashes=_strength(rng, 0.7, 1.0) if made_up else _strength(rng, 0.4, 0.95),
        hair=hair,
        brows=brows,
        brow_weight=brow_weight * (0.75 if age < 0 else 1),
        brow_tail=_strength(rng, 0.45, 0.95),
        brow_ends=_strength(rng, 0, 1),
        brow_fill=int(rng.integers(80, 250)),
        brow_strength=_strength(rng, 0.05, 0.3) if rng.uniform() < 0.05 else _strength(rng, 0.6, 1),
        beard_kind=beard,
        beard_colour=np.asarray(beard_colour, dtype=np.float32),
        beard=stubble + _strength(rng, 0, 0.2),
        moustache=stubble + _strength(rng, 0, 0.4),
        hair_style=style,
        hair_volume=volumes.get(style, 9) * _bulk(rng),
        parting=float(rng.uniform(-1, 1)),
        fringe=_strength(rng, 0.6, 1.6),
        recession=float(exact.normal(rng, 0, 6)),
        hat=hat,
        hat_low=hat_low,
        hat_colours=np.square(rng.uniform(0.02, 0.95, (2, 3))).astype(np.float32),
    )
