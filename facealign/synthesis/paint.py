"""The texture of a head: skin, eyes, lips, brows, beard and hair, painted on the flat map."""

from __future__ import annotations

import cv2
import numpy as np

from facealign.synthesis import exact, hair, head, planes
from facealign.synthesis.look import Look, linear
from facealign.synthesis.materials import (
    EYELIDS,
    EYES,
    LIPS,
    MOUTH,
    SHIFT,
    Fields,
    drawable,
    fields,
    noise,
    on_texture,
    on_texture_ticks,
    smooth_curve,
)


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
    window = _window(EYELIDS[side], size, 3)
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
    sclera = look.eyeballs * (1 - 0.65 * np.square(aside * 1.9))[..., None].astype(np.float32)
    angle = exact.arctan2(mm_y, mm_x)
    fibres = 1 + 0.22 * exact.sin(angle * 17 + 3 * exact.sin(angle * 5))
    fibres += 0.5 * np.clip(mm_y / 6, -0.5, 0.8)
    iris = look.iris * (fibres * np.clip(1.5 - 0.5 * radius / 5.9, 0, 2))[..., None]
    ball = sclera + (look.iris * 0.22 - sclera) * disc(6.2)
    ball = ball + (iris - ball) * disc(5.3)
    ball = ball + (0.002 - ball) * disc(2.4)
    lid_shadow = np.clip(
        (y - corners_on_map[[1, 2], 1].mean()) / max(down_per_mm * 4.2, 1e-6), 0, 1
    )
    ball = ball * (0.22 + 0.78 * lid_shadow)[..., None]
    spark = exact.hypot(mm_x - 2.4 * glint[0], mm_y - 2.4 * glint[1])
    ball = ball + np.clip((1.1 - spark) / soft + 0.3, 0, 1)[..., None] * 0.95
    shut = float(np.clip(1 - (gap - 1.6) / 2.2, 0, 1))  # 1 when lids and lashes meet
    ball = ball + (0.45 * look.skin - ball) * shut
    patch += (ball.astype(np.float32) - patch) * mask


