"""Learn the map from one scheme of points to another, from faces that are labelled in both.

Each face is turned, scaled and shifted to lie on the mean shape, so that where and how a face lies
in its image does not matter. A ridge regression gives the points of the other scheme, as what is to
be added to those of the fixed map, if there is one. Its strength is the one that predicts best the
faces that it was not learnt from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath

import numpy as np

from facealign.core import ridge
from facealign.core.errors import InputError
from facealign.core.geometry import SMALLEST, Affine, Box, box_sizes, fitted_similarity, overlap
from facealign.core.points import can_become, is_known, mirror, scheme_of, select
from facealign.labels import conversion
from facealign.labels.faces import LabelledFace, by_image, listed
from facealign.labels.learnt_map import DIGITS, LearntMap, Side

FOLDS = 5
FEWEST = 20  # faces to learn from
STRENGTHS = tuple(10.0**power for power in range(0, -9, -1))  # of the ridge; the first of equals
ROUNDS = 10  # of finding the mean shape


@dataclass(frozen=True)
class Learnt:
    map: LearntMap
    fixed_nme: float | None  # of the fixed map on the same faces
    left_out: Counter[str]


def learn(
    source: Path,
    target: Path,
    source_format: str | None = None,
    target_format: str | None = None,
    images: Path | None = None,
) -> Learnt:
    """From labels of the same images in two schemes, in any formats."""
    ours, theirs = (
        conversion.read(path, name, images)[1]
        for path, name in ((source, source_format), (target, target_format))
    )
    left_out = ours.left_out + theirs.left_out
    both = _both(ours.faces, theirs.faces, left_out)
    names = [_stem(face.image) for face, _ in both]
    if len(both) < FEWEST or len(set(names)) < FOLDS:
        raise InputError(
            f"{source} and {target}: {len(both)} faces in {len(set(names))} images have all points "
            f"in both, expected at least {FEWEST} faces in {FOLDS} images{listed(left_out)}"
        )
    counts = [_count([pair[i] for pair in both], path) for i, path in enumerate((source, target))]
    points, wanted = (np.array([pair[i].points for pair in both]) for i in range(2))
    try:
        found = fit(names, points, wanted)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    known = can_become(*counts)
    fixed = _nme(select(points, counts[1]), wanted) if known else None
    return Learnt(found, fixed, +left_out)


def fit(images: Sequence[str], points: np.ndarray, wanted: np.ndarray) -> LearntMap:
    """From points (N, K, 2) of faces in these images to other points (N, M, 2) of theirs. If both
    schemes are known, also from the mirror images."""
    truth = wanted
    count, mirrored = len(points), is_known(points.shape[1]) and is_known(wanted.shape[1])
    if mirrored:
        points, wanted = (np.concatenate([its, _mirrored(its)]) for its in (points, wanted))
    reference = _mean_shape(points)
    frames = [fitted_similarity(one, reference) for one in points]
    shapes, goals = (
        np.stack([frame(one) for frame, one in zip(frames, its, strict=True)])
        for its in (points, wanted)
    )
    start = _fixed(points.shape[1], wanted.shape[1])
    inputs = (shapes - reference).reshape(len(points), -1)
    offsets = goals.reshape(len(points), -1) - shapes.reshape(len(points), -1) @ start
    folds = np.tile(_folds(images), len(points) // count)

    def held_out(strength: float) -> float:
        guesses = _out_of_fold(inputs, offsets, folds, strength)[:count]
        found = guesses + shapes[:count].reshape(count, -1) @ start
        return _nme(_back(frames, found.reshape(count, -1, 2)), truth)

    errors = {strength: held_out(strength) for strength in STRENGTHS}
    strength = min(errors, key=lambda one: errors[one])
    slopes, shift = ridge.fit(inputs, offsets, strength)
    expected = (reference.ravel() @ start + shift).reshape(-1, 2)
    return LearntMap(
        source=_side(points.shape[1]),
        target=_side(wanted.shape[1]),
        faces=count,
        mirrored=mirrored,
        strength=strength,
        held_out_nme=round(errors[strength], DIGITS),
        reference=reference.round(DIGITS),
        expected=expected.round(DIGITS),
        slopes=(slopes + start).round(DIGITS),
    )


def _nme(found: np.ndarray, wanted: np.ndarray) -> float:
    """Errors are divided by sqrt(H * W) of the box around the wanted points."""
    sizes = box_sizes(np.array([Box.around(one).corners for one in wanted]))
    errors = np.linalg.norm(found - wanted, axis=-1).mean(axis=-1)
    return float((errors / sizes).mean())


def _both(
    ours: Sequence[LabelledFace], theirs: Sequence[LabelledFace], left_out: Counter[str]
) -> list[tuple[LabelledFace, LabelledFace]]:
    """The faces that both have, whose boxes overlap most; their number of the face may differ."""
    known = {_stem(image): faces for image, faces in by_image(theirs).items()}
    pairs = []
    for image, faces in by_image(ours).items():
        others = known.get(_stem(image), [])
        shared = {
            (i, j): overlap(_box(face), _box(other))
            for (i, face), (j, other) in product(enumerate(faces), enumerate(others))
        }
        for (i, j), share in shared.items():
            rivals = [its for (k, m), its in shared.items() if (k == i) != (m == j)]
            if share > max(rivals, default=0.0):
                pairs.append((faces[i], others[j]))
    left_out["faces that only one of the two has"] += len(ours) + len(theirs) - 2 * len(pairs)
    whole = [
        (face, other)
        for face, other in pairs
        if not (np.isnan(face.points).any() or np.isnan(other.points).any())
    ]
    left_out["faces with some points only"] += len(pairs) - len(whole)
    return whole


def _box(face: LabelledFace) -> Box:
    return Box.around(face.points[~np.isnan(face.points[:, 0])])


def _stem(image: str) -> str:
    """An image's path without its suffix, which the two sets of labels may not share."""
    return str(PurePosixPath(image).with_suffix(""))


