"""A person in front of a camera: head, ears, neck, clothes, hair and glasses."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facealign.synthesis import exact, head, materials, render, variety
from facealign.synthesis.look import Look, linear, random_look

_NECK_PIVOT = np.array([0.0, 10.0, -85.0])
_TEXTURE_SIZES = (192, 256, 320, 416, 544, 640)
_CASTERS = 2  # every n-th place of the head casts a shadow, dense enough for cells of 4 mm


@dataclass(frozen=True)
class Pose:
    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, eq=False)
class Person:
    """Everything about a person that is decided before drawing."""

    controls: np.ndarray
    expression: head.Expression
    look: Look
    pose: Pose
    seed: int
    glasses: str  # "", "clear" or "sun"
    own_seed: int | None = None  # for skin and hair, if the person is in several pictures

    def turn(self) -> np.ndarray:
        return head.rotation(self.pose.yaw, self.pose.pitch, self.pose.roll)

    def landmarks(self, camera: render.Camera) -> np.ndarray:
        """(68, 2): the points as an annotator would mark them."""
        turn = self.turn()
        marks = camera(exact.transform(self.controls[:68], turn.T))[:, :2]
        lines = camera(exact.transform(head.jaw_lines(self.controls), turn.T))[..., :2]
        roll = np.radians(self.pose.roll)
        steps = head.visible_jaw(lines, np.array([exact.cos(roll), exact.sin(roll)]))
        marks[:17] = lines[np.arange(17), steps]
        return np.asarray(marks)


def random_person(
    rng: np.random.Generator, pose: Pose, glasses: str, own_seed: int | None = None
) -> Person:
    """A new person, or the person of `own_seed` with a new expression."""
    who = rng if own_seed is None else np.random.default_rng(own_seed)
    age = variety.random_age(who)
    identity = variety.random_identity(who, age)
    look = random_look(who)
    expression = variety.random_expression(rng)
    controls = head.express(identity, expression)
    return Person(controls, expression, look, pose, int(rng.integers(2**31)), glasses, own_seed)


def _ear(side: int) -> np.ndarray:
    """(16, 16, 3): a shallow shell with a raised rim on one side of the head."""
    t, s = np.meshgrid(np.linspace(-1, 1, 16), np.linspace(-1, 1, 16), indexing="ij")
    half_width = 17 * np.sqrt(np.clip(1 - t**2, 0, 1)) * (1.05 - 0.28 * t)
    backwards = half_width * s + 2 + 5 * t**2
    rim = 3.5 * (1 - t**2 * 0.5) * np.sqrt(1 - np.abs(s)) - 5 * exact.exp(
        -((s / 0.45) ** 2 + (t / 0.5) ** 2)
    )
    x = 80.0 + backwards * 0.5 + rim * 0.8
    y = -20 + 31 * t - 3 * s
    z = -61 - backwards * 0.86 + rim * 0.5
    sheet = np.stack([side * x, y, z], axis=-1)
    return sheet if side > 0 else sheet[:, ::-1]


def _lathe(rows: list[tuple[float, float, float, float]], start: float, stop: float) -> np.ndarray:
    """(40, 40, 3): elliptic rings around y; a row is y, half width, half depth, z of the centre."""
    profile = np.array(rows)
    y = np.linspace(profile[0, 0], profile[-1, 0], 40)
    wide, deep, middle = (np.interp(y, profile[:, 0], profile[:, k])[:, None] for k in (1, 2, 3))
    angle = np.linspace(start, stop, 40)[None]
    sin, cos = exact.sin(angle), exact.cos(angle)
    x = wide * np.sign(sin) * exact.power(np.abs(sin), 0.9)
    return np.stack([x, np.broadcast_to(y[:, None], x.shape), middle + deep * cos], axis=-1)


def _attached(
    sheet: np.ndarray, turn: np.ndarray, body_turn: np.ndarray, low: float, high: float
) -> np.ndarray:
    """Rotate a sheet with the head above y = low, with the body below y = high, and in between."""
    from_head, from_body = (
        exact.transform(sheet, turn.T),
        exact.transform(sheet - _NECK_PIVOT, body_turn.T) + exact.transform(_NECK_PIVOT, turn.T),
    )
    share = np.clip((sheet[..., 1:2] - low) / (high - low), 0, 1)
    share = share * share * (3 - 2 * share)
    return np.asarray(from_head + (from_body - from_head) * share)


def _cloth(rng: np.random.Generator, skin: np.ndarray, size: int = 160) -> np.ndarray:
    """Texture of neck and shoulders: skin above the neckline, clothes below."""
    colours = exact.power(rng.uniform(0.02, 0.85, (2, 3)), 1.6).astype(np.float32)
    if rng.uniform() < 0.35:
        colours[0] = rng.choice([0.01, 0.02, 0.75], 1)
    texture = np.empty((size, size, 3), np.float32)
    texture[:] = colours[0]
    rows, columns = np.mgrid[:size, :size] / size
    kind = rng.integers(0, 5)
    if kind == 0:
        texture[(rows * rng.integers(12, 40)) % 1 < 0.4] = colours[1]
    elif kind == 1:
        weave = ((rows * 22) % 1 < 0.3) * 0.5 + ((columns * 30) % 1 < 0.3) * 0.5
        texture += (colours[1] - texture) * weave[..., None].astype(np.float32)
    elif kind == 2:
        shirt = np.abs(columns - 0.5) < (0.10 - 0.16 * (rows - 0.45)).clip(0.004)
        texture[shirt] = linear(235, 235, 240)
    wrinkles = 1 + 0.10 * materials.noise(rng, size, 14) + 0.05 * materials.noise(rng, size, 1.5)
    texture *= wrinkles[..., None].clip(0.3)
    depth = rng.uniform(0.0, 0.13)
    neckline = 0.235 + depth * exact.exp(-(((columns - 0.5) / 0.10) ** 2)) + rng.choice([0, -0.03])
    bare = np.clip((neckline - rows) * size / 2, 0, 1)[..., None].astype(np.float32)
    # under the chin it is darker, which sets the jaw off
    tone = 0.5 + 0.5 * np.clip(rows * 6.5 - rng.uniform(0, 0.3), 0, 1).astype(np.float32)
    tone += 0.03 * materials.noise(rng, size, 12)
    texture += (skin * tone[..., None] - texture) * bare
    collar = exact.exp(-(((rows - neckline - 0.008) / 0.008) ** 2))[..., None].astype(np.float32)
    return np.asarray(texture * (1 - 0.5 * collar))


def _draw(
    canvas: render.Canvas,
    camera: render.Camera,
    lighting: render.Lighting,
    shadows: render.ShadowMap,
    sheet: np.ndarray,
    texture: np.ndarray,
    wrap: np.ndarray,
    gloss: float | np.ndarray,
    cover: np.ndarray | None = None,
) -> None:
    projected = camera(sheet).astype(np.float32)
    light = render.shade(render.normals(sheet), shadows.lit(sheet, 1.2), lighting, wrap)
    render.draw_sheet(canvas, projected, texture, light, gloss, cover)


def draw(
    person: Person, canvas: render.Canvas, camera: render.Camera, lighting: render.Lighting
) -> None:
    rng = np.random.default_rng(person.seed)
    own = rng if person.own_seed is None else np.random.default_rng(person.own_seed)
    look, turn = person.look, person.turn()
    size = next((n for n in _TEXTURE_SIZES if n >= 265 * camera.scale), _TEXTURE_SIZES[-1])
    gaze = np.clip(
        exact.normal(rng, 0, 1.0, 2) * (1, 0.4) + (-0.045 * person.pose.yaw * rng.uniform(0, 1), 0),
        -3,
        3,
    )
    glint = exact.transform(lighting.key.direction, turn)[:2]
    texture, hair = materials.paint(
        look, person.controls, own, size, person.expression, gaze, glint
    )

    skull = head.surface(person.controls)
    hair_coarse = cv2.resize(hair, (head.GRID, head.GRID), interpolation=cv2.INTER_AREA)
    lumps = 1 + 0.3 * materials.noise(rng, head.GRID, 11)
    rise = exact.blur(hair_coarse * lumps, 1.2, 4) * look.hair_volume
    skull = skull + render.normals(skull) * rise[..., None]
    skull_turned = exact.transform(skull, turn.T).astype(np.float32)

    body_pose = head.rotation(
        0.45 * person.pose.yaw + float(exact.normal(rng, 0, 8)),
        0.1 * person.pose.pitch,
        0.25 * person.pose.roll,
    )
    broad = rng.uniform(0.85, 1.12)
    body = _lathe(
        [
            (15, 50, 52, -92),
            (60, 55, 54, -94),
            (100, 60, 56, -98),
            (125, 88 * broad, 62, -102),
            (150, 165 * broad, 78, -105),
            (185, 205 * broad, 95, -108),
            (300, 222 * broad, 115, -110),
            (560, 225 * broad, 120, -110),
        ],
        -np.pi * 0.62,
        np.pi * 0.62,
    )
    body = _attached(body, turn, body_pose, 40, 130)
    shadows = render.ShadowMap([skull_turned[::_CASTERS, ::_CASTERS]], lighting.key.direction)
    scene = (canvas, camera, lighting, shadows)
    distant = canvas.halved()
    behind = (distant, camera.halved(), lighting, shadows)
    if look.hair_style in ("long", "bob", "curly"):
        length = {"long": rng.uniform(110, 260), "bob": rng.uniform(40, 85), "curly": 30}[
            look.hair_style
        ]
        wide = 82 + look.hair_volume * (0.9 if look.hair_style != "curly" else 0.6)
        curtain = _lathe(
            [
                (-118, 56, 60, -95),
                (-70, wide - 2, 90, -95),
                (10, wide + 4, 95, -95),
                (60, wide + 3, 80, -98),
                (length, wide + rng.uniform(-8, 16), 60, -95),
            ],
            np.pi * 2 - np.pi * 0.48,
            np.pi * 0.48,
        )
        curtain = _attached(curtain, turn, body_pose, 60, 220)
        hanging = materials.hanging_hair(look, rng, 256)
        _draw(*behind, curtain, hanging[0], render.CLOTH_WRAP, 0.05, hanging[1])
    cloth = _cloth(rng, look.skin * 0.92)
    seen = int((camera(body)[..., 1].min(axis=1) < canvas.height).sum()) + 1
    rows = len(cloth) // len(body) * min(seen, len(body))
    _draw(*behind, body[:seen], cloth[:rows], render.CLOTH_WRAP, 0.03)
    canvas.take(distant)
    ear_skin = np.empty((32, 32, 3), np.float32)
    ear_skin[:] = look.skin * np.array([0.9, 0.76, 0.74], np.float32)
    t, s = np.meshgrid(np.linspace(-1, 1, 32), np.linspace(-1, 1, 32), indexing="ij")
    ear_skin *= (1 - 0.62 * exact.exp(-((s / 0.38) ** 2 + ((t - 0.1) / 0.45) ** 2)))[
        ..., None
    ].astype(np.float32)
    if look.hair_style not in ("long", "bob", "curly"):
        for side in (-1, 1):
            ear = exact.transform(_ear(side), turn.T)
            _draw(*scene, ear, ear_skin, render.SKIN_WRAP, look.oil * 0.5)
    gloss = materials.fields(size).gloss * look.oil * (1 - hair) + 0.10 * hair
    _draw(*scene, skull_turned, texture, render.SKIN_WRAP, gloss)
    if person.glasses:
        _draw_glasses(person, canvas, camera, lighting, rng)


def _draw_glasses(
    person: Person,
    canvas: render.Canvas,
    camera: render.Camera,
    lighting: render.Lighting,
    rng: np.random.Generator,
) -> None:
    turn = person.turn()
    shift = 5
    colour = linear(
        *rng.choice([(20, 18, 18), (60, 34, 22), (120, 120, 126), (150, 110, 50), (90, 20, 26)])
    )
    thick = max(1, round(camera.scale * rng.uniform(1.1, 3.2)))
    square = rng.uniform(2.0, 4.0)
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    cos, sin = exact.cos(angle), exact.sin(angle)
    half_width, half_height = rng.uniform(23, 26), rng.uniform(15, 21)
    overlay = canvas.colour.copy()
    rims = []
    bridge_z = float(person.controls[27, 2]) + 5

    def to_pixels(places: np.ndarray) -> np.ndarray:
        flat = camera(exact.transform(places, turn.T))[..., :2]
        return np.rint(flat * (1 << shift)).astype(np.int32)

    for eye, outwards in ((slice(36, 42), -1), (slice(42, 48), 1)):
        middle = person.controls[eye].mean(axis=0)
        x = (
            middle[0]
            + outwards * 1.5
            + half_width * np.sign(cos) * exact.power(np.abs(cos), 2 / square)
        )
        y = middle[1] + 2.5 + half_height * np.sign(sin) * exact.power(np.abs(sin), 2 / square)
        z = bridge_z - 0.0045 * x * x
        rims.append(np.stack([x, y, z], axis=-1))
    lens = [to_pixels(rim) for rim in rims]
    if person.glasses == "sun":
        cv2.fillPoly(overlay, lens, (0.012, 0.012, 0.014), cv2.LINE_AA, shift)
        canvas.colour += (overlay - canvas.colour) * np.float32(rng.uniform(0.86, 0.97))
    else:
        cv2.fillPoly(overlay, lens, (0.55, 0.58, 0.62), cv2.LINE_AA, shift)
        canvas.colour += (overlay - canvas.colour) * np.float32(rng.uniform(0.02, 0.09))
    frame = tuple(float(c) * 0.9 for c in colour)
    cv2.polylines(canvas.colour, lens, True, frame, thick, cv2.LINE_AA, shift)
    inner = [rims[0][np.argmax(rims[0][:, 0])], rims[1][np.argmin(rims[1][:, 0])]]
    bridge = np.array([inner[0], (inner[0] + inner[1]) / 2 + (0, -3, 3), inner[1]])
    cv2.polylines(canvas.colour, [to_pixels(bridge)], False, frame, thick, cv2.LINE_AA, shift)
    for rim, side in ((rims[0], -1), (rims[1], 1)):
        if side * person.pose.yaw > 12:
            continue  # the cheek hides this arm
        hinge = rim[np.argmax(side * rim[:, 0])] + (0, -4, 0)
        ear = np.array([side * 78, hinge[1] - 2, -58])
        cv2.polylines(
            canvas.colour,
            [to_pixels(np.stack([hinge, ear]))],
            False,
            frame,
            thick,
            cv2.LINE_AA,
            shift,
        )
