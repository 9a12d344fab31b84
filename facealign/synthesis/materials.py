"""The texture of a head: skin, eyes, lips, brows, beard and hair, painted on the flat map."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from facealign.synthesis import exact, head
from facealign.synthesis.look import Look, linear

_SHIFT = 4  # fractional bits of OpenCV's drawing coordinates


def on_texture(places: np.ndarray, size: int) -> np.ndarray:
    """Map coordinates [-1, 1] -> texture pixels."""
    return (places + 1) * (size / 2) - 0.5


def _drawable(places: np.ndarray, size: int) -> np.ndarray:
    return np.rint(on_texture(places, size) * (1 << _SHIFT)).astype(np.int32)


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
_LIPS = _outline((48, 49, 50, 51, 52, 53, 54), (54, 55, 56, 57, 58, 59, 48))
_MOUTH = _outline((60, 61, 62, 63, 64), (64, 65, 66, 67, 60))
_EYELIDS = [_outline(eye[:4], (*eye[3:], eye[0])) for eye in EYES]


def _filled(outline: np.ndarray, size: int) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [_drawable(outline, size)], 255, cv2.LINE_AA, _SHIFT)
    return np.asarray(mask * np.float32(1 / 255))


def _stroked(curves: list[np.ndarray], size: int, thickness: float) -> np.ndarray:
    """Soft lines; `thickness` is a share of half the map's width."""
    mask = np.zeros((size, size), np.uint8)
    pixels = max(thickness * size / 2, 0.5)
    drawn = [_drawable(curve, size) for curve in curves]
    cv2.polylines(mask, drawn, False, 255, max(1, round(pixels)), cv2.LINE_AA, _SHIFT)
    return exact.blur(mask, 0.4 + 0.35 * pixels)


