"""The pictures of a generated data set: planned, rendered, photographed and encoded."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np

from facealign.core import points as ibug
from facealign.core.errors import ConfigError
from facealign.synthesis import camera as cameras
from facealign.synthesis import exact, scenery
from facealign.synthesis.backdrop import background
from facealign.synthesis.light import cast_shadows, random_lighting, unusual_lighting
from facealign.synthesis.person import Person, Pose, draw, random_person
from facealign.synthesis.render import Camera, Canvas, Lighting

FEWEST = 12  # pictures needed to fill all four folders
SMALL = (26.0, 46.0)  # pixels, the width of a small face
NEAREST, FARTHEST = 700.0, 6000.0  # millimetres from the camera; as often near as far, by factors
PROFILE_YAW = 50.0  # degrees; from here on a face may have the points of a profile, as in Menpo
FRONTAL_YAW = 55.0  # the largest yaw of a face with 68 points
_KINDS = {
    "plain": 0.47,
    "turned": 0.05,
    "small": 0.04,
    "glasses": 0.13,
    "sunglasses": 0.04,
    "occluded": 0.09,
    "two_faces": 0.06,
    "grey": 0.10,
    "hidden": 0.02,
}
ODD = 0.13
PEOPLE = "people"  # the data set for face recognition
_GIVEN = ("Ada", "Boris", "Chen", "Dana", "Emil", "Farah", "Gita", "Hugo", "Ines", "Juri")
_FAMILY = ("Abel", "Brandt", "Costa", "Dahl", "Ebert", "Fiala", "Gruber", "Horn", "Ito", "Jansen")
MOST_PEOPLE = len(_GIVEN) * len(_FAMILY)
# The 39 points of a profile that looks to the viewer's right are those on the viewer's left.
_LEFT_HALF = np.array(
    [
        *(*range(9), *range(17, 22), *range(27, 34), *range(36, 42)),
        *(48, 49, 50, 51, 57, 58, 59, 60, 61, 62, 66, 67),
    ]
)


@dataclass(frozen=True)
class Plan:
    """Everything about a picture that is decided before rendering."""

    name: str  # path inside `landmarks_task`
    seed: int
    kind: str  # one of _KINDS, or "profile" or "exif"; "turned" by any angle, camera and all
    yaw: float  # degrees, of the annotated face
    person: int | None = None  # the seed of a person who is in several pictures
    odd: float = ODD  # share of each of the unusual poses, lights and faults of the camera
    scale: float = 1.0  # of the picture; at 1 it has 250 to 570 pixels a side

    @property
    def point_count(self) -> int:
        return ibug.PROFILE_COUNT if self.kind == "profile" else ibug.COUNT


def _name(dataset: str, rng: np.random.Generator) -> str:
    if dataset == "Menpo":
        if rng.uniform() < 0.7:
            return f"aflw__face_{rng.integers(39000, 66000)}.jpg"
        return f"fddb__image_{rng.integers(10, 3000):05d}_{rng.integers(1, 4)}.jpg"
    source = rng.choice(["helen", "lfpw", "afw"], p=[0.62, 0.28, 0.1])
    if source == "lfpw":
        return f"image_{rng.integers(1, 2000):04d}.png"
    digits = rng.integers(10**8, 32 * 10**8) if source == "helen" else rng.integers(10**9, 10**10)
    return f"{digits}_{rng.integers(1, 3)}.jpg"


def _yaw(dataset: str, rng: np.random.Generator) -> float:
    deviation = 15 if dataset == "300W" else 17
    if rng.uniform() < 0.2:
        deviation = 32
    return float(np.clip(exact.normal(rng, 0, deviation), -FRONTAL_YAW, FRONTAL_YAW))


def plan_pictures(count: int, seed: int, odd: float = ODD, scale: float = 1.0) -> list[Plan]:
    """The pictures of 300W and Menpo; the first one of each folder is plain."""
    if count < FEWEST:
        raise ConfigError(f"demo.pictures is {count}, expected at least {FEWEST}")
    rng = np.random.default_rng(seed)
    in_300w = round(0.6 * count)
    plans: list[Plan] = []
    for dataset, total in (("300W", in_300w), ("Menpo", count - in_300w)):
        in_test = max(1, round(0.15 * total))
        for split, pictures in (("train", total - in_test), ("test", in_test)):
            taken: set[str] = set()
            for position in range(pictures):
                kind = str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
                if position == 0:
                    kind = "plain"
                yaw = _yaw(dataset, rng)
                first_profile = split == "train" and position == 1 and count >= 2 * FEWEST
                if dataset == "Menpo" and position and (first_profile or rng.uniform() < 0.12):
                    kind = "profile"
                    yaw = float(rng.choice([-1, 1]) * rng.uniform(PROFILE_YAW, 90))
                name = _name(dataset, rng)
                while PurePosixPath(name).stem in taken:
                    name = _name(dataset, rng)
                taken.add(PurePosixPath(name).stem)
                picture_seed = int(rng.integers(2**63))
                name = f"{dataset}/{split}/{name}"
                plans.append(Plan(name, picture_seed, kind, yaw, odd=odd, scale=scale))
    turned = next(i for i, plan in enumerate(plans) if _may_be_turned(plan))
    plans[turned] = replace(plans[turned], kind="exif")
    return plans


def plan_people(
    people: int, each: int, seed: int, odd: float = ODD, scale: float = 1.0
) -> list[Plan]:
    """`each` pictures of each of the people, the last quarter of them for testing."""
    rng = np.random.default_rng(seed)
    names = [f"{given}_{family}" for family in _FAMILY for given in _GIVEN]
    plans = []
    for number in rng.permutation(len(names))[:people]:
        person = int(rng.integers(2**63))
        for picture in range(each):
            split = "test" if picture >= each - each // 4 else "train"
            kind = str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
            if kind in ("turned", "small"):
                kind = "plain"
            name = f"{PEOPLE}/{split}/{names[number]}_{picture + 1:02d}.jpg"
            yaw = float(np.clip(exact.normal(rng, 0, 20), -60, 60))
            plans.append(Plan(name, int(rng.integers(2**63)), kind, yaw, person, odd, scale))
    return plans


def _may_be_turned(plan: Plan) -> bool:
    return plan.kind == "plain" and plan.name.endswith(".jpg")


def _pose(plan_yaw: float, rng: np.random.Generator, wide: bool, odd: float = ODD) -> Pose:
    """`odd` is the share of unusual ones."""
    spread = 8 if wide else 6.5
    pitch, roll = (float(rng.choice([1, 2.2], p=[1 - 2 * odd, 2 * odd])) for _ in range(2))
    return Pose(
        plan_yaw,
        float(np.clip(exact.normal(rng, 0, pitch * spread), -30, 30)),
        float(np.clip(exact.normal(rng, 0, roll * (spread + 0.5)), -45, 45)),
    )


def _place(
    person: Person, face: float, size: tuple[int, int], rng: np.random.Generator, odd: float
) -> Camera:
    """A camera that shows the face about `face` pixels wide, with all points in the picture."""
    width, height = size
    # from a selfie to a telephoto lens
    distance = NEAREST * float(exact.power(FARTHEST / NEAREST, rng.uniform(0, 1)))
    camera = Camera(face / 146, (0.0, 0.0), distance)
    marks = person.landmarks(camera)
    low, high = marks.min(axis=0), marks.max(axis=0)
    room = np.array([width, height]) - (high - low)
    share = np.clip(exact.normal(rng, [0.5, 0.52], [0.14, 0.09]), 0.15, 0.85)
    if rng.uniform() < 1.2 * odd:  # the picture ends at the face, mostly below it or on its right
        share[rng.integers(2)] = rng.choice([0.02, 0.98], p=[0.3, 0.7])
    shift = room * share - low
    return Camera(camera.scale, (float(shift[0]), float(shift[1])), distance)


def _centred(person: Person, camera: Camera, side: int) -> Camera:
    """The camera moved so that the face is in the middle of a square picture."""
    x, y = ((side - 1) / 2 - person.landmarks(camera).mean(axis=0) + camera.centre).tolist()
    return Camera(camera.scale, (x, y), camera.distance)


def _points(plan: Plan, marks: np.ndarray) -> np.ndarray:
    if plan.kind != "profile":
        return marks
    return marks[_LEFT_HALF if plan.yaw > 0 else ibug.MIRROR[_LEFT_HALF]]


def sitter(plan: Plan) -> Person:
    """Whose points are annotated, without rendering the picture."""
    *_, person = _composed(plan, np.random.default_rng(plan.seed))
    return person


def _composed(plan: Plan, rng: np.random.Generator) -> tuple[int, int, float, Person]:
    """The picture's width and height, the face's width, and the person."""
    halves = rng.integers(125, 270), rng.integers(135, 285)
    width, height = (2 * int(half * plan.scale) for half in halves)
    shorter = min(width, height)
    low, high = 84 * plan.scale, 290 * plan.scale
    face = float(np.clip(shorter * rng.uniform(0.28, 0.68), low, high))
    wide = plan.name.startswith("Menpo")
    glasses = {"glasses": "clear", "sunglasses": "sun"}.get(plan.kind, "")
    person = random_person(rng, _pose(plan.yaw, rng, wide, _odd(plan)), glasses, plan.person)
    return width, height, face, person


def _odd(plan: Plan) -> float:
    return 0.0 if plan.kind == "small" else plan.odd


def render(plan: Plan) -> tuple[bytes, np.ndarray]:
    """The encoded picture, and its points (68, 2) or (39, 2) in pixels of the upright picture."""
    rng = np.random.default_rng(plan.seed)
    width, height, face, person = _composed(plan, rng)
    odd = _odd(plan)
    if plan.kind == "small":
        face = rng.uniform(*SMALL)
    camera = _place(person, face, (width, height), rng, odd)
    size = width, height
    if plan.kind == "turned":
        # the picture is cut out of this square
        width = height = 2 * math.ceil(exact.norm(np.array(size)) / 2)
        camera = _centred(person, camera, width)
    marks = person.landmarks(camera)
    lighting = unusual_lighting(rng) if rng.uniform() < 2.2 * odd else random_lighting(rng)
    canvas = Canvas(background(rng, width, height, person.look))
    if plan.kind == "two_faces":
        _draw_companion(canvas, marks, face, lighting, rng)
    draw(person, canvas, camera, lighting)
    dark = False
    if plan.kind == "hidden":
        dark = bool(rng.uniform() < 0.4)
        if not dark:
            scenery.cover_face(canvas.colour, marks, rng)
    elif plan.kind == "occluded":
        scenery.occlude(canvas.colour, marks, person.look, rng)
    colour = canvas.colour
    if rng.uniform() < 0.6 * odd:
        cast_shadows(colour, marks, rng)
    if plan.kind == "turned":
        colour, marks = cameras.turned(colour, marks, size, rng.uniform(-180, 180))
    picture = cameras.photograph(colour, marks, rng, dark, odd)
    suffix = PurePosixPath(plan.name).suffix
    return cameras.encode(picture, suffix, plan.kind, rng), _points(plan, marks)


def _draw_companion(
    canvas: Canvas, marks: np.ndarray, face: float, lighting: Lighting, rng: np.random.Generator
) -> None:
    """Draw a second, smaller person on the side where there is more room."""
    height, width = canvas.height, canvas.width
    middle = marks.mean(axis=0)
    side = 1 if middle[0] < width / 2 else -1
    smaller = face * rng.uniform(0.5, 0.78)
    other = random_person(rng, _pose(float(exact.normal(rng, -side * 10, 15)), rng, False), "")
    x = middle[0] + side * (face * 0.75 + smaller * 0.7)
    y = float(
        np.clip(middle[1] + exact.normal(rng, 0, 0.2) * face, smaller, height - smaller * 0.4)
    )
    draw(other, canvas, Camera(smaller / 146, (float(x), y), 1200.0), lighting)
    canvas.clear_depth()  # the annotated person stands in front