def _count(faces: Sequence[LabelledFace], path: Path) -> int:
    """Their number of points."""
    counts = sorted({len(face.points) for face in faces})
    if len(counts) > 1:
        listed = " and ".join(map(str, counts))
        raise InputError(f"{path}: faces of {listed} points, expected one number of points")
    for face in faces:
        box = _box(face)
        if min(box.width, box.height) < SMALLEST:
            raise InputError(f"{path}: {face.image}: its points have no width or no height")
    return counts[0]


def _mirrored(points: np.ndarray) -> np.ndarray:
    return points[:, mirror(points.shape[1])] * (-1, 1)


def _mean_shape(points: np.ndarray) -> np.ndarray:
    """(N, K, 2) -> (K, 2) about the origin, of a root mean square distance of 1 from it. It is as
    upright as most faces are, and symmetric if their mirror images are there, too."""
    centred = points - points.mean(axis=1, keepdims=True)
    units = centred / _size(centred)[:, None, None]
    mean = units.mean(axis=0)
    for _ in range(ROUNDS):
        mean = np.mean([fitted_similarity(one, mean / _size(mean))(one) for one in units], axis=0)
    return np.asarray(mean / _size(mean))


def _size(shapes: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.square(shapes).sum(axis=-1).mean(axis=-1)))


def _fixed(count: int, wanted: int) -> np.ndarray:
    """The fixed map as a matrix (2 K, 2 M), or zeros if there is none."""
    if not can_become(count, wanted):
        return np.zeros((2 * count, 2 * wanted))
    return select(np.eye(2 * count).reshape(-1, count, 2), wanted).reshape(2 * count, -1)


def _folds(images: Sequence[str]) -> np.ndarray:
    """The fold of each face: neighbours in the order of the names, as a person's images or the
    frames of a film are, lie in one."""
    names = sorted(set(images))
    fold = {name: place * FOLDS // len(names) for place, name in enumerate(names)}
    return np.array([fold[image] for image in images])


def _out_of_fold(
    inputs: np.ndarray, offsets: np.ndarray, folds: np.ndarray, strength: float
) -> np.ndarray:
    found = np.empty_like(offsets)
    for fold in np.unique(folds):
        held_out = folds == fold
        slopes, shift = ridge.fit(inputs[~held_out], offsets[~held_out], strength)
        found[held_out] = inputs[held_out] @ slopes + shift
    return found


def _back(frames: Sequence[Affine], found: np.ndarray) -> np.ndarray:
    """To pixels; there may be more frames than faces."""
    return np.stack([frame.inverse()(one) for frame, one in zip(frames, found, strict=False)])


def _side(count: int) -> Side:
    return Side(count, scheme_of(count).name if is_known(count) else "unknown")
