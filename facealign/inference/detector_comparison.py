"""How face detectors compare on pictures with one annotated face each."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TypedDict

import numpy as np

from facealign.core import images
from facealign.core.errors import ImageError, InputError
from facealign.core.faces import Detection, Faces
from facealign.core.geometry import Affine, Box, crop_map
from facealign.core.parallel import map_in_order
from facealign.core.points import require_common, select
from facealign.evaluation import metrics
from facealign.faces import detection
from facealign.inference.aligner import Aligner, expected_detection

MOST_OFF = 25.0  # degrees by which a roll may differ from that of the true points


# a picture's faces, as boxes around their landmarks
Finder = Callable[[np.ndarray], Sequence[Box]]


@dataclass(frozen=True)
class Match:
    """The landmarks of the annotated face in the box that was found."""

    error: float  # mean distance, over the side of the rectangle expected of dlib
    by_eyes: float  # the same over the distance of the outer eye corners
    roll: float  # the detector's
    roll_off: float  # how far it is from that of the true points, degrees


@dataclass(frozen=True)
class Look:
    """What a method makes of one picture."""

    detector_ms: float | None
    picture_ms: float  # landmarks included
    found: bool
    false: Sequence[Box]  # of faces that are not the annotated one
    match: Match | None = None  # of an aligner


class Figures(TypedDict):
    """Of one method; null where there is nothing to measure.

    The errors are those of the network's points in the detector's own boxes. Each is divided by a
    length that is the same for all detectors: for `auc_08` the side of dlib's rectangle as it is
    expected from the true points, which exists where dlib finds no face, too.
    """

    found: int
    missed: int
    false: int
    unconfirmed: int  # of these, where no other method sees a face
    detector_ms: float | None  # median time of the processor, all threads together
    picture_ms: float  # landmarks included
    wrong_rolls: int | None  # of the found; null if the detector gives no rolls
    auc_08: float | None
    nme_interocular: float | None
    median_interocular: float | None
    common_auc_08: float | None  # on the faces that all detectors find
    common_nme_interocular: float | None


@dataclass(frozen=True)
class Comparison:
    methods: dict[str, Figures]
    images: int
    common: int  # faces that all detectors find
    unreadable: list[str]  # reasons


def compare(
    known: Faces,
    aligners: Mapping[str, Aligner],
    others: Mapping[str, Finder] | None = None,
    turned: bool = False,
) -> Comparison:
    """The detectors of these aligners on pictures and their true `points`, as they are or `turned`.

    What counts is what `Aligner.predict` would give. `others` are whole methods, of which only the
    faces and the time are measured. All take turns on each picture, so that load affects their
    times equally.
    """
    each = list(zip(known.images, known.points, strict=True))
    look = partial(_look_all, aligners, others or {}, turned)
    results = list(map_in_order(look, each, "turned" if turned else "detectors"))
    unreadable = [str(result) for result in results if isinstance(result, ImageError)]
    seen = [result for result in results if not isinstance(result, ImageError)]
    if not seen:
        raise InputError(f"none of the pictures can be read: {unreadable[0]}")
    common = [looks for looks in seen if all(looks[name].found for name in aligners)]
    return Comparison(
        methods={name: _figures(name, seen, common) for name in seen[0]},
        images=len(seen),
        common=len(common),
        unreadable=unreadable,
    )


def turn(image: np.ndarray, degrees: float) -> tuple[np.ndarray, Affine]:
    """The picture turned clockwise, uncut, with its border pixels repeated around it, and the map
    to it."""
    height, width = image.shape[:2]
    side = math.ceil(math.hypot(width, height))
    x, y = Box.of_picture(width, height).centre
    square = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    there = crop_map(square, 0, side, -degrees)
    return images.warp(image, there, side), there


def angle(path: Path) -> float:
    """Any, in degrees, but always the same for a file of this name."""
    return random.Random(path.name).uniform(-180, 180)


def _look_all(
    aligners: Mapping[str, Aligner],
    others: Mapping[str, Finder],
    turned: bool,
    face: tuple[str, np.ndarray],
) -> dict[str, Look] | ImageError:
    """At one picture, given its path and its true points, in a worker process."""
    path, points = Path(face[0]), face[1]
    try:
        image = images.read(path)
    except ImageError as error:
        return error
    if turned:
        image, there = turn(image, angle(path))
        points = there(points)
    looks = {name: _look(aligner, image, points) for name, aligner in aligners.items()}
    return looks | {name: _look_of_other(find, image, points) for name, find in others.items()}


def _look(aligner: Aligner, image: np.ndarray, points: np.ndarray) -> Look:
    _warm_up(aligner.predict)
    started = time.process_time()
    candidates = aligner.candidates(image)
    detected = time.process_time()
    faces = aligner.predict(image, candidates)
    ended = time.process_time()
    kept = [pair for pair in zip(candidates, faces, strict=True) if aligner.is_face(pair[1])]
    face = detection.choose([face for _, face in kept], points)
    times = 1000 * (detected - started), 1000 * (ended - started)
    false = [its.box for _, its in kept if its is not face]
    if face is None:
        return Look(*times, found=False, false=false)
    roll = next(one.roll for one, its in kept if its is face)
    expected = expected_detection(points)
    count = require_common(len(points), len(face.points))
    truth = select(points, count)
    distance = float(metrics.mean_distances(select(face.points, count), truth))
    match = Match(
        error=distance / expected.box.width,
        by_eyes=distance / float(metrics.interocular(truth[None])[0]),
        roll=roll,
        roll_off=abs((roll - expected.roll + 180) % 360 - 180),
    )
    return Look(*times, found=True, false=false, match=match)


def _look_of_other(find: Finder, image: np.ndarray, points: np.ndarray) -> Look:
    _warm_up(find)
    started = time.process_time()
    found = [Detection(box) for box in find(image)]
    ms = 1000 * (time.process_time() - started)
    face = detection.choose(found, points)
    return Look(None, ms, face is not None, [one.box for one in found if one is not face])


@cache
def _warm_up(find: Callable[[np.ndarray], object]) -> None:
    """Once in each process: the first picture loads what is loaded once."""
    find(np.zeros((64, 64, 3), np.uint8))


def _figures(
    name: str, seen: Sequence[Mapping[str, Look]], common: Sequence[Mapping[str, Look]]
) -> Figures:
    looks = [each[name] for each in seen]
    found = sum(look.found for look in looks)
    matches = [look.match for look in looks if look.match]
    shared = [match for each in common if (match := each[name].match)]
    detector_ms = [look.detector_ms for look in looks if look.detector_ms is not None]
    off = sum(match.roll_off > MOST_OFF for match in matches)
    return {
        "found": found,
        "missed": len(looks) - found,
        "false": sum(len(look.false) for look in looks),
        "unconfirmed": sum(_count_unconfirmed(name, each) for each in seen),
        "detector_ms": round(float(np.median(detector_ms)), 2) if detector_ms else None,
        "picture_ms": round(float(np.median([look.picture_ms for look in looks])), 2),
        "wrong_rolls": off if any(match.roll for match in matches) else None,
        "auc_08": _auc(matches),
        "nme_interocular": _nme(matches),
        "median_interocular": _median([match.by_eyes for match in matches]),
        "common_auc_08": _auc(shared),
        "common_nme_interocular": _nme(shared),
    }


def _count_unconfirmed(name: str, looks: Mapping[str, Look]) -> int:
    others = [box for other, look in looks.items() if other != name for box in look.false]
    middles = [np.array(box.centre) for box in looks[name].false]
    return sum(not any(box.holds(middle) for box in others) for middle in middles)


def _auc(matches: Sequence[Match]) -> float | None:
    errors = np.array([match.error for match in matches])
    return metrics.auc(errors, metrics.LIMIT) if matches else None


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def _nme(matches: Sequence[Match]) -> float | None:
    return float(np.mean([match.by_eyes for match in matches])) if matches else None