def _paint_mouth(
    texture: np.ndarray,
    controls: np.ndarray,
    teeth: tuple[float, float],
    line: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """`line` is the colour between closed lips."""
    size = texture.shape[0]
    window = _window(MOUTH, size, 2)
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
    cavity += (line - cavity) * np.float32(np.clip((3.0 - gap) / 2, 0, 1))  # 1: the lips meet
    patch += (cavity - patch) * mask


def _paint_brows(texture: np.ndarray, look: Look, rng: np.random.Generator) -> None:
    size = texture.shape[0]
    mask = np.zeros((size, size), np.uint8)
    hairs = 20 + int(80 * min(look.brow_weight, 1.2))
    for knots in (head.CONTROLS_ON_MAP[17:22], head.CONTROLS_ON_MAP[26:21:-1]):
        spine = smooth_curve(knots, 12)
        t = np.linspace(0, 1, len(spine))
        profile = np.interp(t, [0, 0.3, 0.8, 1], [0.25, look.brow_tail, 1.0, 0.85])
        thick = 0.034 * look.brow_weight * profile
        # annotators mark the upper edge, with its thin hairs, and the middle of both ends
        above = np.interp(t, [0, 0.25, 0.75, 1], [0.45, -0.08, -0.08, 0.45]) * thick
        upper, lower = (spine + np.outer(down, (0, 1)) for down in (-above, thick - above))
        dense = slice(int(look.brow_ends * 8), len(spine) - int(look.brow_ends * 10))
        band = np.concatenate([upper[dense], lower[dense][::-1]])
        cv2.fillPoly(mask, [drawable(band, size)], look.brow_fill, cv2.LINE_AA, SHIFT)
        roots = rng.integers(0, len(spine), hairs)
        across = rng.uniform(0, 1, hairs) * thick[roots] - above[roots]
        start = spine[roots] + np.stack([np.zeros(hairs), across], axis=1)
        outwards = -np.sign(spine[-1, 0] - spine[0, 0])
        flow = np.stack([np.full(hairs, outwards), rng.uniform(-0.6, 0.6, hairs)], axis=1)
        strokes = np.stack([start, start + flow * (0.012 + 0.018 * look.brow_weight)], axis=1)
        cv2.polylines(mask, list(drawable(strokes, size)), False, 235, 1, cv2.LINE_AA, SHIFT)
    deviation = 0.0022 * size + 0.3
    left, top, width, height = cv2.boundingRect(mask)
    margin = int(4 * deviation) + 2  # the blur reaches no further
    window = (
        slice(top - margin, top + height + margin),
        slice(left - margin, left + width + margin),
    )
    brows = exact.blur(mask[window], deviation).clip(0, 1)
    _blend(texture[window], look.brows, look.brow_strength * brows)


def _skin(
    texture: np.ndarray,
    look: Look,
    field: Fields,
    expression: head.Expression,
    rng: np.random.Generator,
) -> None:
    size = field.size
    texture[:] = look.skin
    _blend_face(
        texture, look.skin * np.array([1.04, 0.72, 0.7], np.float32), 0.5 * look.blush * field.warm
    )
    pores = np.float32(look.pores) * noise(rng, size, 2.2)
    mottle = 1 + 0.035 * noise(rng, size, size / 18) + pores
    if look.freckles:
        specks = np.clip(noise(rng, size, max(size / 150, 1.6)) - 1.2, 0, 1)
        mottle = mottle - 0.25 * look.freckles * specks * (0.7 * field.blush).clip(0, 1)
    smile = max(sum(expression.smiles) / 2, 0)
    lines = (0.05 + 0.25 * look.wrinkles + 0.25 * smile) * field.folds + 0.45 * field.creases
    lines = lines + 0.32 * look.wrinkles * field.wrinkles + 0.3 * look.bags * field.bags
    lines = lines + (0.3 * look.wrinkles + 0.12 * smile) * field.crows_feet
    lines = lines + (0.3 * look.wrinkles + 0.8 * look.corners) * field.folds_beyond
    lines = lines + (0.06 + 0.2 * look.relief) * field.wings
    dark = 1 - look.relief * field.shade - 0.2 * look.bags * field.sockets
    dark = dark.clip(0.05) / (1 + 1.3 * lines)
    warm = 1 + 0.25 * (1 - dark)  # light that leaves a hollow has passed through skin
    texture[..., 0] *= mottle * dark * warm
    texture[..., 1] *= mottle * dark
    texture[..., 2] *= mottle * dark * (2 - warm)
    for _ in range(look.moles):
        place = rng.integers(size // 4, size * 3 // 4, 2).tolist()
        for channel, tone in enumerate((look.skin * 0.25).tolist()):
            plane = texture[..., channel]
            cv2.circle(plane, place, max(1, size // 240), tone, -1, cv2.LINE_AA)


def _light_relief(texture: np.ndarray, look: Look, field: Fields, lamp: np.ndarray) -> None:
    """Brighter where the small shapes of the skin face the lamp (its x and y), or the sky."""
    x, y = lamp.astype(np.float32)
    size = field.size
    window = (slice(size * 3 // 16, size * 13 // 16),) * 2
    light = -x * field.slope_x[window] + (0.4 - y) * field.slope_y[window]
    texture[window] *= (1 + np.float32(look.relief) * light).clip(0.4, 1.6)[..., None]


def _make_up(texture: np.ndarray, look: Look, field: Fields) -> None:
    if look.liner:
        _blend_face(texture, linear(40, 28, 30), 0.5 * look.liner * field.liner)
        _blend_face(texture, look.shadow, 0.45 * look.liner * field.upper_lids)


def _grow_beard(texture: np.ndarray, look: Look, field: Fields, rng: np.random.Generator) -> None:
    kinds = {"goatee": field.goatee, "strap": field.strap, "full": field.beard}
    beard = look.moustache * field.moustache
    if look.beard_kind in kinds:
        beard = beard + look.beard * kinds[look.beard_kind]
    hanging = 0.5 * look.moustache - field.upper_lip  # down to here it covers the upper lip
    beard = beard + look.moustache * field.over_lip * (6 * hanging).clip(0, 1)
    ragged = 0.8 + 0.2 * noise(rng, field.size, 1.2) + 0.1 * noise(rng, field.size, 5)
    _blend_face(texture, look.beard_colour, np.clip(beard * ragged * 1.15, 0, 0.94))


def paint(
    look: Look,
    controls: np.ndarray,
    rng: np.random.Generator,
    size: int,
    expression: head.Expression,
    gaze: np.ndarray,
    glint: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The texture (size, size, 3) of a head, and the masks (size, size) of its hair and hat."""
    field = fields(size)
    channels = np.empty((3, size, size), np.float32)
    texture = planes.joined(channels)
    _skin(texture, look, field, expression, rng)
    window = _window(LIPS, size, size // 50 + 2)
    mottled = (1 + 0.12 * noise(rng, size, 3, window)).clip(0, 1)
    _blend(texture[window], look.lips, look.lip_strength * field.lips[window] * mottled)
    _light_relief(texture, look, field, glint)
    if look.beard_kind:
        _grow_beard(texture, look, field, rng)
    _blend_face(texture, look.skin * 0.03, look.nostrils * field.nostrils)
    _make_up(texture, look, field)
    _paint_mouth(texture, controls, expression.teeth, look.lips * 0.3, rng)
    _blend_face(texture, look.lips * 0.12, 0.6 * field.parting_line)
    _blend_face(texture, look.skin * np.array([0.62, 0.3, 0.3], np.float32), 0.7 * field.tear_lakes)
    for side in (0, 1):
        _paint_eye(texture, side, controls, look, gaze, glint)
    lashes = look.lashes * (field.lashes + 0.35 * field.lower_lashes)
    _blend_face(texture, linear(38, 26, 23), np.clip(lashes, 0, 0.95))
    _paint_brows(texture, look, rng)
    mask = hair.hair_mask(look, rng, size)
    if look.hair_style != "bald":
        bright = hair.strands(look, rng, size)
        _blend(texture, planes.tinted(bright, look.hair), mask)
    hat = hair.hat_mask(look, rng, size)
    if hat is not None:
        _blend(texture, hair.hat_cloth(look, rng, size), hat)
        mask = mask * (1 - hat)
    return planes.interleaved(channels), mask, np.zeros_like(mask) if hat is None else hat
