"""What is wrong with a label, where that is evident."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from facealign.core.points import mirror, scheme_of
from facealign.inference.suspects.evidence import Evidence
from facealign.inference.suspects.expected import distances

FITS = "fits"
SUSPECT = 2.0  # the score from which on a label is said to be wrong
EXPLAINED = 0.5  # share of the distance that at most is left by the error that explains it
FAR = 4.0  # the score from which on points that nothing explains are those of another face
SAME = 0.005  # mean distance, as a share of the box's side, of the same points in two labels
MIRRORED, FLIPPED, SHIFTED = "mirrored", "flipped", "shifted"
ANOTHER, DUPLICATE, PART, UNCLEAR = "another face", "duplicate", "part", "unclear"


def name(evidence: Evidence, row: int, score: float, copy: int | None) -> tuple[str, int | None]:
    """The kind of the error, and the face that the label is of or differs from, if it is known.

    `copy` is a face of the same image whose label differs.
    """
    if score < SUSPECT:
        return FITS, None
    if (owner := _owner(evidence, row)) is not None:
        return ANOTHER, owner
    if explanation := _explanation(evidence, row):
        return explanation, None
    if region := _region(evidence, row):
        return f"{PART}: {region}", None
    if copy is not None:
        return DUPLICATE, copy
    return (ANOTHER if evidence.whole[row] >= FAR else UNCLEAR), None


def _owner(evidence: Evidence, row: int) -> int | None:
    """Another image's face that has the same points, in pixels."""
    scale = evidence.seen[row].to_frame.scale
    apart = distances(evidence.faces.points, evidence.faces.points[row]) * scale
    apart[[row, *evidence.copies_of(row)]] = np.inf
    nearest = int(apart.argmin())
    better = evidence.whole[nearest] < evidence.whole[row]
    return nearest if apart[nearest] < SAME and better else None


def _explanation(evidence: Evidence, row: int) -> str | None:
    """The error without which the label fits best, if it fits then."""
    wanted, before = evidence.expected[row], evidence.distance[row]
    left = [
        (float(distances(points[None], wanted[None])[0]), kind)
        for kind, points in _undone(evidence, row)
    ]
    least, kind = min(left)
    fits = least < EXPLAINED * before and least < SUSPECT * evidence.usual[row]
    return kind if fits else None


def _undone(evidence: Evidence, row: int) -> Iterator[tuple[str, np.ndarray]]:
    """The label without each kind of error, in the frame."""
    label, pixels = evidence.labels[row], evidence.faces.points[row]
    sides = mirror(len(label))
    yield MIRRORED, label[sides]
    width = evidence.faces["size"][row][0]
    in_image = evidence.seen[row].to_frame(np.array([width - 1, 0]) + pixels * (-1, 1))
    for flipped in (label * (-1, 1), in_image):
        yield FLIPPED, flipped
        yield FLIPPED, flipped[sides]
    yield SHIFTED, label + (evidence.expected[row] - label).mean(axis=0)


def _region(evidence: Evidence, row: int) -> str | None:
    """The one region that is off, if the rest of the face fits."""
    regions = evidence.regions
    if not regions:
        return None
    region = max(regions, key=lambda one: float(regions[one][row]))
    rest = np.ones(evidence.labels.shape[1], bool)
    rest[list(scheme_of(len(rest)).regions[region])] = False
    left = float(
        distances(evidence.labels[row : row + 1, rest], evidence.expected[row : row + 1, rest])[0]
    )
    return region if left < SUSPECT * evidence.usual[row] else None
