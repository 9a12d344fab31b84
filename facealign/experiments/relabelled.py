"""Two runs with different patches: both networks on the old and on the new test labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facealign.core import tables
from facealign.core.faces import Faces
from facealign.core.points import require_common
from facealign.evaluation import scoring
from facealign.evaluation.scoring import Ced
from facealign.experiments import comparison
from facealign.experiments.comparison import Compared, Comparison
from facealign.experiments.revisions import Source

PATCHES = "data.patches"  # the param


@dataclass(frozen=True, eq=False)
class Relabelled:
    """What the networks of two runs reach on the test labels of each of them."""

    changed: int  # common test images whose labels differ
    old: list[Compared]  # on the labels of the base, and in its boxes
    new: list[Compared]  # on those of the head


def are_patched_apart(both: Comparison, base: Source, head: Source) -> bool:
    """Whether the runs have different patches, or one was edited between them."""
    old, new = (run.params.get(PATCHES) or [] for run in (both.base, both.head))
    return old != new or any(base.read(name) != head.read(name) for name in new)


def measure(both: Comparison, base: Source, head: Source, config: Ced) -> Relabelled:
    """On the common test images, from the files that DVC tracks."""
    predicted = {
        "base": faces_of(base, "data/predicted.csv"),
        "head": faces_of(head, "data/predicted.csv"),
    }
    truths = [_labelled(source, both.images) for source in (base, head)]
    old, new = (truth.points for truth in truths)
    same = np.zeros(len(old), bool)
    if old.shape == new.shape:
        same = (old == new).all(axis=(1, 2))
    before, after = (
        comparison.by_dataset(both.images, _errors(truth, predicted), config) for truth in truths
    )
    return Relabelled(int((~same).sum()), before, after)


def faces_of(source: Source, path: str) -> Faces:
    return Faces.of_table(tables.parse(source.fetch(path), Path(source.name, path)))


def _labelled(source: Source, images: list[str]) -> Faces:
    """These images with the boxes and the true points of a run."""
    boxes = faces_of(source, "data/boxes.csv")
    return boxes.subset(boxes.rows(images)).join(faces_of(source, "data/index.csv"))


def _errors(truth: Faces, predicted: dict[str, Faces]) -> dict[str, np.ndarray]:
    """Of both networks, on the points that they and the truth have in common."""
    require_common(*sorted({faces.points.shape[1] for faces in (truth, *predicted.values())}))
    return {name: one.errors for name, one in scoring.measure(truth, predicted).items()}
