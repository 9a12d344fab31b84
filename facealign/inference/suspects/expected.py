"""Where labels would be expected, from what networks see, and how far off labels usually are.

The networks' points become labels by a ridge regression, which removes what annotators place
differently everywhere. It is learnt out of fold: a face's own label has no part in what is expected
of it. Faces that fit worst are left out, so that wrong labels teach little.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facealign.core import ridge
from facealign.core.errors import InputError
from facealign.core.files import in_fold
from facealign.core.points import can_become, select

FOLDS = 5
FEWEST = 20  # faces to learn from
KEPT = 0.9  # share of the faces that the map is learnt from, the best fitting ones
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)  # of the ridge; the one that predicts best is taken
NEIGHBOURS = 20  # at least so many faces say what is usual for a spread


def expected(images: Sequence[str], seen: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(N, K, 2) out of fold, from what networks see (N, P, 2) and the labels (N, K, 2)."""
    if len(labels) < FEWEST:
        raise InputError(
            f"suspects.networks: {len(labels)} labelled faces to judge, expected at least {FEWEST}"
        )
    count = labels.shape[1]
    known = can_become(seen.shape[1], count)
    start = select(seen, count) if known else np.zeros_like(labels)
    inputs, offsets = seen.reshape(len(seen), -1), (labels - start).reshape(len(labels), -1)
    folds = np.array(
        [next(fold for fold in range(FOLDS) if in_fold(name, 1 / FOLDS, fold)) for name in images]
    )
    guesses = [start + _out_of_fold(inputs, offsets, folds, strength) for strength in STRENGTHS]
    return min(guesses, key=lambda one: float(np.median(distances(one, labels))))


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(N,): the mean over the points (N, K, 2)."""
    mean: np.ndarray = np.linalg.norm(one - other, axis=-1).mean(axis=-1)
    return mean


def usual(values: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    """For each face the median of `values` (N,) among faces on which the networks disagree about as
    much."""
    order = np.argsort(spreads, kind="stable")
    width = min(len(values), max(NEIGHBOURS, len(values) // 8))
    starts = np.clip(np.arange(len(values)) - width // 2, 0, len(values) - width)
    medians = np.empty(len(values))
    medians[order] = [np.median(values[order[start : start + width]]) for start in starts]
    return np.maximum(medians, np.finfo(float).tiny)


def _out_of_fold(
    inputs: np.ndarray, offsets: np.ndarray, folds: np.ndarray, strength: float
) -> np.ndarray:
    found = np.empty_like(offsets)
    for fold in range(FOLDS):
        held_out = folds == fold
        slopes, shift = _fit(inputs[~held_out], offsets[~held_out], strength)
        found[held_out] = inputs[held_out] @ slopes + shift
    return found.reshape(len(found), -1, 2)


def _fit(inputs: np.ndarray, offsets: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """A ridge regression of the faces that fit best: first to the median, then to it."""
    rest = offsets - np.median(offsets, axis=0)
    for _ in range(2):
        kept = np.argsort((rest**2).sum(axis=1), kind="stable")[: round(KEPT * len(rest))]
        slopes, shift = ridge.fit(inputs[kept], offsets[kept], strength)
        rest = offsets - inputs @ slopes - shift
    return slopes, shift
