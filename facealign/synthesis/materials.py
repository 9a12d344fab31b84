"""Masks, shades and noise on the flat map of a head, with which its texture is painted."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from facealign.synthesis import exact, head

_HALF_MAP = 183.0  # millimetres of the face's middle that the map would show from -1 to 0
SHIFT = 4  # fractional bits of OpenCV's drawing coordinates


def on_texture(places: np.ndarray, size: int) -> np.ndarray:
    """Map coordinates [-1, 1] -> texture pixels."""
    return (places + 1) * (size / 2) - 0.5


def drawable(places: np.ndarray, size: int) -> np.ndarray:
    return np.rint(on_texture(places, size) * (1 << SHIFT)).astype(np.int32)


def smooth_curve(knots: np.ndarray, steps: int = 8) -> np.ndarray:
    """A Catmull-Rom curve through the knots (N, 2)."""
    ends = 2 * knots[[0, -1]] - knots[[1, -2]]
    p = np.concatenate([ends[:1], knots, ends[1:]])[:, None]
    t = (np.arange(steps) / steps)[None, :, None]
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.concatenate([curve.reshape(-1, 2), knots[-1:]])


def _curve(*indices: int) -> np.ndarray:
    return smooth_curve(head.CONTROLS_ON_MAP[list(indices)])


def _outline(upper: tuple[int, ...], lower: tuple[int, ...]) -> np.ndarray:
    return np.concatenate([_curve(*upper)[:-1], _curve(*lower)[:-1]])


EYES = ((36, 37, 38, 39, 40, 41), (45, 44, 43, 42, 47, 46))  # outer corner, upper lid, inner, lower
LIPS = _outline((48, 49, 50, 51, 52, 53, 54), (54, 55, 56, 57, 58, 59, 48))
MOUTH = _outline((60, 61, 62, 63, 64), (64, 65, 66, 67, 60))
# from left to right, of the upper and the lower lip
_OUTER_LIPS = ((48, 49, 50, 51, 52, 53, 54), (48, 59, 58, 57, 56, 55, 54))
_INNER_LIPS = ((48, 60, 61, 62, 63, 64, 54), (48, 60, 67, 66, 65, 64, 54))
EYELIDS = [_outline(eye[:4], (*eye[3:], eye[0])) for eye in EYES]


def _filled(outline: np.ndarray, size: int) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [drawable(outline, size)], 255, cv2.LINE_AA, SHIFT)
    return np.asarray(mask * np.float32(1 / 255))


def _stroked(curves: list[np.ndarray], size: int, thickness: float) -> np.ndarray:
    """Soft lines; `thickness` is a share of half the map's width."""
    mask = np.zeros((size, size), np.uint8)
    pixels = max(thickness * size / 2, 0.5)
    drawn = [drawable(curve, size) for curve in curves]
    cv2.polylines(mask, drawn, False, 255, max(1, round(pixels)), cv2.LINE_AA, SHIFT)
    return exact.blur(mask, 0.4 + 0.35 * pixels)


