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
    """The colours and styles of one person."""

    skin: np.ndarray
    blush: float
    freckles: float
    wrinkles: float
    oil: float
    lips: np.ndarray
    iris: np.ndarray
    liner: float
    hair: np.ndarray
    brows: np.ndarray
    brow_weight: float
    beard: float
    moustache: float
    hair_style: str  # bald, cropped, short, fringe, curly, long, bob, tied
    hair_volume: float  # millimetres
    parting: float  # -1 to 1


def random_look(rng: np.random.Generator) -> Look:
    tones = np.stack(
        [
            linear(*tone)
            for tone in (
                (247, 214, 196),
                (238, 195, 170),
                (226, 178, 146),
                (203, 150, 114),
                (168, 115, 82),
                (124, 80, 57),
                (86, 56, 43),
            )
        ]
    )
    tone = float(exact.power(rng.uniform(0, 1), 1.25)) * 5.999
    below = int(tone)
    skin = tones[below] + (tones[below + 1] - tones[below]) * np.float32(tone - below)
    skin = skin * exact.normal(rng, 1, 0.04, 3).astype(np.float32)
    dark = tone / 6
    hairs = [
        linear(*c)
        for c in ((24, 18, 17), (48, 32, 25), (84, 54, 36), (122, 82, 50), (186, 146, 92))
    ]
    hairs += [
        linear(214, 186, 140),
        linear(132, 60, 34),
        linear(150, 148, 146),
        linear(215, 213, 208),
    ]
    odds = np.array([3, 3, 2.5, 2, 1.5, 1, 0.7, 1, 0.6])
    odds[2:7] *= max(0.02, 1 - 1.7 * dark)
    hair = hairs[rng.choice(len(hairs), p=odds / odds.sum())]
    eyes = [
        linear(*c)
        for c in ((66, 40, 24), (104, 68, 38), (96, 108, 70), (88, 122, 150), (120, 132, 140))
    ]
    light_eyed = dark < 0.45 and rng.uniform() < 0.5
    iris = eyes[rng.integers(2, 5) if light_eyed else rng.integers(0, 2)]
    feminine = rng.uniform() < 0.5
    made_up = feminine and rng.uniform() < 0.6
    lips = skin * np.array([0.86, 0.55, 0.56], np.float32)
    if made_up:
        paint = linear(*rng.choice([(176, 40, 52), (196, 80, 92), (150, 40, 70), (206, 110, 104)]))
        lips = lips * 0.4 + paint * 0.6
    styles = ("long", "bob", "tied", "curly", "fringe", "short")
    chances = (0.34, 0.16, 0.17, 0.14, 0.12, 0.07)
    if not feminine:
        styles = ("short", "cropped", "bald", "curly", "fringe", "long")
        chances = (0.46, 0.2, 0.1, 0.11, 0.08, 0.05)
    style = str(rng.choice(styles, p=chances))
    volumes = {"bald": 0, "cropped": 3, "short": 11, "fringe": 12, "curly": 22}
    bearded = not feminine and rng.uniform() < 0.45
    return Look(
        skin=skin,
        blush=float(rng.uniform(0.2, 1.0)) * (1 - 0.6 * dark),
        freckles=float(rng.uniform(0.3, 1)) if rng.uniform() < 0.18 and dark < 0.5 else 0.0,
        wrinkles=float(np.square(rng.uniform(0, 1))),
        oil=float(rng.uniform(0.05, 0.26)) + 0.08 * dark,
        lips=lips,
        iris=iris * np.float32(rng.uniform(0.8, 1.25)),
        liner=float(rng.uniform(0.5, 1)) if made_up else 0.0,
        hair=hair * np.float32(rng.uniform(0.8, 1.25)),
        brows=np.minimum(hair * 0.8, linear(120, 90, 62)),
        brow_weight=float(rng.uniform(0.6, 1.0) if feminine else rng.uniform(0.8, 1.35)),
        beard=float(rng.uniform(0.25, 1)) if bearded else 0.0,
        moustache=float(rng.uniform(0.25, 1)) if bearded or rng.uniform() < 0.04 else 0.0,
        hair_style=style,
        hair_volume=volumes.get(style, 9) * float(rng.uniform(0.7, 1.4)),
        parting=float(rng.uniform(-1, 1)),
    )
