"""A person in front of a camera: head, ears, neck, clothes, hair and glasses."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facealign.synthesis import body, exact, glasses, hair, head, materials, render, variety
from facealign.synthesis.look import Look, random_look
from facealign.synthesis.paint import paint

_TEXTURE_SIZES = (192, 256, 320, 416, 544, 640)
_HAT_RISE = 7.0  # millimetres
_CASTERS = 2  # every n-th place of the head casts a shadow, dense enough for cells of 4 mm


@dataclass(frozen=True)
class Pose:
    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, eq=False)
class Person:
    """Everything about a person that is decided before drawing."""

    age: float  # as of `variety.random_age`
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
        self._hide_far_ear(marks)
        for first, last in _LINES:
            marks[first : last + 1] = _even(marks[first : last + 1])
        return np.asarray(marks)

    def _hide_far_ear(self, marks: np.ndarray) -> None:
        """Where a turned head hides the ear, annotators begin the jaw at the level of the eye."""
        hidden = float(np.clip((abs(self.pose.yaw) - 5) / 15, 0, 1))
        half, corner = (np.arange(16, 7, -1), 45) if self.pose.yaw > 0 else (np.arange(9), 36)
        roll = np.radians(self.pose.roll)
        down = np.array([-exact.sin(roll), exact.cos(roll)])
        above = float(exact.dot(marks[corner] - marks[half[0]], down))
        if hidden and above > 0:
            marks[half] = _cut(marks[half], down, hidden * above)


# Both halves of the jaw, the brows and the bridge of the nose: between the ends of such a line,
# annotators place points at equal distances.
_LINES = ((0, 8), (8, 16), (17, 21), (22, 26), (27, 30))


def _even(line: np.ndarray) -> np.ndarray:
    """As many points (N, 2), at equal distances along the line through these."""
    return _spaced(materials.smooth_curve(line), len(line))


def _cut(line: np.ndarray, down: np.ndarray, depth: float) -> np.ndarray:
    """The same for the part of the line that is at least `depth` below its first point."""
    curve = materials.smooth_curve(line)
    depths = exact.dot(curve - curve[0], down)
    return _spaced(curve[np.argmax(depths >= min(depth, depths.max())) :], len(line))


def _spaced(curve: np.ndarray, count: int) -> np.ndarray:
    length = np.concatenate([[0.0], np.cumsum(exact.norm(np.diff(curve, axis=0)))])
    places = np.linspace(0, length[-1], count)
    return np.stack([np.interp(places, length, axis) for axis in curve.T], axis=-1)


def random_person(
    rng: np.random.Generator, pose: Pose, glasses: str, own_seed: int | None = None
) -> Person:
    """A new person, or the person of `own_seed` with a new expression."""
    who = rng if own_seed is None else np.random.default_rng(own_seed)
    age = variety.random_age(who)
    identity = variety.random_identity(who, age)
    look = random_look(who, age)
    expression = variety.random_expression(rng)
    controls = head.express(identity, expression)
    seed = int(rng.integers(2**31))
    return Person(age, controls, expression, look, pose, seed, glasses, own_seed)


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
    texture, hairy, hat = paint(look, person.controls, own, size, person.expression, gaze, glint)

    skull = head.surface(person.controls)
    grid = (head.GRID, head.GRID)
    hair_coarse = cv2.resize(hairy, grid, interpolation=cv2.INTER_AREA)
    lumps = 1 + 0.3 * materials.noise(rng, head.GRID, 11)
    # it rises behind its edge, so that the skin before it is not stretched
    rise = (2 * exact.blur(hair_coarse, 1.2) - 1).clip(0) * lumps * look.hair_volume
    if look.hat:
        rise = rise + _HAT_RISE * exact.blur(
            cv2.resize(hat, grid, interpolation=cv2.INTER_AREA), 0.8
        )
    skull = skull + render.normals(skull) * rise[..., None]
    skull_turned = exact.transform(skull, turn.T).astype(np.float32)

    body_pose = head.rotation(
        0.45 * person.pose.yaw + float(exact.normal(rng, 0, 8)),
        0.1 * person.pose.pitch,
        0.25 * person.pose.roll,
    )
    broad = rng.uniform(0.85, 1.12)
    torso = body.lathe(
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
    torso = body.attached(torso, turn, body_pose, 40, 130)
    casters = [skull_turned[::_CASTERS, ::_CASTERS]]
    brim = exact.transform(hair.brim(look), turn.T) if look.hat in ("cap", "brimmed") else None
    if brim is not None:
        casters.append(brim)
    shadows = render.ShadowMap(casters, lighting.key.direction)
    scene = (canvas, camera, lighting, shadows)
    distant = canvas.halved()
    behind = (distant, camera.halved(), lighting, shadows)
    if look.hair_style in hair.COVERING and look.hat != "scarf":
        length = {"long": rng.uniform(110, 260), "bob": rng.uniform(40, 85), "curly": 30}[
            look.hair_style
        ]
        # it ends behind the ears, or before them
        left, right = np.pi * rng.uniform(0.31, 0.48, 2)
        wide = 82 + look.hair_volume * (0.9 if look.hair_style != "curly" else 0.6)
        curtain = body.lathe(
            [
                (-118, 56, 60, -95),
                (-70, wide - 2, 90, -95),
                (10, wide + 4, 95, -95),
                (60, wide + 3, 80, -98),
                (length, wide + rng.uniform(-8, 16), 60, -95),
            ],
            np.pi * 2 - left,
            right,
        )
        curtain = body.attached(curtain, turn, body_pose, 60, 220)
        hanging = hair.hanging_hair(look, rng, 256)
        _draw(*behind, curtain, hanging[0], render.CLOTH_WRAP, 0.05, hanging[1])
    cloth = body.cloth(rng, look.hat_colours[0] if look.hat == "scarf" else look.skin * 0.92)
    seen = int((camera(torso)[..., 1].min(axis=1) < canvas.height).sum()) + 1
    rows = len(cloth) // len(torso) * min(seen, len(torso))
    _draw(*behind, torso[:seen], cloth[:rows], render.CLOTH_WRAP, 0.03)
    canvas.take(distant)
    ear_skin = np.empty((32, 32, 3), np.float32)
    ear_skin[:] = look.skin * np.array([0.9, 0.76, 0.74], np.float32)
    ear_skin *= body.ear_shade()
    if look.hair_style not in hair.COVERING and look.hat != "scarf":
        for side, beside in ((-1, 1), (1, 15)):  # a point of the jaw in front of the ear
            aside = (person.controls - head.NEUTRAL)[beside] * (1, 0, 0)
            ear = exact.transform(body.ear(side) + aside, turn.T)
            _draw(*scene, ear, ear_skin, render.SKIN_WRAP, look.oil * 0.5)
    gloss = materials.fields(size).gloss * look.oil * (1 - hairy) * (1 - hat) + 0.10 * hairy
    _draw(*scene, skull_turned, texture, render.SKIN_WRAP, gloss)
    if brim is not None:
        felt = np.empty((24, 24, 3), np.float32)
        felt[:] = look.hat_colours[0] * 0.9
        _draw(*scene, brim, felt, render.CLOTH_WRAP, 0.02)
        _draw(*scene, brim[::-1], felt * np.float32(0.7), render.CLOTH_WRAP, 0.02)
    if person.glasses:
        glasses.draw(person.glasses, person.controls, person.pose.yaw, turn, scene[:2], rng)
