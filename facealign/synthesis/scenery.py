"""Objects that hide a part of the face."""

from __future__ import annotations

import cv2
import numpy as np

from facealign.synthesis import exact
from facealign.synthesis.backdrop import related_colours
from facealign.synthesis.look import Look, linear
from facealign.synthesis.materials import noise

_SHIFT = 4


def _fixed(places: np.ndarray) -> np.ndarray:
    return np.rint(places * (1 << _SHIFT)).astype(np.int32)


def _lay_over(colour: np.ndarray, mask: np.ndarray, paint: np.ndarray, soft: float) -> None:
    """Paint a rounded, shaded shape and its shadow."""
    margin = int(18 * soft) + 2
    left, top, width, height = cv2.boundingRect(mask)
    window = (
        slice(max(top - margin, 0), top + height + margin),
        slice(max(left - margin, 0), left + width + margin),
    )
    colour = colour[window]
    cover = mask[window]
    shade = exact.blur(cover, 6 * soft)
    colour *= (1 - 0.35 * shade)[..., None]
    volume = 0.55 + 0.5 * exact.blur(cover, 2.5 * soft)
    edge = exact.blur(cover, 0.7)[..., None]
    if paint.ndim == 3:
        paint = paint[window]
    colour += (paint * volume[..., None] - colour) * edge


def _hand(colour: np.ndarray, at: np.ndarray, unit: float, skin: np.ndarray, angle: float) -> None:
    mask = np.zeros(colour.shape[:2], np.uint8)
    along, aside = (
        np.array([exact.cos(angle), exact.sin(angle)]),
        np.array([-exact.sin(angle), exact.cos(angle)]),
    )
    palm = at - along * unit * 0.45
    for finger, length in zip((-1.5, -0.5, 0.5, 1.5), (0.36, 0.46, 0.44, 0.34), strict=True):
        one = np.zeros_like(mask)
        root = palm + aside * finger * unit * 0.115
        tip = root + along * unit * length + aside * finger * unit * 0.03
        cv2.polylines(
            one,
            [_fixed(np.array([root, tip]))],
            False,
            255,
            max(2, int(unit * 0.115)),
            cv2.LINE_AA,
            _SHIFT,
        )
        _lay_over(colour, one, skin, unit * 0.012 + 0.5)
    back = palm - along * unit * 0.8
    cv2.polylines(
        mask,
        [_fixed(np.array([palm - along * unit * 0.1, back]))],
        False,
        255,
        int(unit * 0.42),
        cv2.LINE_AA,
        _SHIFT,
    )
    _lay_over(colour, mask, skin, unit * 0.03 + 0.5)


def _outline(kind: str, marks: np.ndarray, unit: float, rng: np.random.Generator) -> np.ndarray:
    """Of a cup at the mouth, a phone at a cheek, or the shoulder or head of somebody in front."""
    down = (marks[8] - marks[27]) / exact.norm(marks[8] - marks[27])
    aside = np.array([-down[1], down[0]]) * rng.choice([-1, 1])
    if kind == "shoulder":
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        circle = np.stack([exact.cos(angle), exact.sin(angle)], axis=1)
        reach = rng.uniform(0.5, 0.9)
        away = aside * rng.uniform(-0.6, 0.9) + down * rng.uniform(0.5, 1.0)
        away = away / exact.norm(away) * (reach + rng.uniform(0.12, 0.4)) * unit
        return np.asarray(marks[33] + away + circle * (reach * unit))
    if kind == "cup":
        at, box = marks[66] - down * unit * 0.02, np.array([[-0.17, 0], [0.17, 0], [0.13, 0.42]])
        box = np.concatenate([box, [[-0.13, 0.42]]]) * rng.uniform(0.8, 1.2)
    else:
        at = marks[int(rng.choice([2, 4, 12, 14]))] + (marks[30] - marks[8]) * rng.uniform(0, 0.3)
        box = np.array([[-0.16, -0.34], [0.16, -0.34], [0.16, 0.34], [-0.16, 0.34]])
    tilt = rng.uniform(-0.5, 0.5)
    aside, down = (
        aside * float(exact.cos(tilt)) + down * float(exact.sin(tilt)),
        down * float(exact.cos(tilt)) - aside * float(exact.sin(tilt)),
    )
    return np.asarray(at + unit * (box[:, :1] * aside + box[:, 1:] * down))


def _hold(colour: np.ndarray, outline: np.ndarray, unit: float, rng: np.random.Generator) -> None:
    mask = np.zeros(colour.shape[:2], np.uint8)
    cv2.fillPoly(mask, [_fixed(outline)], 255, cv2.LINE_AA, _SHIFT)
    side = max(colour.shape[:2])
    folds = 1 + rng.uniform(0, 0.12) * noise(rng, side, unit / 6)
    folds = folds[: colour.shape[0], : colour.shape[1], None]
    _lay_over(colour, mask, related_colours(rng, 1)[0] * folds, unit * rng.uniform(0.01, 0.05))


