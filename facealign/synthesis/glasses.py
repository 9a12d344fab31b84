"""Glasses: frames, lenses and what they reflect."""

from __future__ import annotations

import cv2
import numpy as np

from facealign.synthesis import exact
from facealign.synthesis.look import linear
from facealign.synthesis.render import Camera, Canvas

_SHIFT = 5
_FRAMES = ((20, 18, 18), (60, 34, 22), (120, 120, 126), (150, 110, 50), (90, 20, 26))


def _rims(controls: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    square = rng.uniform(2.0, 4.0)
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    cos, sin = exact.cos(angle), exact.sin(angle)
    half_width, half_height = rng.uniform(20, 29), rng.uniform(12, 25)
    bridge_z = float(controls[27, 2]) + 5
    slip = rng.uniform(0, 7)
    rims = []
    for eye, outwards in ((slice(36, 42), -1), (slice(42, 48), 1)):
        middle = controls[eye].mean(axis=0)
        x = np.sign(cos) * exact.power(np.abs(cos), 2 / square) * half_width
        x = x + middle[0] + outwards * max(half_width - 23.0, 0) + outwards * 1.5
        y = np.sign(sin) * exact.power(np.abs(sin), 2 / square) * half_height
        y = y + middle[1] + slip
        rims.append(np.stack([x, y, bridge_z - 0.0045 * x * x], axis=-1))
    return rims


def _reflect(canvas: Canvas, lens: list[np.ndarray], rng: np.random.Generator) -> None:
    """A window, or the light of a lamp, on both lenses."""
    mask = np.zeros(canvas.colour.shape[:2], np.uint8)
    cv2.fillPoly(mask, lens, 255, cv2.LINE_AA, _SHIFT)
    pane = np.zeros_like(mask)
    shape = rng.uniform(-0.9, 0.9, (4, 2)) if rng.uniform() < 0.5 else None
    offset, size = rng.uniform(-0.5, 0.5, 2), rng.uniform(0.15, 0.6, 2)
    for rim in lens:
        low, high = rim.min(axis=0), rim.max(axis=0)
        middle, half = (low + high) / 2, (high - low) / 2
        box = offset + size * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        corners = box if shape is None else shape
        cv2.fillPoly(
            pane, [np.rint(middle + corners * half).astype(np.int32)], 255, cv2.LINE_AA, _SHIFT
        )
    share = np.minimum(mask, pane) * np.float32(rng.uniform(0.1, 0.75) / 255)
    glow = rng.uniform(0.5, 1.3, 3).astype(np.float32)
    canvas.colour += (glow - canvas.colour) * share[..., None]


def draw(
    kind: str,
    controls: np.ndarray,
    yaw: float,
    turn: np.ndarray,
    view: tuple[Canvas, Camera],
    rng: np.random.Generator,
) -> None:
    """`kind` is "clear" or "sun"."""
    canvas, camera = view
    colour = linear(*rng.choice(_FRAMES))
    if rng.uniform() < 0.15:
        colour = np.square(rng.uniform(0, 1, 3)).astype(np.float32)
    thick = max(1, round(camera.scale * float(np.square(rng.uniform(0.75, 2.1)))))
    rims = _rims(controls, rng)

    def to_pixels(places: np.ndarray) -> np.ndarray:
        flat = camera(exact.transform(places, turn.T))[..., :2]
        return np.rint(flat * (1 << _SHIFT)).astype(np.int32)

    lens = [to_pixels(rim) for rim in rims]
    overlay = canvas.colour.copy()
    if kind == "sun":
        tint = rng.uniform(0.005, 0.06, 3)
        cv2.fillPoly(overlay, lens, tint.tolist(), cv2.LINE_AA, _SHIFT)
        canvas.colour += (overlay - canvas.colour) * np.float32(rng.uniform(0.7, 0.98))
    else:
        cv2.fillPoly(overlay, lens, (0.55, 0.58, 0.62), cv2.LINE_AA, _SHIFT)
        canvas.colour += (overlay - canvas.colour) * np.float32(rng.uniform(0.02, 0.12))
    if rng.uniform() < 0.4:
        _reflect(canvas, lens, rng)

    def stroke(path: np.ndarray, closed: bool = False) -> None:
        tone = (colour * 0.9).tolist()
        cv2.polylines(canvas.colour, [path], closed, tone, thick, cv2.LINE_AA, _SHIFT)

    half = rng.uniform() < 0.15  # only the upper half of the lenses has a rim
    for rim in lens:
        if half:
            stroke(np.concatenate([rim[24:], rim[:1]]))
        else:
            stroke(rim, closed=True)
    inner = [rims[0][np.argmax(rims[0][:, 0])], rims[1][np.argmin(rims[1][:, 0])]]
    stroke(to_pixels(np.array([inner[0], (inner[0] + inner[1]) / 2 + (0, -3, 3), inner[1]])))
    for rim, side in ((rims[0], -1), (rims[1], 1)):
        if side * yaw > 12:
            continue  # the cheek hides this arm
        hinge = rim[np.argmax(side * rim[:, 0])] + (0, -4, 0)
        stroke(to_pixels(np.stack([hinge, (side * 78, hinge[1] - 2, -58)])))
