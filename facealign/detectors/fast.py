"""The fast detector: BlazeFace on the whole image and on parts of it, with boxes like dlib's."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from facealign.core.faces import Detection
from facealign.core.geometry import Affine, Box, overlap
from facealign.detectors.blazeface import WEIGHTS, BlazeFace, Kind, Raw

MAPS = WEIGHTS / "boxes.json"
SHARP = 1000  # pixels: an image at least twice as long is shrunk once, for all looks
LEAST = 0.3  # score of what may be a face; at CLEAR it is one
CLEAR = 0.5
USED = 4  # keypoints: eyes, nose and mouth; those at the ears are less exact
SURE = 0.82  # score of a face whose keypoints are right
MARGIN = 0.1  # by which the score is higher if the face is turned by a quarter or more
SMALL = 0.15  # of a region's side: keypoints of smaller faces are not exact
TURNED = 30.0  # degrees: nor are those of faces that are turned further
AROUND = 2.5  # sides of a face's box in the region in which it is looked at again
SAME = 0.3  # faces whose boxes overlap by a larger share of their union are one
HINT = 0.2  # score: `full` may see a face where `short` has such a doubt
# of a region's side: beside a smaller face, `full` may see more, and closer looks yet more
ALONE, CROWD = 0.2, 0.12
SMALLEST = 12  # pixels of a box: a smaller face has no features
SMALLEST_TILE = 192  # pixels: the network's input


_Seen = tuple[Kind, Raw]


@dataclass(frozen=True, eq=False)
class BoxMap:
    """From the keypoints to dlib's rectangle of the upright face and to the roll, learnt by
    `facealign.experiments.fit_boxes`.

    Keypoints are moved, scaled and turned onto `shape` as well as possible; what remains of their
    differences gives, by linear regression, the middle and the logarithm of the side of the
    rectangle and a correction of the roll in degrees.
    """

    shape: np.ndarray  # (USED, 2), with mean 0
    weights: np.ndarray  # (1 + 2 * USED, 4)

    def __call__(self, keypoints: np.ndarray) -> tuple[Box, float]:
        """The rectangle, about whose middle the face is turned, and the roll."""
        to_image, remaining = pose(keypoints[:USED], self.shape)
        x, y, log_side, turn = features(remaining) @ self.weights
        x, y = to_image(np.array([x, y])).tolist()
        half = math.exp(log_side) * to_image.scale / 2
        cos, _, _ = to_image.matrix[0].tolist()
        sin, _, _ = to_image.matrix[1].tolist()
        roll = math.degrees(math.atan2(sin, cos)) + float(turn)
        return Box(x - half, y - half, x + half, y + half), (roll + 180) % 360 - 180


def pose(keypoints: np.ndarray, shape: np.ndarray) -> tuple[Affine, np.ndarray]:
    """The similarity that brings `shape` closest to the keypoints, and these moved back by it."""
    middle = keypoints.mean(axis=0)
    (x, y), (u, v) = (keypoints - middle).T, shape.T
    size = (shape**2).sum()
    across, down = (x * u + y * v).sum() / size, (y * u - x * v).sum() / size
    to_image = Affine(np.array([[across, -down, middle[0]], [down, across, middle[1]]]))
    return to_image, to_image.inverse()(keypoints)


def features(remaining: np.ndarray) -> np.ndarray:
    return np.concatenate([[1.0], remaining.ravel()])


def find_faces(image: np.ndarray) -> list[Detection]:
    """The faces of an RGB image, best first; scores from LEAST to 1."""
    small, to_image = _shrunk(image)
    height, width = small.shape[:2]
    whole = Box.of_picture(width, height)
    found, side = _look("short", small, whole, HINT), max(whole.width, whole.height)
    hints = any(raw.score < CLEAR for _, raw in found)
    found = [seen for seen in found if seen[1].score >= LEAST]
    if hints or _may_be_more(found, ALONE * side):
        found = _distinct([*found, *_look("full", small, whole)])
    while side / 2 >= SMALLEST_TILE and _may_be_more(found, CROWD * side):
        side /= 2
        tiles = (face for tile in _tiles(whole, side) for face in _look("full", small, tile))
        found = _distinct([*found, *tiles])
    maps = {kind: _box_map(kind) for kind in ("short", "full")}
    faces = []
    for kind, raw in found:
        box, roll = maps[kind](to_image(raw.keypoints))
        if box.width >= SMALLEST:
            faces.append(Detection(box, raw.score, roll))
    return sorted(faces, key=lambda face: -(face.score or 0))


def _may_be_more(found: list[_Seen], width: float) -> bool:
    """Whether there may be faces that were not seen: there is none, or one below this width."""
    widths = [raw.box.width for _, raw in found if raw.score >= CLEAR]
    return not widths or min(widths) < width


def _look(kind: Kind, image: np.ndarray, region: Box, least: float = LEAST) -> list[_Seen]:
    """The distinct faces of a region; those that are not plain are looked at again."""
    side = max(region.width, region.height)
    return _distinct(
        (_closer(image, kind, raw) or (kind, raw)) if _is_vague(kind, raw, side) else (kind, raw)
        for raw in BlazeFace(kind)(image, region, least)
    )


def _is_vague(kind: Kind, raw: Raw, side: float) -> bool:
    """Whether its keypoints may be wrong: the face is small, turned or uncertain."""
    if raw.score < LEAST:
        return False
    turned = abs(_box_map(kind)(raw.keypoints)[1]) > TURNED
    return raw.score < SURE or raw.box.width < SMALL * side or turned


def _closer(image: np.ndarray, kind: Kind, raw: Raw) -> _Seen | None:
    """The face seen closer and upright; an uncertain one in four orientations, because the
    keypoints of a face that is upside down look like those of an upright one."""
    roll = _box_map(kind)(raw.keypoints)[1]
    x, y = raw.box.centre
    half = AROUND * max(raw.box.width, raw.box.height) / 2
    region = Box(x - half, y - half, x + half, y + half)

    def look(turn: float) -> Raw | None:
        seen = BlazeFace("short")(image, region, LEAST, roll + turn)
        near = (one for one in seen if math.dist(one.box.centre, (x, y)) < half / AROUND)
        return next(near, None)  # the best comes first

    best = look(0)
    if best is None or best.score < SURE:
        others = [one for turn in (90, 180, 270) if (one := look(turn))]
        other = max(others, key=lambda one: one.score, default=None)
        if other and (best is None or other.score > best.score + MARGIN):
            best = other
    if best is None:
        return None
    # both looks count: the best of several scores of what is no face may be high
    return "short", replace(best, score=(raw.score + best.score) / 2)


def _distinct(found: Iterable[_Seen]) -> list[_Seen]:
    """The best of each group that overlaps."""
    kept: list[_Seen] = []
    for kind, raw in sorted(found, key=lambda seen: -seen[1].score):
        if all(overlap(raw.box, other.box) <= SAME for _, other in kept):
            kept.append((kind, raw))
    return kept


def _shrunk(image: np.ndarray) -> tuple[np.ndarray, Affine]:
    """A large image averaged over whole blocks, and the map back to its own pixels."""
    height, width = image.shape[:2]
    block = min(max(height, width) // SHARP, height, width)
    if block <= 1:
        return image, Affine.identity()
    wide, high = width // block, height // block
    whole = image[: high * block, : wide * block]
    small = cv2.resize(whole, (wide, high), interpolation=cv2.INTER_AREA)
    # the centre of small pixel i lies at block * i + (block - 1) / 2
    middle = (block - 1) / 2
    return small, Affine.translation(middle, middle) @ Affine.similarity(block)


def _tiles(whole: Box, side: float) -> list[Box]:
    """Squares that overlap by half of their side."""
    return [
        Box(left, top, left + side, top + side)
        for top in _starts(whole.top, whole.height, side)
        for left in _starts(whole.left, whole.width, side)
    ]


def _starts(low: float, length: float, side: float) -> list[float]:
    """Evenly from one end to the other."""
    count = 1 + max(0, math.ceil((length - side) / (side / 2)))
    return [low + max(0.0, length - side) * i / max(1, count - 1) for i in range(count)]


@cache
def _box_map(kind: Kind) -> BoxMap:
    stored = json.loads(MAPS.read_text(encoding="utf-8"))[kind]
    return BoxMap(np.array(stored["shape"]), np.array(stored["weights"]))