def occlude(colour: np.ndarray, marks: np.ndarray, look: Look, rng: np.random.Generator) -> None:
    """Hide a small part of the face behind a hand, a microphone, a scarf or hair."""
    unit = float(exact.norm(np.stack([marks[16] - marks[0], marks[27] - marks[8]])).max())
    kind = rng.choice(["hand", "microphone", "scarf", "strands", "cup", "phone", "shoulder"])
    if kind == "hand":
        side = int(rng.choice([3, 4, 12, 13]))
        at = marks[side] + (marks[30] - marks[side]) * 0.12
        inward = marks[30] - marks[side]
        angle = float(exact.arctan2(inward[1], inward[0]) - np.sign(inward[0]) * 0.7)
        _hand(colour, at, unit, look.skin * 0.95, angle)
    elif kind == "microphone":
        at = (
            marks[8]
            + (marks[57] - marks[8]) * rng.uniform(0.1, 0.5)
            + exact.normal(rng, 0, 0.06, 2) * unit
        )
        mask = np.zeros(colour.shape[:2], np.uint8)
        foot = at + np.array([rng.uniform(-0.5, 0.5), 1.2]) * unit
        cv2.polylines(
            mask,
            [_fixed(np.array([at, foot]))],
            False,
            255,
            max(2, int(unit * 0.07)),
            cv2.LINE_AA,
            _SHIFT,
        )
        _lay_over(colour, mask, linear(40, 40, 44), unit * 0.02)
        mask[:] = 0
        cv2.circle(
            mask, _fixed(at).tolist(), int(unit * 0.1 * (1 << _SHIFT)), 255, -1, cv2.LINE_AA, _SHIFT
        )
        _lay_over(colour, mask, linear(70, 70, 76), unit * 0.03)
    elif kind in ("cup", "phone", "shoulder"):
        _hold(colour, _outline(str(kind), marks, unit, rng), unit, rng)
        if kind != "shoulder" and rng.uniform() < 0.6:
            side = int(rng.choice([5, 11]))
            inward = marks[8] - marks[side] + (marks[57] - marks[8]) * 0.5
            angle = float(exact.arctan2(inward[1], inward[0]))
            _hand(colour, marks[side] + inward * 0.4, unit * 0.9, look.skin, angle)
    elif kind == "scarf":
        lower = marks[3:14]
        middle = marks[57] + (marks[8] - marks[57]) * rng.uniform(0.3, 0.7)
        top = np.array([marks[3], (marks[3] + middle) / 2 + (marks[8] - marks[27]) * 0.05, middle])
        other = np.array([(marks[13] + middle) / 2 + (marks[8] - marks[27]) * 0.05, marks[13]])
        drop = (marks[8] - marks[27]) * 0.45
        outline = np.concatenate([top, other, lower[::-1] * 1.0 + drop])
        mask = np.zeros(colour.shape[:2], np.uint8)
        cv2.fillPoly(mask, [_fixed(outline)], 255, cv2.LINE_AA, _SHIFT)
        side = max(colour.shape[:2])
        weave = 1 + 0.15 * noise(rng, side, unit / 9) + 0.08 * noise(rng, side, 2)
        weave = weave[: colour.shape[0], : colour.shape[1], None]
        _lay_over(colour, mask, related_colours(rng, 1)[0] * weave, unit * 0.04)
    else:
        root = marks[[18, 25][int(rng.integers(2))]] - (marks[8] - marks[27]) * 0.75
        mask = np.zeros(colour.shape[:2], np.uint8)
        for _ in range(26):
            sway = (
                exact.normal(rng, 0, 0.13, (4, 2)) * unit * np.array([[0.3], [0.6], [0.8], [1.2]])
            )
            fall = (marks[8] - marks[27]) * np.array([[0.0], [0.4], [0.8], [1.3]])
            curve = (
                root
                + fall
                + sway
                + (root - marks[27]) * (1, 0) * np.array([[0], [0.3], [0.5], [0.5]])
            )
            cv2.polylines(mask, [_fixed(curve)], False, 255, 1, cv2.LINE_AA, _SHIFT)
        _lay_over(colour, mask, look.hair, 0.6)


def cover_face(colour: np.ndarray, marks: np.ndarray, rng: np.random.Generator) -> None:
    """Hide nearly all of the face behind a board or a cloth."""
    middle = marks.mean(axis=0)
    reach = np.abs(marks - middle).max(axis=0) * np.array([1.35, 1.5])
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    waves = np.stack([exact.cos(angle), exact.sin(angle)], axis=1)
    box = np.sign(waves) * exact.power(np.abs(waves), 0.4)
    mask = np.zeros(colour.shape[:2], np.uint8)
    cv2.fillPoly(
        mask, [_fixed(middle + box * reach - (0, reach[1] * 0.15))], 255, cv2.LINE_AA, _SHIFT
    )
    side = max(colour.shape[:2])
    folds = (1 + 0.08 * noise(rng, side, 40))[: colour.shape[0], : colour.shape[1], None]
    _lay_over(colour, mask, related_colours(rng, 1)[0] * folds, 3)
