"""A human head in three dimensions: identity, expression, pose and the 68 points on it.

The head is a set of control points in millimetres: x points to the viewer's right, y down and z
towards the viewer. The first 68 control points are the iBUG points, so a picture is annotated by
projecting them. Between the control points the skin is interpolated by radial basis functions of
the direction from the centre of the skull. The same direction maps the skin to the flat texture
map. Identity and expression never move anything on that map: lips are always painted between the
lip points, wherever these are in space.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from facealign.faces.mean_face import MEAN_FACE
from facealign.synthesis import exact

GRID = 112  # the surface is evaluated at GRID x GRID places of the map
SKULL_MIDDLE = np.array([0.0, -30.0, -80.0])
SKULL_RADII = np.array([75.0, 110.0, 100.0])
JAW_HINGE = np.array([-18.0, -68.0])  # y, z of the axis of the jaw's rotation

# The other control points; those with x < 0 are mirrored to the other side.
_SHAPE = """
0 -72 13   0 -95 9   0 -118 -8   0 -140 -38   0 -151 -80   0 -140 -130   0 -105 -168   0 -50 -180
0 0 -168   0 40 -140   -30 -80 6   -30 -108 -8   -32 -134 -42   -36 -142 -88   -58 -75 -19
-66 -58 -38   -70 -85 -60   -58 -116 -62   -77 -80 -98   -74 -40 -102   -58 -112 -132   -60 -40 -150
-50 10 -132   -66 12 -88   -45 45 -104   -58 -22 -13   -68 -28 -32   -42 -12 5   -30 -16 9
-47 8 0   -58 18 -19   -44 36 -4   -36 27 2   -24 58 5   0 59 18   0 48 15.5   -14 50 12   0 80 -14
0 72 -48   -25 66 -42   -42 51 -58   -60 36 -66   -8 -32 12.5   -9.5 -21 18   -11 -11 24
-17.5 -2 18.5   -13.5 -8 24   -6.5 -8 34.5   0 1.5 33.5   -7 2.2 28   -20 -8 12   -21 3 12
-13 -41 5.5   0 13 24.5   -12 13 21   -26 13 10.5   -37 -54.5 1   -25 -54.5 4   -16 -49 6.5
-38 -28.5 1.5   -28 -27 4.5   -48 -49 -7   -51 -33 -8   -3 -58 14.5
"""


_LIDS = ((36, 37, 38, 39), (39, 40, 41, 36), (42, 43, 44, 45), (45, 46, 47, 42))


def _eye_openings(face: np.ndarray) -> np.ndarray:
    """Control points derived from those of the eyes: smooth lid edges, and the eyeballs."""
    edges = []
    for lid in _LIDS:
        a, b, c, d = face[list(lid)]  # the midpoints on the Catmull-Rom curve:
        edges.append([(7 * a + 10 * b - c) / 16, (9 * (b + c) - a - d) / 16])
        edges[-1].append((7 * d + 10 * c - b) / 16)
    middles = np.array(edges)[:, 1]
    gaps = exact.norm(middles[::2] - middles[1::2])
    eyeballs = (middles[::2] + middles[1::2]) / 2 + np.outer(gaps, (0, 0, 0.16))
    return np.concatenate([np.concatenate(edges), eyeballs])


def _neutral() -> np.ndarray:
    shape = np.array(_SHAPE.split(), dtype=float).reshape(-1, 3)
    shape = np.concatenate([shape, shape[shape[:, 0] < 0] * (-1, 1, 1)])
    return np.concatenate([MEAN_FACE, shape, _eye_openings(MEAN_FACE)])


NEUTRAL = _neutral()


@cache
def near(centre: tuple[float, float, float] | int, reach: float) -> np.ndarray:
    """(controls,): 1 for those at a place or at a control point, falling to 0."""
    place = NEUTRAL[centre] if isinstance(centre, int) else centre
    return exact.exp(-(((NEUTRAL - place) / reach) ** 2).sum(axis=1))


@dataclass(frozen=True)
class Expression:
    """The facial expression; 0 is neutral, 1 is strong. Pairs are the viewer's left and right."""

    jaw_drop: float = 0.0
    jaw_aside: float = 0.0  # millimetres
    apart: float = 1.0  # of the lips; 0 is closed, 1 as in the mean face
    smiles: tuple[float, float] = (0.0, 0.0)  # below 0 the corner is down
    pout: float = 0.0  # below 0 the mouth is wide
    press: float = 0.0  # lips rolled in
    puff: float = 0.0  # cheeks full of air
    brow_raises: tuple[float, float] = (0.0, 0.0)
    frown: float = 0.0
    sulk: float = 0.0  # inner ends of the brows raised
    lids: tuple[float, float] = (0.0, 0.0)  # of each eye; 1 is closed, below 0 is wide open
    squint: float = 0.0  # lower lids raised
    teeth: tuple[float, float] = (1.0, 0.0)  # share of the upper and the lower ones to be seen


