"""What networks see on labelled faces, in the frame of each face's box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from facealign.core import images
from facealign.core.errors import ConfigError, InputError
from facealign.core.faces import TRUTH, Detection, Faces
from facealign.core.geometry import Affine, Box
from facealign.core.parallel import map_in_order
from facealign.core.points import (
    can_become,
    common_count,
    eyes,
    mirror,
    require_common,
    scheme_of,
    select,
    use,
)
from facealign.core.schemes.scheme import Scheme
from facealign.faces.detection import Detect, box_from_points, largest_face
from facealign.inference.network import Network, repeated
from facealign.reports.duplicates import perceptual_hash

# Distance, as a share of the box's side, up to which networks agree with a label on whose face
# there is no rectangle of the detector.
AGREED = 0.1


@dataclass(frozen=True, eq=False)
class Sight:
    """One face as networks see it; lengths are shares of the side of its box."""

    to_frame: Affine  # pixels -> the box: its centre is 0, its side 1, the face upright
    points: np.ndarray  # (K, 2), the mean of all runs of all networks, in the frame
    spread: float  # mean distance of the runs' points from that mean
    hash: int  # of the image


@dataclass(frozen=True, eq=False)
class _Labelled:
    image: str
    points: np.ndarray
    face: Detection | None  # the detector's rectangle on it


def look(
    root: Path, faces: Faces, boxes: Faces, networks: Sequence[Path], detect: Detect
) -> list[Sight]:
    """Of each face of the table, which has `points`; `boxes` has the rectangles of some of them,
    and those around labels count for nothing."""
    boxes = boxes.subset(boxes["source"] != TRUTH)
    found = dict(zip(boxes.images, boxes.boxes.tolist(), strict=True))
    rolls = dict(zip(boxes.images, boxes["roll"].tolist(), strict=True))
    labelled = [
        _Labelled(
            image,
            points,
            Detection(Box(*found[image]), roll=float(rolls[image])) if image in found else None,
        )
        for image, points in zip(faces.images, faces.points, strict=True)
    ]
    judges = [Network(path, threads=1) for path in networks]
    scheme = scheme_of(faces.points.shape[1])
    work = partial(_look, root, judges, common_of(judges), detect, scheme)
    return list(map_in_order(work, labelled, "suspects"))


def common_of(networks: Sequence[Network]) -> int:
    """The number of points in which the networks are compared."""
    try:
        return require_common(*sorted({network.count for network in networks}))
    except InputError as error:
        raise ConfigError(f"suspects.networks: {error}") from None


def can_be_boxed(count: int) -> bool:
    """Whether faces of so many points have a box even where no detector finds them."""
    return can_become(count, 68) or can_become(count, 5)


def _look(
    root: Path,
    networks: Sequence[Network],
    count: int,
    detect: Detect,
    scheme: Scheme,
    labelled: _Labelled,
) -> Sight:
    if scheme.source is not None:  # a worker process does not know it yet
        use(scheme)
    image = images.read(root / labelled.image)
    hash_ = perceptual_hash(image)
    if labelled.face is not None:
        return _see(networks, count, image, labelled.face, hash_)
    # a label whose left and right points are swapped stands on its head
    either = labelled.points, labelled.points[mirror(len(labelled.points))]
    sights = [_see(networks, count, image, box_of_label(points), hash_) for points in either]
    by_label = min(sights, key=lambda one: one.spread)
    elsewhere = largest_face(image, detect)
    if elsewhere is None or _agree(by_label, labelled.points):
        return by_label
    return _see(networks, count, image, elsewhere, hash_)


def _see(
    networks: Sequence[Network], count: int, image: np.ndarray, face: Detection, hash_: int
) -> Sight:
    each = [select(repeated(network, image, face), count) for network in networks]
    to_frame = frame_of(face)
    runs = to_frame(np.concatenate(each))
    points = runs.mean(axis=0)
    return Sight(to_frame, points, float(np.linalg.norm(runs - points, axis=-1).mean()), hash_)


def frame_of(face: Detection) -> Affine:
    x, y = face.box.centre
    side = math.sqrt(face.box.width * face.box.height)
    return Affine.similarity(1 / side, -face.roll) @ Affine.translation(-x, -y)


def box_of_label(points: np.ndarray) -> Detection:
    """Where a detector would see a face with these points, turned as its eyes are."""
    (left_x, left_y), (right_x, right_y) = eyes(points).tolist()
    roll = math.degrees(math.atan2(right_y - left_y, right_x - left_x))
    x, y = points.mean(axis=0).tolist()
    turn = Affine.translation(x, y) @ Affine.similarity(1, roll) @ Affine.translation(-x, -y)
    upright = box_from_points(turn.inverse()(points))
    x, y = turn(np.array(upright.centre)).tolist()
    across, down = upright.width / 2, upright.height / 2
    return Detection(Box(x - across, y - down, x + across, y + down), roll=roll)


def _agree(sight: Sight, points: np.ndarray) -> bool:
    count = common_count([len(points), len(sight.points)])
    if count is None:
        return True
    seen, label = select(sight.points, count), select(sight.to_frame(points), count)
    return bool(np.linalg.norm(seen - label, axis=-1).mean() < AGREED)