class Fields:
    """Masks and shades (size, size) on the map, the same for every head."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.places = exact.resize(head.layout_surface(), (size, size))
        x, y, z = np.moveaxis(self.places, -1, 0)
        across = np.abs(x)
        self.lips = exact.blur(_filled(_LIPS, size), 0.004 * size)
        self.mouth = _filled(_MOUTH, size)
        self.lips *= 1 - self.mouth
        self.eyes = np.maximum(_filled(_EYELIDS[0], size), _filled(_EYELIDS[1], size))
        upper_lids = [_curve(*eye[:4]) for eye in EYES]
        lower_lids = [_curve(*eye[3:], eye[0]) for eye in EYES]
        self.lashes = _stroked(upper_lids, size, 0.010)
        self.lower_lashes = _stroked(lower_lids, size, 0.006)
        self.creases = _stroked([lid - np.array([0, 0.026]) for lid in upper_lids], size, 0.012)
        self.liner = _stroked([lid - np.array([0, 0.007]) for lid in upper_lids], size, 0.03)
        self.parting_line = _stroked([_curve(60, 61, 62, 63, 64)], size, 0.006)
        self.blush = self._spots((48, 2, -5), 19) + self._spots((0, -6, 36), 13)
        self.warm = self._spots((33, -33, 2), 15) + 0.8 * self.blush + self._spots((0, 72, 5), 14)
        self.nostrils = self._spots((7.2, 3.2, 26.5), 3.0)
        shade = 0.30 * self._spots((21, -36, 3), 7) + 0.34 * self._spots((18, -44, 5), 8)
        shade += 0.16 * self._spots((32, -47, 2), 13) + 0.12 * self._spots((30, -30, 2), 10)
        shade += 0.24 * self._spots((20, 4, 13), 6) + 0.3 * self._spots((0, 6.5, 25), 6)
        shade += 0.3 * self._spots((29, 31, 2), 4.5) + 0.2 * self._spots((0, 58, 14), 9)
        shade += 0.3 * np.clip((y - 75) / 40, 0, 1)
        self.shade = 1 - shade
        folds = [np.array([[s * 21, 0, 13], [s * 28, 14, 9], [s * 35, 32, 3]]) for s in (-1, 1)]
        self.folds = _stroked([self._to_map(f) for f in folds], size, 0.02)
        wrinkles = [
            np.array([[s, h + 4, 4], [s * 0.4, h, 10], [-s * 0.4, h, 10], [-s, h + 4, 4]])
            for s, h in ((40, -82), (36, -92), (32, -102))
        ]
        bags = [np.array([[s * 43, -29, -4], [s * 33, -25, 3], [s * 22, -29, 2]]) for s in (-1, 1)]
        self.wrinkles = _stroked([self._to_map(w) for w in wrinkles + bags], size, 0.012)
        self.beard = np.clip((y - 6 - 0.25 * (60 - across)) / 18, 0, 1)
        self.beard *= np.clip((across - 24 + np.maximum(y - 30, 0) * 1.6) / 10, 0, 1)
        self.beard *= np.clip((105 - y) / 20, 0, 1) * np.clip((z + 66) / 12, 0, 1)
        lip_zone = exact.exp(-np.square((y - 12.5) / 6)) * np.clip((33 - across) / 8, 0, 1)
        self.moustache = lip_zone * np.clip(z / 6, 0, 1)
        self.moustache = np.maximum(self.moustache, 0.7 * self._spots((31, 26, 2), 7))
        clear = (1 - self.lips) * (1 - self.mouth)
        self.beard, self.moustache = self.beard * clear, self.moustache * clear
        top = -97 - y + 0.0115 * x * x
        side = np.minimum(-48 - z, 34 - y) - 14 * np.clip((y + 30) / 20, 0, 1)
        self.hairline = np.maximum(top, side)
        self.temples = self._spots((42, -98, -8), 22)
        self.forehead = exact.exp(-np.square(x / 50)) * np.clip((z + 50) / 30, 0, 1)
        self.x, self.y = x, y
        ticks = on_texture_ticks(size)
        crown = np.array([0.0, -0.72])
        u, v = np.meshgrid(ticks - crown[0], ticks - crown[1])
        turn = (exact.arctan2(u, v) / (2 * np.pi) + 0.5) * (_STRANDS.shape[1] - 1)
        reach = exact.hypot(u, v) * 9
        self.strand_x, self.strand_y = turn.astype(np.float32), reach.astype(np.float32)
        self.gloss = (
            0.25 + 0.9 * self._spots((0, -14, 34), 9) + 0.55 * self._spots((0, -80, 10), 28)
        )
        self.gloss += 0.35 * self._spots((46, -16, 2), 16) + 0.3 * self._spots((0, 64, 15), 12)
        self.gloss = self.gloss.astype(np.float32)

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
_STRANDS = _noise_source.uniform(0, 1, (24, 1400)).astype(np.float32)
_NOISE = exact.normal(_noise_source, size=(1024, 1024)).astype(np.float32)


@cache
def fields(size: int) -> Fields:
    return Fields(size)


def noise(rng: np.random.Generator, size: int, cell: float) -> np.ndarray:
    """Smooth noise of about unit variance, with features of `cell` pixels."""
    count = max(int(size / cell) + 2, 3)
    y, x = rng.integers(0, 1024 - min(count, 1000), 2)
    patch = _NOISE[y : y + count, x : x + count]
    return exact.resize(patch, (size, size), cubic=True)


def _blend(texture: np.ndarray, colour: np.ndarray, mask: np.ndarray) -> None:
    texture += (colour - texture) * mask[..., None]


def _blend_face(texture: np.ndarray, colour: np.ndarray, mask: np.ndarray) -> None:
    """`_blend` in the centre of the map only, where masks of the face are not 0."""
    size = texture.shape[0]
    window = slice(size * 3 // 16, size * 13 // 16)
    _blend(texture[window, window], colour, mask[window, window])


def _window(outline: np.ndarray, size: int, margin: int) -> tuple[slice, slice]:
    low = np.floor(on_texture(outline.min(axis=0), size)).astype(int) - margin
    high = np.ceil(on_texture(outline.max(axis=0), size)).astype(int) + margin + 1
    return slice(low[1], high[1]), slice(low[0], high[0])


def _paint_eye(
    texture: np.ndarray,
    side: int,
    controls: np.ndarray,
    look: Look,
    gaze: np.ndarray,
    glint: np.ndarray,
) -> None:
    size = texture.shape[0]
    eye = list(EYES[side])
    window = _window(_EYELIDS[side], size, 3)
    patch = texture[window]
    mask = fields(size).eyes[window][..., None]
    ticks = on_texture_ticks(size)
    x, y = np.meshgrid(ticks[window[1]], ticks[window[0]])
    corners, corners_on_map = controls[eye], head.CONTROLS_ON_MAP[eye]
    width, width_on_map = (exact.norm(c[3] - c[0]) for c in (corners, corners_on_map))
    lids, lids_on_map = ((c[[4, 5]] - c[[1, 2]]).mean(axis=0) for c in (corners, corners_on_map))
    gap = max(float(exact.norm(lids)), 0.8)
    middle = (corners_on_map[0] + corners_on_map[3]) / 2
    bottom = corners_on_map[[4, 5]].mean(axis=0)
    down_per_mm = lids_on_map[1] / gap
    mm_x = (x - middle[0]) / (width_on_map / width) - gaze[0]
    mm_y = (y - bottom[1]) / down_per_mm + 4.6 - gaze[1]
    radius = exact.hypot(mm_x, mm_y)
    soft = 0.9 * max(2 / size / (width_on_map / width), 0.25)

    def disc(r: float) -> np.ndarray:
        return np.clip((r - radius) / soft + 0.5, 0, 1)[..., None]

    aside = np.abs(x - middle[0]) / width_on_map
    sclera = linear(206, 199, 196) * (1 - 0.55 * np.square(aside * 1.9))[..., None].astype(
        np.float32
    )
    angle = exact.arctan2(mm_y, mm_x)
    fibres = 1 + 0.22 * exact.sin(angle * 17 + 3 * exact.sin(angle * 5))
    fibres += 0.5 * np.clip(mm_y / 6, -0.5, 0.8)
    iris = look.iris * (fibres * np.clip(1.5 - 0.5 * radius / 5.9, 0, 2))[..., None]
    ball = sclera + (look.iris * 0.22 - sclera) * disc(6.2)
    ball = ball + (iris - ball) * disc(5.3)
    ball = ball + (0.002 - ball) * disc(2.4)
    lid_shadow = np.clip(
        (y - corners_on_map[[1, 2], 1].mean()) / max(down_per_mm * 3.2, 1e-6), 0, 1
    )
    ball = ball * (0.42 + 0.58 * lid_shadow)[..., None]
    spark = exact.hypot(mm_x - 2.4 * glint[0], mm_y - 2.4 * glint[1])
    ball = ball + np.clip((1.1 - spark) / soft + 0.3, 0, 1)[..., None] * 0.95
    shut = float(np.clip(1 - (gap - 1.6) / 2.2, 0, 1))  # 1 when lids and lashes meet
    ball = ball + (0.45 * look.skin - ball) * shut
    patch += (ball.astype(np.float32) - patch) * mask


def _paint_mouth(
    texture: np.ndarray,
    controls: np.ndarray,
    teeth: tuple[float, float],
    rng: np.random.Generator,
) -> None:
    size = texture.shape[0]
    window = _window(_MOUTH, size, 2)
    patch = texture[window]
    mask = fields(size).mouth[window][..., None]
    ticks = on_texture_ticks(size)
    x, y = np.meshgrid(ticks[window[1]], ticks[window[0]])
    gap = exact.norm(controls[66] - controls[62])
    upper, lower = (
        smooth_curve(head.CONTROLS_ON_MAP[60:65]),
        smooth_curve(head.CONTROLS_ON_MAP[[60, 67, 66, 65, 64]]),
    )
    roof = np.interp(ticks[window[1]], upper[:, 0], upper[:, 1])
    floor = np.interp(ticks[window[1]], lower[:, 0], lower[:, 1])
    down_mm = (y - roof) / np.maximum(floor - roof, 1e-6) * gap
    centre_to_corner = np.abs(x) / abs(head.CONTROLS_ON_MAP[60, 0])
    cavity = np.broadcast_to(linear(70, 26, 26), patch.shape).copy()
    tongue = exact.exp(
        -np.square((gap - down_mm) / (0.4 * gap + 0.1)) - np.square(centre_to_corner * 1.4)
    )
    _blend(cavity, linear(176, 92, 88), tongue.astype(np.float32) * 0.8)
    arch = 1 - 0.45 * centre_to_corner**2
    behind = rng.uniform(0, 1.5)  # millimetres of the teeth that the lips cover
    upper_row = (rng.uniform(6, 9.5) * arch - behind - down_mm) * 1.2
    lower_row = (down_mm - gap + rng.uniform(3, 6.5) * arch - behind) * 1.2
    row = np.maximum(teeth[0] * np.clip(upper_row, 0, 1), 0.8 * teeth[1] * np.clip(lower_row, 0, 1))
    row = row * np.clip(1.3 - centre_to_corner, 0, 1)
    ridges = np.abs(exact.sin(x * 3.1 * np.pi / abs(head.CONTROLS_ON_MAP[60, 0])))
    row *= 0.86 + 0.14 * exact.power(ridges, 0.3)
    yellow = rng.uniform(0, 1)
    ivory = linear(226, 219 - 8 * yellow, 206 - 30 * yellow) * np.float32(rng.uniform(0.6, 1))
    _blend(cavity, ivory, np.clip(row, 0, 1).astype(np.float32))
    cavity *= (0.55 + 0.45 * np.clip(down_mm / 2.5, 0, 1))[..., None].astype(np.float32)
    patch += (cavity - patch) * mask


def _brow_hairs(rng: np.random.Generator, size: int, weight: float) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    for knots in (head.CONTROLS_ON_MAP[17:22], head.CONTROLS_ON_MAP[26:21:-1]):
        spine = smooth_curve(knots, 12)
        t = np.linspace(0, 1, len(spine))
        thick = 0.034 * weight * np.interp(t, [0, 0.3, 0.8, 1], [0.25, 0.8, 1.0, 0.85])
        band = np.concatenate(
            [spine - np.outer(0.3 * thick, (0, 1)), (spine + np.outer(0.7 * thick, (0, 1)))[::-1]]
        )
        cv2.fillPoly(mask, [_drawable(band, size)], 150, cv2.LINE_AA, _SHIFT)
        roots = rng.integers(0, len(spine), 90)
        across = rng.uniform(-0.33, 0.73, 90) * thick[roots]
        start = spine[roots] + np.stack([np.zeros(90), across], axis=1)
        outwards = -np.sign(spine[-1, 0] - spine[0, 0])
        flow = np.stack([np.full(90, outwards), rng.uniform(-0.9, 0.5, 90)], axis=1)
        hairs = np.stack([start, start + flow * 0.03], axis=1)
        cv2.polylines(mask, list(_drawable(hairs, size)), False, 235, 1, cv2.LINE_AA, _SHIFT)
    return exact.blur(mask, 0.0022 * size + 0.3)


def strands_noise(field: Fields, rng: np.random.Generator) -> np.ndarray:
    """Uniform noise, stretched along the hair from the crown outwards."""
    shift = np.float32(rng.uniform(0, 180))
    x = field.strand_x * np.float32(0.86) + shift
    return exact.look_up(_STRANDS, x, field.strand_y, cv2.BORDER_REFLECT)


def hair_mask(look: Look, rng: np.random.Generator, size: int) -> np.ndarray:
    field = fields(size)
    if look.hair_style == "bald":
        return np.zeros((size, size), np.float32)
    line = field.hairline + 1.6 * noise(rng, size, size / 60) + 2.5 * noise(rng, size, size / 9)
    line = line + 7 * (strands_noise(field, rng) - 0.5)
    if look.hair_style == "fringe":
        line = line + field.forehead * 26 * rng.uniform(0.7, 1.1)
    elif look.hair_style in ("short", "cropped"):
        line = line - field.temples * rng.uniform(0, 24)
    else:
        line = line + field.forehead * np.clip(look.parting * field.x / 30, -0.3, 1) * 12
    return np.clip(line / 7 + 0.5, 0, 1).astype(np.float32)


def strands(look: Look, rng: np.random.Generator, size: int) -> np.ndarray:
    """Brightness of the hair, with a mean of about 1."""
    field = fields(size)
    if look.hair_style in ("curly", "cropped"):
        curls = noise(rng, size, max(size / 60, 2)) + 0.7 * noise(rng, size, max(size / 130, 1.5))
        return np.clip(0.85 + 0.32 * curls, 0.2, 2)
    bright = strands_noise(field, rng)
    return np.asarray(0.45 + 0.75 * bright + 0.16 * noise(rng, size, size / 14))


def paint(
    look: Look,
    controls: np.ndarray,
    rng: np.random.Generator,
    size: int,
    expression: head.Expression,
    gaze: np.ndarray,
    glint: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The texture (size, size, 3) of a head, and the mask (size, size) of its hair."""
    field = fields(size)
    texture = np.empty((size, size, 3), np.float32)
    texture[:] = look.skin
    _blend_face(
        texture, look.skin * np.array([1.04, 0.72, 0.7], np.float32), 0.5 * look.blush * field.warm
    )
    mottle = 1 + 0.035 * noise(rng, size, size / 18) + 0.03 * noise(rng, size, 2.2)
    if look.freckles:
        specks = np.clip(noise(rng, size, max(size / 150, 1.6)) - 1.2, 0, 1)
        mottle = mottle - 0.25 * look.freckles * specks * (0.7 * field.blush).clip(0, 1)
    smile = max(sum(expression.smiles) / 2, 0)
    lines = (0.10 + 0.3 * look.wrinkles + 0.28 * smile) * field.folds
    lines = lines + 0.32 * look.wrinkles * field.wrinkles + 0.3 * field.creases
    texture *= (mottle * field.shade * (1 - lines))[..., None]
    stubble = 0.75 + 0.3 * noise(rng, size, 1.8)
    beard = field.beard * look.beard + field.moustache * look.moustache
    growth = 0.5 + 0.5 * noise(rng, size, 3) * 0.4
    _blend_face(texture, look.brows * 0.9, np.clip(beard * stubble * (0.7 + growth), 0, 0.94))
    _blend_face(texture, look.lips, 0.85 * field.lips * (1 + 0.12 * noise(rng, size, 3)).clip(0, 1))
    _blend_face(texture, np.full(3, 0.004, np.float32), 0.85 * field.nostrils)
    if look.liner:
        _blend_face(texture, linear(40, 28, 30), 0.5 * look.liner * field.liner)
    _paint_mouth(texture, controls, expression.teeth, rng)
    _blend_face(texture, look.lips * 0.12, 0.75 * field.parting_line)
    for side in (0, 1):
        _paint_eye(texture, side, controls, look, gaze, glint)
    _blend_face(
        texture,
        linear(30, 20, 18),
        np.clip(0.85 * field.lashes + 0.35 * field.lower_lashes, 0, 0.95),
    )
    _blend_face(texture, look.brows, np.clip(_brow_hairs(rng, size, look.brow_weight), 0, 0.92))
    hair = hair_mask(look, rng, size)
    if look.hair_style != "bald":
        bright = strands(look, rng, size)
        texture += (look.hair * bright[..., None] - texture) * hair[..., None]
    return texture, hair


def hanging_hair(look: Look, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Texture and opacity of hair that hangs down; strands run along the columns."""
    if look.hair_style == "curly":
        bright = 0.85 + 0.3 * noise(rng, size, 7) + 0.2 * noise(rng, size, 3)
    else:
        locks = exact.resize(_STRANDS[:, : size // 2], (size, size))
        broad = exact.resize(_STRANDS[:5, 300 : 300 + size // 9], (size, size), cubic=True)
        bright = 0.3 + 0.6 * locks + 0.5 * broad
    rows, columns = np.mgrid[:size, :size] / size
    ragged = 0.03 * noise(rng, size, 9)[:1] + 0.02 * noise(rng, size, 3)[:1]
    cover = np.clip((0.96 - rows + ragged) * 25, 0, 1)
    cover *= np.clip((0.5 - np.abs(columns - 0.5) + 0.5 * ragged.T) * 60, 0, 1)
    texture = look.hair * np.clip(bright, 0.1, 2)[..., None]
    return texture.astype(np.float32), cover.astype(np.float32)