def smooth_step(low: float, high: float, values: np.ndarray) -> np.ndarray:
    t = ((values - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


@cache
def _jaw_share() -> np.ndarray:
    """How far each control point moves with the jaw, 0 to 1."""
    share = smooth_step(12, 62, NEUTRAL[:, 1]) * smooth_step(-100, -35, NEUTRAL[:, 2])
    share[49:54] = share[61:64] = 0
    share[[48, 54, 60, 64]] = 0.4
    share[[55, 59]], share[56:59], share[65:68] = 0.8, 1, 1
    return share


@cache
def _brow_share() -> np.ndarray:
    """How far each control point moves with the brows, 0 to 1."""
    heights = exact.exp(-(((NEUTRAL[:, 1] + 61) / 12) ** 2))
    return heights * smooth_step(-40, -5, NEUTRAL[:, 2])


def _lips(face: np.ndarray, expression: Expression) -> None:
    """Part or close the lips, and roll them in."""
    upper, lower = np.array([61, 62, 63]), np.array([67, 66, 65])
    change = (expression.apart - 1) * (face[lower] - face[upper])[:, 1:]
    face[upper, 1:] -= 0.35 * change
    face[lower, 1:] += 0.65 * change
    face[49:54, 1:] -= 0.25 * change[[0, 0, 1, 2, 2]] * _LIP_SHARE
    face[[59, 58, 57, 56, 55], 1:] += 0.5 * change[[0, 0, 1, 2, 2]] * _LIP_SHARE
    inner = np.concatenate([face[61:62], face[61:64], face[63:64]])
    face[49:54] += 0.55 * expression.press * (inner - face[49:54]) * (0, 1, 0.6)
    inner = np.concatenate([face[65:66], face[65:68], face[67:68]])
    face[55:60] += 0.55 * expression.press * (inner - face[55:60]) * (0, 1, 0.6)


_LIP_SHARE = np.array([0.6, 1, 1, 1, 0.6])[:, None]


def express(person: np.ndarray, expression: Expression) -> np.ndarray:
    """The control points of a person with this expression."""
    face = person.copy()
    _lips(face, expression)
    for side, mouth, smile, raised in zip(
        (-1, 1), (48, 54), expression.smiles, expression.brow_raises, strict=True
    ):
        corner = near(mouth, 11)[:, None]
        face += corner * (smile * np.array([side * 5.5, -5.0, -3.5]))
        face -= corner * (expression.pout * np.array([side * 4.5, 0, -3.0]))
        apple = near((side * 42, -10, 5), 14)[:, None]
        face += apple * (smile * np.array([0, -2.5, 2.0]))
        face += near((side * 44, 24, -6), 18)[:, None] * (
            expression.puff * np.array([side * 5.0, 0, 6.0])
        )
        sideways = smooth_step(-12, 12, side * NEUTRAL[:, 0])
        face[:, 1] -= 5.0 * raised * _brow_share() * sideways
        inner = near(21 if side < 0 else 22, 9)[:, None]
        face += inner * (expression.frown * np.array([-side * 2.0, 3.0, 0]))
        face += inner * (expression.sulk * np.array([0, -4.5, 0]))
    pursed = near(62, 14) * max(expression.pout, 0.0)
    face[:, 2] += 3.0 * pursed
    jaw = _jaw_share()
    if expression.jaw_drop > 0:
        angles = np.radians(19) * expression.jaw_drop * jaw
        y, z = (face[:, 1:] - JAW_HINGE).T
        cos, sin = exact.cos(angles), exact.sin(angles)
        face[:, 1] = JAW_HINGE[0] + cos * y + sin * z
        face[:, 2] = JAW_HINGE[1] - sin * y + cos * z
    face[:, 0] += expression.jaw_aside * jaw
    for eye, (upper, lower) in enumerate((((37, 38), (41, 40)), ((43, 44), (47, 46)))):
        amount = expression.lids[eye]
        gap = face[list(lower)] - face[list(upper)]
        face[list(upper)] += 0.86 * amount * gap
        rise = 0.08 * amount + 0.2 * expression.squint * np.clip(1 - amount, 0, 1)
        face[list(lower)] -= rise * gap
    openings = _eye_openings(face)
    face[-len(openings) :] = openings
    return face


# The map shows the head with an open mouth and wide eyes, so that there is room to paint in them.
LAYOUT = express(NEUTRAL, Expression(jaw_drop=0.3, lids=(-0.15, -0.15)))


def _directions(places: np.ndarray) -> np.ndarray:
    rays = (places - SKULL_MIDDLE) / SKULL_RADII
    return rays / exact.norm(rays)[..., None]


def _direction_to_map(directions: np.ndarray) -> np.ndarray:
    """To [-1, 1] squared: the face in the centre, the back of the head along the rim."""
    x, y, z = np.moveaxis(directions, -1, 0)
    sideways = exact.hypot(x, y).clip(1e-9)
    radius = exact.sin(0.6 * exact.arctan2(sideways, z))
    return np.stack([radius * x / sideways, radius * y / sideways], axis=-1)


def _map_to_direction(places: np.ndarray) -> np.ndarray:
    radius = exact.norm(places).clip(1e-9)
    sine = radius.clip(0, 1)
    angle = exact.arctan2(sine, np.sqrt(1 - sine * sine)) / 0.6
    scale = exact.sin(angle) / radius
    return np.stack([places[..., 0] * scale, places[..., 1] * scale, exact.cos(angle)], axis=-1)


CONTROLS_ON_MAP = _direction_to_map(_directions(LAYOUT))


def _kernel(places: np.ndarray, centres: np.ndarray) -> np.ndarray:
    squares = ((places[..., None, :] - centres) ** 2).sum(axis=-1)
    smooth = np.sqrt(squares + 0.025 * 0.025)
    ones = np.ones((*places.shape[:-1], 1))
    return np.concatenate([smooth, places, ones], axis=-1)


@cache
def _solve() -> np.ndarray:
    """The matrix from control points to the weights of the basis functions."""
    centres = _directions(LAYOUT)
    count = len(centres)
    system = np.zeros((count + 4, count + 4))
    system[:count] = _kernel(centres, centres)
    system[count:, :count] = system[:count, count:].T
    return exact.inverse(system)[:, :count]


# Of a basis function and of millimetres, behind the point. A sum of their products needs 19 more.
_BASIS_BITS, _CONTROL_BITS = 22, 12


def _basis(places_on_map: np.ndarray) -> np.ndarray:
    """(..., 2) places on the map -> (..., controls): how each control point moves each place."""
    kernel = _kernel(_map_to_direction(places_on_map), _directions(LAYOUT))
    basis = exact.matmul(kernel.reshape(-1, kernel.shape[-1]), _solve())
    return exact.rounded(basis, _BASIS_BITS).reshape(*kernel.shape[:-1], -1)


def _placed(basis: np.ndarray, controls: np.ndarray) -> np.ndarray:
    """basis (N, controls) -> (N, 3)."""
    coordinates = np.ascontiguousarray(exact.rounded(controls, _CONTROL_BITS).T)
    return np.asarray(coordinates @ basis.T).T  # BLAS is slower at places @ controls


@cache
def _surface_basis() -> np.ndarray:
    ticks = (np.arange(GRID) + 0.5) * 2 / GRID - 1
    basis = _basis(np.stack(np.meshgrid(ticks, ticks), axis=-1)).reshape(GRID * GRID, -1)
    return np.asfortranarray(basis)


def surface(controls: np.ndarray) -> np.ndarray:
    """(GRID, GRID, 3) places in space; rows and columns are y and x of the map."""
    places = _placed(_surface_basis(), controls)
    return np.asarray(places.reshape(GRID, GRID, 3), dtype=np.float32)


@cache
def layout_surface() -> np.ndarray:
    """Where each place of the map lies on the head LAYOUT."""
    return surface(LAYOUT)


_JAW_STEPS = 28
# Where these lines begin: about 9 mm behind the outline seen from the front, at the ear and at the
# edge of the jaw, as a share of the way from the middle of the map; at the chin on the outline.
_BEHIND = np.array([0.05, 0.05, 0.05, 0.05, 0.05, 0.04, 0.02, 0, 0])


@cache
def _jaw_basis() -> np.ndarray:
    """(17 * steps, controls): lines through each jaw point across the cheek towards the nose."""
    start = CONTROLS_ON_MAP[:17, None]
    behind = -np.concatenate([_BEHIND, _BEHIND[-2::-1]])
    shrink = np.linspace(behind, 0.6, _JAW_STEPS, axis=1)[..., None] * np.array([1, 0.55])
    return np.asfortranarray(_basis(start * (1 - shrink)).reshape(17 * _JAW_STEPS, -1))


def jaw_lines(controls: np.ndarray) -> np.ndarray:
    """(17, steps, 3): the possible places of each jaw point, from the back to the front."""
    return _placed(_jaw_basis(), controls).reshape(17, _JAW_STEPS, 3)


def visible_jaw(lines: np.ndarray, across: np.ndarray) -> np.ndarray:
    """The step of each projected jaw line (17, steps, 2) that an annotator would mark.

    On a turned head the cheek hides the far side of the jaw, and annotators mark the outline; on
    the near side they mark the jaw's edge and where the ear begins. Both are the step that lies
    furthest outwards. `across` is the unit vector from left to right of the face.
    """
    down = np.array([-across[1], across[0]])
    slope = np.radians(np.array([0, 0, 0, 5, 15, 25, 35, 45, 90]))
    slope = np.concatenate([slope, slope[-2::-1]])
    side = np.where(np.arange(17) < 8, -1.0, 1.0)
    outwards = np.outer(side * exact.cos(slope), across) + np.outer(exact.sin(slope), down)
    steps = exact.dot(lines, outwards[:, None]).argmax(axis=1)
    steps[8] = 0
    return steps


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Degrees; yaw turns the face to the viewer's right, pitch down, roll clockwise."""
    (cy, cp, cr), (sy, sp, sr) = (f(np.radians([yaw, pitch, roll])) for f in (exact.cos, exact.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return exact.transform(exact.transform(tilt, nod), turn)


def to_map(places: np.ndarray) -> np.ndarray:
    """Places (N, 3) near the surface of the head LAYOUT -> the map."""
    return _direction_to_map(_directions(places))
