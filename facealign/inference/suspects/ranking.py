"""Labelled faces in the order of how likely their labels are wrong.

A score is a label's distance from what is expected, as a multiple of what is usual for faces on
which the networks disagree as much: 1 is usual, and a hard face is no suspect for being hard. The
score of the region that is most off counts, too, and so does the label of a near-duplicate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facealign.core.config import file_in
from facealign.core.faces import Faces
from facealign.core.tables import KEY
from facealign.faces.detection import Detect
from facealign.inference.suspects import kinds, sight
from facealign.inference.suspects.evidence import Evidence, gather

# of the table, after `image`; `other` is the image whose label it is or differs from, `distance` is
# a share of the side of the face's box, and `points` are those that are expected
COLUMNS = ("rank", "dataset", "split", "score", "kind", "other", "distance", "usual", "points")


@dataclass(frozen=True)
class Suspects:
    """The section `suspects` of params.yaml."""

    folder: str
    networks: list[str]


def rank(
    root: Path, faces: Faces, boxes: Faces, networks: Sequence[str], folder: Path, detect: Detect
) -> Faces:
    """A table of COLUMNS, the most suspect label first; without networks it is empty."""
    paths = [file_in(folder, name, "suspects.networks") for name in networks]
    if not paths:
        nothing = dict.fromkeys(("score", "kind", "other", "distance", "usual"), np.empty(0))
        return _table(faces.subset(slice(0)), **nothing)
    if not sight.can_be_boxed(faces.points.shape[1]):
        faces = faces.subset(np.isin(faces[KEY], boxes[KEY]))
    return judge(gather(faces, sight.look(root, faces, boxes, paths, detect)))


def judge(evidence: Evidence) -> Faces:
    """The same, of faces that networks have seen."""
    score = np.max([evidence.whole, *evidence.regions.values()], axis=0)
    differing: dict[int, int] = {}
    for copy in evidence.copies:
        worse, better = sorted(copy.rows, key=lambda row: -evidence.whole[row])
        if copy.score >= kinds.SUSPECT:
            differing[worse] = better
            score[worse] = max(score[worse], copy.score)
    named = [
        kinds.name(evidence, row, float(one), differing.get(row)) for row, one in enumerate(score)
    ]
    images = evidence.faces.images
    return _table(
        evidence.faces.with_columns(points=evidence.in_pixels()),
        kind=[kind for kind, _ in named],
        other=["" if row is None else images[row] for _, row in named],
        score=score,
        distance=evidence.distance,
        usual=evidence.usual,
    )


def _table(faces: Faces, **columns: np.ndarray | list[str]) -> Faces:
    """The faces with `rank` and these columns, in the order of the scores."""
    order = np.argsort(-np.asarray(columns["score"]), kind="stable")
    whole = faces.with_columns(dataset=faces.datasets, split=faces.splits, **columns)
    return whole.subset(order).with_columns(rank=np.arange(1, len(order) + 1))
