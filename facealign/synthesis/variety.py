"""Random identities and expressions, more various than people are."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from facealign.core.points import COUNT, MIRROR
from facealign.synthesis import exact
from facealign.synthesis.head import NEUTRAL, Expression, near


class Mode(NamedTuple):
    """A way in which heads differ: places near `centre` move along `push`, symmetrically."""

    centre: tuple[float, float, float]
    reach: float
    push: tuple[float, float, float]  # one standard deviation, on the viewer's left side
    stretch: tuple[float, float, float] = (0, 0, 0)  # and away from the centre, as a share
    mean: float = 0.0


_MODES = (
    Mode((-58, 42, -42), 28, (-4.0, 0, 0), mean=-0.9),  # width of the jaw
    Mode((-46, 55, -28), 18, (-4.0, 2.0, 0)),  # how square it is
    Mode((-18, 74, -5), 15, (-3.5, 0.6, 0)),  # width of the chin
    Mode((0, 72, 5), 24, (0, 4.0, 0), mean=0.5),  # length of the chin
    Mode((0, 66, 10), 20, (0, 0, 4.0), mean=1.3),  # its protrusion, to where its outline is seen
    Mode((0, 75, -5), 48, (0, 4.0, 0)),  # length of the lower face
    Mode((-76, -20, -47), 34, (-3.0, 0, 0), mean=-1.0),  # width at the ears
    Mode((-74, -30, -95), 55, (-3.0, 0, 0), mean=-1.6),  # and behind them
    Mode((-76, -36, -47), 20, (0, 1.5, 0), mean=3.9),  # where the jaw begins
    Mode((-48, 15, -8), 24, (-2.5, 0, 3.0)),  # fullness of the cheeks
    Mode((-42, 36, -4), 18, (-1.5, 0, 2.0)),  # and beside the mouth
    Mode((-58, -18, -15), 18, (-2.0, 0, 2.5)),  # cheekbones
    Mode((-33, -60, 3), 20, (0, -2.3, 0), mean=-4.2),  # height of the brows
    Mode((-33, -67, 0), 10, (0, -1.6, 0)),  # their arches
    Mode((-14, -58, 11), 10, (-2.6, 2.4, 0), mean=1.1),  # their inner ends
    Mode((-58, -51, -11), 11, (-1.0, -4.0, 0), mean=-1.3),  # their outer ends
    Mode((-48, -60, -8), 20, (-1.2, 0, 0), mean=4.6),  # their width
    Mode((-26, -62, 7), 16, (0, 0, 2.0), mean=1.0),  # brow ridge
    Mode((0, -112, -12), 40, (0, 0, -5.0)),  # slope of the forehead
    Mode((-62, -100, -50), 36, (-3.0, 0, 0), mean=-1.3),  # its width
    Mode((0, -140, -70), 60, (0, -6.0, 0)),  # height of the skull
    Mode((0, -8, 36), 10, (0, -0.8, 3.0)),  # protrusion of the tip of the nose
    Mode((0, -9, 37), 11, (0, 1.2, 1.0), mean=2.5),  # its height
    Mode((0, -44, 14), 12, (0, 1.2, 0), mean=1.7),  # and that of the root
    Mode((0, -2, 30), 22, (0, 1.5, 0), mean=1.4),  # and of the whole nose
    Mode((0, -48, 13), 15, (0, 0, 1.5), mean=2.6),  # depth of its root
    Mode((0, 14, 26), 26, (0, 0, -1.5), mean=1.6),  # and of its base and the mouth
    Mode((0, -26, 22), 11, (0, 0, 2.2)),  # its bridge
    Mode((-6, -34, 15), 10, (-1.2, 0, 0)),  # width of the bridge
    Mode((0, 0, 29), 13, (0, 2.6, 0.8), mean=0.8),  # its length
    Mode((-14, 2, 21), 10, (-2.1, 0, 0)),  # its width
    Mode((-13, 0, 21), 8, (0, -1.2, 0)),  # height of the nostrils
    Mode((0, 29, 20), 20, (0, 2.0, 0), mean=0.8),  # height of the mouth
    Mode((-26, 29, 5), 13, (-2.6, 0, 0)),  # its width
    Mode((-26, 29, 5), 9, (0, -1.0, 0), mean=-2.2),  # height of its corners
    Mode((0, 29, 22), 14, (0, 0, 1.8), mean=0.7),  # fullness in profile
    Mode((0, 25, 22), 9, (0, 0, 1.2), mean=2.4),  # of the upper lip
    Mode((-33, -39, 0), 17, (-1.5, 0, 0), mean=2.4),  # distance of the eyes
    Mode((-29, -40.5, 0), 20, (0, 0, 0), (0.09, 0.07, 0), mean=0.0),  # size of the eyes
    Mode((-29, -40.5, 0), 17, (0, 0, 0), (0.0, 0.13, 0), mean=2.3),  # how round they are
    Mode((-41, -39, -6), 11, (-0.8, -1.5, 0)),  # slant of the eyes
    Mode((-18, -37, 1), 7, (0.8, 0.6, 0), mean=-0.5),  # their inner corners
    Mode((-32, -44, -1), 7, (0, -0.8, 0), mean=1.2),  # height of the upper lids
    Mode((-33, -40, 0), 13, (0, 0, -1.6)),  # depth of the eyes
)
# A child has large and low eyes under low and pale brows, a small nose and mouth, a short chin and
# round cheeks; at 1 it is about three years old.
_CHILD = (
    Mode((-29, -40.5, 0), 22, (0, 4.0, 0), (0.2, 0.24, 0)),
    Mode((-33, -62, 3), 16, (0, 3.0, 0)),
    Mode((0, -4, 28), 20, (0, -3.0, -3.0), (-0.22, -0.16, -0.1)),
    Mode((0, -28, 20), 13, (0, 0, -3.0)),
    Mode((0, 30, 20), 26, (0, -3.0, 0), (-0.14, 0, 0)),
    Mode((0, 74, 0), 36, (0, -8.0, -2)),
    Mode((-50, 15, -10), 24, (-2.5, 2, 4.0)),
    Mode((0, -120, -10), 50, (0, -6.0, 5.0)),
)
_OLD = (
    Mode((0, -2, 30), 15, (0, 2.5, 1.0), (0.08, 0, 0)),
    Mode((-46, 52, -28), 16, (-1.0, 1.5, 0.8)),  # jowls
    Mode((-48, 0, -4), 18, (1.5, 0, -3.5)),
    Mode((-40, -42, -6), 9, (0, 1.0, 0)),
    Mode((-58, -51, -11), 11, (0, 4.0, 0)),  # the brows' outer ends
    Mode((-26, 29, 5), 9, (0, 1.5, -1)),
)
_REACHES = (7.0, 10.0, 14.0, 20.0)  # millimetres
_SIDEWAYS = ((30, 24.0, 1.0), (8, 40.0, 1.3), (51, 20.0, 0.9), (57, 20.0, 0.7))


@cache
def _pushes(modes: tuple[Mode, ...]) -> np.ndarray:
    """(modes, controls, 3)."""
    both_sides = np.array([-1.0, 1.0, 1.0])
    pushes = []
    for mode in modes:
        total = np.zeros_like(NEUTRAL)
        for side in (1.0, -1.0)[: 1 if mode.centre[0] == 0 else 2]:
            mirror = both_sides if side < 0 else np.ones(3)
            centre = np.array(mode.centre) * mirror
            move = np.array(mode.push) * mirror + (NEUTRAL - centre) * np.array(mode.stretch)
            total += near(tuple(centre.tolist()), mode.reach)[:, None] * move
        pushes.append(total)
    return np.stack(pushes)


def _moved(amounts: np.ndarray, modes: tuple[Mode, ...]) -> np.ndarray:
    return np.asarray((amounts[:, None, None] * _pushes(modes)).sum(axis=0))


def _own_features(rng: np.random.Generator) -> np.ndarray:
    """Moves of single features, so that the rest of a face does not tell where each of them is."""
    total = np.zeros_like(NEUTRAL)
    for _ in range(10):
        point, reach = int(rng.integers(COUNT)), float(rng.choice(_REACHES))
        push = 0.12 * reach * exact.normal(rng, size=3).clip(-2, 2)
        total += near(point, reach)[:, None] * push
        if rng.uniform() < 0.75:
            total += near(int(MIRROR[point]), reach)[:, None] * push * (-1, 1, 1)
    return total


def random_age(rng: np.random.Generator) -> float:
    """-1 is a small child, 0 anybody grown up and 1 very old."""
    kind, amount = rng.uniform(), rng.uniform(0.25, 1)
    return float(-amount if kind < 0.11 else amount if kind > 0.84 else 0)


def random_identity(rng: np.random.Generator, age: float) -> np.ndarray:
    """The control points of a random person."""
    spread = rng.uniform(0.6, 1.9)
    amounts = spread * exact.normal(rng, size=len(_MODES)).clip(-2, 2)
    person = NEUTRAL + _moved(amounts + [mode.mean for mode in _MODES], _MODES)
    person += spread * _own_features(rng)
    if age < 0:
        person += _moved(np.full(len(_CHILD), -age), _CHILD)
    elif age > 0:
        person += _moved(np.full(len(_OLD), age), _OLD)
    lips = spread * exact.normal(rng, 0, 1.5, 2) - 1.6 * max(age, 0)
    upper_lip, lower_lip = lips.clip((-3.2, -4), 4)
    person[49:54, 1] -= upper_lip * np.array([0.6, 1, 1, 1, 0.6])
    person[[50, 52], 1] -= 0.5 * exact.normal(rng)  # the bow
    person[55:60, 1] += lower_lip * np.array([0.6, 1, 1, 1, 0.6])
    person[49:60, 2] += 0.4 * (upper_lip + lower_lip)
    for point, reach, deviation in _SIDEWAYS:  # faces are not quite symmetric
        aside = deviation * exact.normal(rng).clip(-2.2, 2.2)
        person[:, 0] += aside * near(point, reach)
    for point, height in ((19, 0.8), (37, 0.5), (48, 0.7)):
        person[:, 1] += height * exact.normal(rng) * near(point, 14.0)
    sides = exact.normal(rng, 0, 0.012, 2)
    person[:, 1] += person[:, 0] * sides[0]
    person[:, 0] += person[:, 1] * sides[1]
    size = exact.normal(rng, 1, [0.055, 0.05, 0.04]).clip(0.87, 1.13)
    return np.asarray(person * size)


_MOODS = {
    "neutral": 0.31,
    "smile": 0.16,
    "beam": 0.20,  # a smile that shows the teeth
    "laugh": 0.11,
    "talk": 0.09,
    "shout": 0.03,
    "surprise": 0.015,
    "kiss": 0.02,
    "press": 0.03,
    "sad": 0.02,
    "disgust": 0.015,
}


def _mouth(mood: str, rng: np.random.Generator) -> dict[str, float]:
    """Arguments of `Expression`."""
    strong = float(rng.uniform(0.35, 1.0))
    slight = float(exact.normal(rng, 0.05, 0.2))
    if mood == "smile":
        return {"smile": strong, "apart": 0.0, "press": 0.3 * float(rng.uniform())}
    if mood == "beam":
        return {"smile": 0.3 + 0.8 * strong, "apart": float(rng.uniform(0.6, 2.2)), "press": 0.2}
    if mood == "laugh":
        return {
            "smile": 0.5 + 0.7 * strong,
            "apart": float(rng.uniform(1, 2.4)),
            "jaw_drop": float(rng.uniform(0.05, 0.55)),
            "press": float(rng.uniform(0, 0.4)),
        }
    if mood == "talk":
        return {
            "smile": slight,
            "apart": float(rng.uniform(0, 1.5)),
            "jaw_drop": float(rng.uniform(0.02, 0.4)),
            "pout": float(rng.uniform(-0.3, 0.7)),
        }
    if mood == "shout":
        return {
            "smile": float(rng.uniform(-0.5, 0.6)),
            "apart": float(rng.uniform(1, 2.4)),
            "jaw_drop": float(rng.uniform(0.75, 1.45)),
        }
    if mood == "surprise":
        return {"jaw_drop": float(rng.uniform(0.2, 1.1)), "pout": 0.5 * strong, "apart": 1.0}
    if mood == "kiss":
        return {"pout": 0.5 + 0.8 * strong, "apart": 0.4 * float(rng.uniform())}
    if mood == "press":
        return {"press": strong, "apart": 0.0, "smile": slight}
    if mood == "sad":
        return {"smile": -0.9 * strong, "apart": 0.3 * float(rng.uniform()), "pout": 0.2}
    if mood == "disgust":
        return {"smile": -0.4 * strong, "apart": float(rng.uniform(0, 2.5)), "press": 0.3}
    return {"smile": slight, "apart": float(rng.choice([0, 0, 0, rng.uniform(0, 1.0)]))}


def _lids(mood: str, rng: np.random.Generator) -> tuple[float, float]:
    if mood == "surprise":
        both = float(rng.uniform(-0.6, 0.0))
    elif mood in ("laugh", "disgust"):
        both = float(rng.uniform(0.1, 0.65))
    else:
        both = float(exact.normal(rng, 0.1, 0.15))
    kind = rng.uniform()
    if kind < 0.065:
        both = float(rng.uniform(0.9, 1.05))
    elif kind < 0.13:
        both = float(rng.uniform(0.35, 0.75))
    elif kind < 0.18:
        both = float(rng.uniform(-0.55, -0.2))
    other = both + float(exact.normal(rng, 0, 0.04))
    if rng.uniform() < 0.02:
        both = float(rng.uniform(0.85, 1.05))  # a wink
    return (both, other) if rng.uniform() < 0.5 else (other, both)


def random_expression(rng: np.random.Generator) -> Expression:
    mood = str(rng.choice(list(_MOODS), p=list(_MOODS.values())))
    mouth = _mouth(mood, rng)
    smile = mouth.pop("smile", 0.0)
    skew = float(exact.normal(rng, 0, 0.5 if rng.uniform() < 0.2 else 0.1))
    brows = float(exact.normal(rng, 0.05, 0.45)) + (0.9 if mood == "surprise" else 0.0)
    one_brow = float(exact.normal(rng, 0, 0.7 if rng.uniform() < 0.15 else 0.1))
    angry = 0.9 if mood in ("shout", "disgust") and rng.uniform() < 0.6 else -0.3
    squint = 0.9 if mood in ("laugh", "beam", "disgust") else 0.0
    teeth = rng.uniform(0, 1, 2)
    return Expression(
        **mouth,
        smiles=(smile - skew, smile + skew),
        brow_raises=(brows - one_brow, brows + one_brow),
        frown=max(0.0, float(exact.normal(rng, angry, 0.5))),
        lids=_lids(mood, rng),
        squint=squint * float(rng.uniform()),
        puff=float(rng.uniform(0, 1)) if rng.uniform() < 0.03 else 0.0,
        jaw_aside=float(exact.normal(rng, 0, 0.3)) if rng.uniform() < 0.9 else rng.uniform(-5, 5),
        sulk=float(rng.uniform()) if mood in ("sad", "surprise") else 0.0,
        teeth=(float(teeth[0] > 0.15), float(teeth[1] > (0.4 if mood == "shout" else 0.65))),
    )