class Fields:
    """Masks and shades (size, size) on the map, the same for every head."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.places = exact.resize(head.layout_surface(), (size, size))
        x, y, z = np.moveaxis(self.places, -1, 0)
        across = np.abs(x)
        self.lips = exact.blur(_filled(LIPS, size), 0.004 * size)
        self.mouth = _filled(MOUTH, size)
        self.lips *= 1 - self.mouth
        self.upper_lip, self.lower_lip = self._lip_shares()
        self.eyes = np.maximum(_filled(EYELIDS[0], size), _filled(EYELIDS[1], size))
        upper_lids = [_curve(*eye[:4]) for eye in EYES]
        lower_lids = [_curve(*eye[3:], eye[0]) for eye in EYES]
        beyond = [np.array([[s * 39, -40.5, -5], [s * 43, -42, -6.5]]) for s in (-1, 1)]
        lashes = [*upper_lids, *(self._to_map(lashes) for lashes in beyond)]
        self.lashes = _stroked(lashes, size, 0.018)
        self.lower_lashes = _stroked(lower_lids, size, 0.006)
        self.creases = _stroked([lid - np.array([0, 0.026]) for lid in upper_lids], size, 0.012)
        self.liner = _stroked([lid - np.array([0, 0.007]) for lid in upper_lids], size, 0.03)
        self.parting_line = _stroked([_curve(*lip) for lip in _INNER_LIPS], size, 0.006)
        self.blush = self._spots((48, 2, -5), 19) + self._spots((0, -6, 36), 13)
        self.warm = self._spots((33, -33, 2), 15) + 0.8 * self.blush + self._spots((0, 72, 5), 14)
        self.nostrils = np.maximum(
            *(self._spots(at, 2.8) for at in ((5.8, 3.6, 27), (8.6, 2.8, 25.7)))
        )
        shade = 0.30 * self._spots((21, -36, 3), 7) + 0.34 * self._spots((18, -44, 5), 8)
        shade += 0.16 * self._spots((32, -47, 2), 13) + 0.12 * self._spots((30, -30, 2), 10)
        shade += 0.24 * self._spots((20, 4, 13), 6) + 0.15 * self._spots((0, 6.5, 25), 6)
        shade += 0.3 * self._spots((29, 31, 2), 4.5) + 0.2 * self._spots((0, 58, 14), 9)
        shade += 0.3 * np.clip((y - 75) / 40, 0, 1)
        self.shade = shade + 0.35 * self._under_lip(x)
        folds = [np.array([[s * 21, 0, 13], [s * 28, 14, 9], [s * 35, 32, 3]]) for s in (-1, 1)]
        self.folds = _stroked([self._to_map(f) for f in folds], size, 0.02)
        wings = [
            np.array([[s * 13, -10, 25], [s * 18.5, -5, 18], [s * 18, 2, 17], [s * 13, 5.5, 20]])
            for s in (-1, 1)
        ]
        self.wings = _stroked([self._to_map(w) for w in wings], size, 0.012)
        wrinkles = [
            np.array([[s, h + 4, 4], [s * 0.4, h, 10], [-s * 0.4, h, 10], [-s, h + 4, 4]])
            for s, h in ((40, -82), (36, -92), (32, -102))
        ]
        bags = [np.array([[s * 43, -29, -4], [s * 33, -25, 3], [s * 22, -29, 2]]) for s in (-1, 1)]
        self.wrinkles = _stroked([self._to_map(w) for w in wrinkles], size, 0.012)
        feet = [
            np.array([[s * 50, -38, -9], [s * 57, h, -15]])
            for s in (-1, 1)
            for h in (-46, -38, -30)
        ]
        frown = [np.array([[s * 4, -68, 14], [s * 3.5, -56, 16]]) for s in (-1, 1)]
        self.crows_feet = _stroked([self._to_map(w) for w in feet], size, 0.008)
        self.crows_feet += _stroked([self._to_map(w) for w in frown], size, 0.01)
        # what goes on beyond the corners of eyes and mouth: tear lakes, and folds
        lakes = [np.array([[s * 17, -37, 0.5], [s * 14.6, -36.5, 1]]) for s in (-1, 1)]
        ends = [np.array([[s * 39.5, -40.7, -5], [s * 47, -38, -9]]) for s in (-1, 1)]
        ends += [np.array([[s * 25.5, 29, 5], [s * 32.5, 32, 1]]) for s in (-1, 1)]
        self.tear_lakes = _stroked([self._to_map(lake) for lake in lakes], size, 0.014)
        self.folds_beyond = _stroked([self._to_map(end) for end in ends], size, 0.011)
        self.bags = _stroked([self._to_map(w) for w in bags], size, 0.012)
        self.sockets = self._spots((31, -32, 1), 9) + 0.8 * self._spots((24, -31, 2), 6)
        self.upper_lids = self._spots((32, -50, -1), 9)
        self.beard = np.clip((y - 6 - 0.25 * (60 - across)) / 18, 0, 1)
        self.beard *= np.clip((across - 24 + np.maximum(y - 30, 0) * 1.6) / 10, 0, 1)
        self.beard *= np.clip((105 - y) / 20, 0, 1) * np.clip((z + 66) / 12, 0, 1)
        lip_zone = np.clip((y - 5 - 0.12 * across) / 5, 0, 1) * np.clip((33 - across) / 8, 0, 1)
        self.moustache = lip_zone * np.clip((29 - y) / 4, 0, 1) * np.clip(z / 6, 0, 1)
        self.moustache = np.maximum(self.moustache, 0.7 * self._spots((31, 26, 2), 7))
        clear = (1 - self.lips) * (1 - self.mouth)
        self.over_lip = self.moustache * self.lips * (self.lower_lip == 0)
        self.beard, self.moustache = self.beard * clear, self.moustache * clear
        self.goatee = self.beard * np.clip((27 - across) / 8, 0, 1)
        self.strap = self.beard * np.clip(np.maximum((across - 42) / 8, (y - 66) / 8), 0, 1)
        top = -97 - y + 0.0115 * x * x
        self.below_temples = np.clip((y + 60) / 25, 0, 1)
        self.by_ears = self.below_temples * (z < -30)
        side = np.minimum(-48 - z, 34 - y) - 14 * self.below_temples
        self.hairline = np.maximum(top, side)
        self.temples = self._spots((42, -98, -8), 22)
        self.sides = np.clip((across - 42) / 16, 0, 1) * np.clip((62 - y) / 20, 0, 1)
        self.sides = self.sides * np.clip((-z - 2) / 12, 0, 1)
        # millimetres inside the edge of a hat, and of a scarf around the head
        self.hat = -82 - y + 0.12 * z + 0.004 * x * x
        self.scarf = (exact.hypot(x / 70, (y + 12) / np.where(y < -12, 84, 92)) - 1) * 70
        self.scarf = np.maximum(self.scarf, -52 - z)
        self.forehead = exact.exp(-np.square(x / 50)) * np.clip((z + 50) / 30, 0, 1)
        self.x, self.y = x, y
        ticks = on_texture_ticks(size)
        crown = np.array([0.0, -0.72])
        u, v = np.meshgrid(ticks - crown[0], ticks - crown[1])
        turn = (exact.arctan2(u, v) / (2 * np.pi) + 0.5) * (STRANDS.shape[1] - 1)
        reach = exact.hypot(u, v) * 9
        self.strand_x, self.strand_y = turn.astype(np.float32), reach.astype(np.float32)
        self.gloss = (
            0.25 + 0.9 * self._spots((0, -14, 34), 9) + 0.55 * self._spots((0, -80, 10), 28)
        )
        self.gloss += 0.35 * self._spots((46, -16, 2), 16) + 0.3 * self._spots((0, 64, 15), 12)
        self.slope_x, self.slope_y = self._slopes()
        self.gloss += 1.2 * exact.exp(-np.square((self.lower_lip - 0.5) / 0.2)) * self.lips
        self.gloss = self.gloss.astype(np.float32)

    def _lip_shares(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the upper and the lower lip: 0 at its outer edge, 1 where they meet; 0 elsewhere."""
        shares = []
        for outer, inner in zip(_OUTER_LIPS, _INNER_LIPS, strict=True):
            first, last = self._height_of(outer), self._height_of(inner)
            height = last - first
            height = np.where(np.abs(height) < 0.01, np.copysign(0.01, height), height)
            share = (on_texture_ticks(self.size)[:, None] - first) / height
            shares.append(np.where((share > 0) & (share < 1), share, 0) * (self.lips > 0))
        return shares[0], shares[1]

    def _height_of(self, points: tuple[int, ...]) -> np.ndarray:
        """(size,): the y of a curve on the map at each column."""
        curve = _curve(*points)
        return np.interp(on_texture_ticks(self.size), curve[:, 0], curve[:, 1])

    def _under_lip(self, x: np.ndarray) -> np.ndarray:
        """The shadow of the lower lip, which begins at its edge."""
        below = _HALF_MAP * (on_texture_ticks(self.size)[:, None] - self._height_of(_OUTER_LIPS[1]))
        begin = head.smooth_step(-1, 1, below) * exact.exp(-np.square((below - 1) / 4))
        return begin * (1 - np.square(x / 20)).clip(0, 1)

    def _slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """Of shapes too small for the control points: lips, wings of the nose, philtrum, folds."""
        x, y = self.x, self.y
        upper, lower = self.upper_lip, self.lower_lip
        height = 1.4 * head.smooth_step(0, 0.35, upper) - 3.0 * head.smooth_step(0.3, 1, upper)
        height += 3.0 * (head.smooth_step(0, 0.5, lower) - head.smooth_step(0.55, 1, lower))
        height *= (1 - np.square(x / 27)).clip(0, 1)
        height -= 1.2 * exact.exp(-np.square(x / 3.2)) * exact.exp(-np.square((y - 14) / 6))
        height += 2.2 * self._spots((15.5, -3.0, 20.0), 5.0) - 1.4 * self.wings
        height -= 0.7 * self.creases + 0.4 * self.bags + 0.3 * self.folds
        height = exact.blur(height.astype(np.float32), 0.004 * self.size, 8)
        down, right = np.gradient(height, 2 * _HALF_MAP / self.size)
        return np.asarray(right, np.float32), np.asarray(down, np.float32)

    def _spots(self, centre: tuple[float, float, float], reach: float) -> np.ndarray:
        """Soft spots on both sides of the face; in millimetres on the head LAYOUT."""
        x, y, z = centre
        aside = np.minimum(np.square(self.places[..., 0] - x), np.square(self.places[..., 0] + x))
        squares = aside + np.square(self.places[..., 1] - y) + np.square(self.places[..., 2] - z)
        return exact.exp(-squares / np.float32(reach * reach)).astype(np.float32)

    @staticmethod
    def _to_map(places: np.ndarray) -> np.ndarray:
        return smooth_curve(head.to_map(places))


def on_texture_ticks(size: int) -> np.ndarray:
    return (np.arange(size) + 0.5) * 2 / size - 1


_noise_source = np.random.default_rng(68)
STRANDS = _noise_source.uniform(0, 1, (24, 1400)).astype(np.float32)
_NOISE = exact.normal(_noise_source, size=(1024, 1024)).astype(np.float32)


@cache
def fields(size: int) -> Fields:
    return Fields(size)


def noise(
    rng: np.random.Generator,
    size: int,
    cell: float,
    window: tuple[slice, slice] = exact.WHOLE,
) -> np.ndarray:
    """Smooth noise of about unit variance, with features of `cell` pixels, in a window."""
    count = max(int(size / cell) + 2, 3)
    y, x = rng.integers(0, 1024 - min(count, 1000), 2)
    patch = _NOISE[y : y + count, x : x + count]
    return exact.resize(patch, (size, size), cubic=True, window=window)
