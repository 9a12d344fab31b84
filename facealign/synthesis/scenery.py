"""Backgrounds, and objects that hide a part of the face."""

from __future__ import annotations

import cv2
import numpy as np

from facealign.synthesis import exact
from facealign.synthesis.look import Look, linear
from facealign.synthesis.materials import noise

_SHIFT = 4


def _colours(rng: np.random.Generator, count: int) -> np.ndarray:
    """Related linear colours, some pale and some dark."""
    base = rng.uniform(0.1, 0.75) + exact.normal(rng, 0, 0.09, 3)
    others = base + exact.normal(rng, 0, 0.17, (count, 1))
    others += exact.normal(rng, 0, 0.08, (count, 3))
    others = np.clip(others, 0.03, 0.95)
    return np.square(others * rng.uniform(0.5, 1.1)).astype(np.float32)


def _fixed(places: np.ndarray) -> np.ndarray:
    return np.rint(places * (1 << _SHIFT)).astype(np.int32)


def background(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """(height, width, 3); mostly out of focus, so it is painted small and enlarged."""
    small_w, small_h = max(width // 3, 8), max(height // 3, 8)
    palette = _colours(rng, 8)
    down = np.linspace(0, 1, small_h, dtype=np.float32)[:, None, None]
    across = np.linspace(0, 1, small_w, dtype=np.float32)[None, :, None]
    slant = np.float32(rng.uniform(0, 1))
    image = palette[0] + (palette[1] - palette[0]) * (down * slant + across * (1 - slant))
    image = np.ascontiguousarray(image)
    kind = rng.choice(["blobs", "bokeh", "shelves", "foliage", "wall", "street"])
    if kind in ("blobs", "bokeh"):
        for _ in range(int(rng.integers(10, 36))):
            centre = (int(rng.integers(0, small_w)), int(rng.integers(0, small_h)))
            colour = palette[rng.integers(2, 8)] * (1.6 if kind == "bokeh" else 1)
            radius = int(rng.integers(3, 30 if kind == "blobs" else 11))
            if kind == "bokeh":
                disc = image.copy()
                cv2.circle(disc, centre, radius, colour.tolist(), -1, cv2.LINE_AA)
                image = image * 0.45 + disc * 0.55
            else:
                cv2.circle(image, centre, radius, colour.tolist(), -1, cv2.LINE_AA)
    elif kind in ("shelves", "street"):
        x = 0
        while x < small_w:
            step = int(rng.integers(3, 22))
            top = int(rng.uniform(0, 0.7 if kind == "street" else 0.2) * small_h)
            colour = palette[rng.integers(1, 8)] * rng.uniform(0.5, 1.3)
            cv2.rectangle(image, (x, top), (x + step, small_h), colour.tolist(), -1)
            if kind == "street":
                for y in range(top + 4, small_h, 9):
                    pane = (colour * rng.uniform(0.3, 2.2)).clip(0, 1).tolist()
                    cv2.rectangle(image, (x + 2, y), (x + max(step - 3, 3), y + 4), pane, -1)
            x += step + int(rng.integers(0, 3))
        if kind == "shelves":
            for y in range(int(rng.integers(8, 40)), small_h, int(rng.integers(24, 60))):
                cv2.line(image, (0, y), (small_w, y), (palette[1] * 0.4).tolist(), 3)
    elif kind == "foliage":
        side = max(small_w, small_h)
        leaves = noise(rng, side, 5) + 0.6 * noise(rng, side, 2) + noise(rng, side, 22)
        green = np.array([rng.uniform(0.08, 0.3), 0.32, rng.uniform(0.03, 0.12)], np.float32)
        light = np.clip(0.45 + 0.3 * leaves[:small_h, :small_w], 0.05, 2)
        image = image * 0.25 + green * light[..., None]
    else:
        side = max(small_w, small_h)
        image *= (1 + 0.1 * noise(rng, side, 3) + 0.12 * noise(rng, side, 30))[
            :small_h, :small_w, None
        ]
        corner = int(rng.uniform(-0.5, 1) * small_w)
        image[:, max(corner, 0) :] *= np.float32(rng.uniform(0.6, 0.95))
        if rng.uniform() < 0.5:
            x, y = int(rng.integers(0, small_w)), int(rng.integers(0, small_h // 2 + 1))
            cv2.rectangle(image, (x, y), (x + 40, y + 30), palette[2].tolist(), -1)
            cv2.rectangle(image, (x, y), (x + 40, y + 30), palette[3].tolist(), 2)
    image = exact.blur(image, float(rng.uniform(0.5, 4)), 2)
    return exact.resize(image.clip(0, 1), (width, height))


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


def occlude(colour: np.ndarray, marks: np.ndarray, look: Look, rng: np.random.Generator) -> None:
    """Hide a small part of the face behind a hand, a microphone, a scarf or hair."""
    unit = float(exact.norm(np.stack([marks[16] - marks[0], marks[27] - marks[8]])).max())
    kind = rng.choice(["hand", "microphone", "scarf", "strands"])
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
        _lay_over(colour, mask, _colours(rng, 1)[0] * weave, unit * 0.04)
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
    _lay_over(colour, mask, _colours(rng, 1)[0] * folds, 3)
