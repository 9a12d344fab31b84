"""Predictions against the truth: every image's error, and figures per data set and for all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from facealign.core import tables
from facealign.core.config import Range, Seed
from facealign.core.geometry import box_sizes
from facealign.core.points import COUNT, REGIONS, select
from facealign.core.tables import Table, dataset_and_split
from facealign.evaluation import metrics

ALL = "all"


@dataclass(frozen=True)
class Ced:
    """The section `ced` of params.yaml."""

    resamples: Annotated[int, Range(100)]
    seed: Seed


@dataclass(frozen=True)
class Scored:
    """Errors of one method on the images of one data set."""

    errors: np.ndarray  # (N,), over sqrt(H * W) of the rectangle
    interocular: np.ndarray  # (N,), over the distance of the outer eye corners


@dataclass(frozen=True)
class Tested:
    """One method on the test images that have a rectangle."""

    images: list[str]
    datasets: np.ndarray  # (N,), of text
    boxes: np.ndarray  # (N, 4), left, top, right, bottom
    truth: np.ndarray  # (N, 68 or 5, 2)
    points: np.ndarray  # (N, K, 2), predicted
    distances: np.ndarray  # (N,), mean over the points, pixels
    errors: np.ndarray  # (N,), over sqrt(H * W) of the rectangle


def measure(truth: Table, boxes: Table, predicted: Table, count: int | None = None) -> Tested:
    """On `count` points, 68 or 5; on those that are predicted unless said otherwise."""
    images = [image for image in boxes[tables.KEY] if dataset_and_split(image)[1] == "test"]
    points = truth.points()[truth.rows(images)]
    corners = boxes.numbers("left", "top", "right", "bottom")[boxes.rows(images)]
    guessed = predicted.points()[predicted.rows(images)]
    count = count or guessed.shape[1]
    distances = metrics.mean_distances(select(guessed, count), select(points, count))
    return Tested(
        images=images,
        datasets=np.array(truth["dataset"], dtype=object)[truth.rows(images)],
        boxes=corners,
        truth=points,
        points=guessed,
        distances=distances,
        errors=distances / box_sizes(corners),
    )


def by_region(tested: Tested) -> dict[str, np.ndarray]:
    """Errors (N,) on the points of each part of the face; nothing where there are five points."""
    if min(tested.points.shape[1], tested.truth.shape[1]) < COUNT:
        return {}
    sizes = box_sizes(tested.boxes)
    return {
        name: metrics.mean_distances(tested.points[:, part], tested.truth[:, part]) / sizes
        for name, part in REGIONS.items()
    }


def score(tested: Tested) -> dict[str, Scored]:
    """Per data set, in the order of their names, then for all together."""
    interocular = tested.distances / metrics.interocular(tested.truth)
    scored = {
        name: Scored(tested.errors[tested.datasets == name], interocular[tested.datasets == name])
        for name in sorted(set(tested.datasets))
    }
    return scored | {ALL: Scored(tested.errors, interocular)}


def best_epoch(training: Table) -> dict[str, float | int]:
    """What the network that is kept had in validation: the figures to choose experiments by."""
    epochs, nmes, areas = training.numbers("epoch", "validation_nme", "validation_auc_08").T
    best = int(nmes.argmin())
    return {
        "epoch": int(epochs[best]),
        "nme": float(nmes[best]),
        "auc_08": float(areas[best]),
    }


def undetected(truth: Table, boxes: Table) -> Counter[str]:
    """Test images without a rectangle, per data set; a data set that lost none is there with 0."""
    found = set(boxes[tables.KEY])
    lost: Counter[str] = Counter()
    for image, dataset, split in zip(
        truth[tables.KEY], truth["dataset"], truth["split"], strict=True
    ):
        lost[dataset] += split == "test" and image not in found
    return lost


def summarise(
    methods: dict[str, dict[str, Scored]], undetected: Counter[str], config: Ced
) -> dict[str, dict[str, metrics.Summary]]:
    """{data set: {method: figures}}, as metrics/ced.json has it."""
    lost = dict(sorted(undetected.items())) | {ALL: undetected.total()}
    nothing = Scored(np.empty(0), np.empty(0))

    def figures(scored: Scored, lost: int) -> metrics.Summary:
        return metrics.summarise(
            scored.errors, scored.interocular, lost, config.resamples, config.seed
        )

    return {
        name: {
            method: figures(scored.get(name, nothing), lost[name])
            for method, scored in methods.items()
        }
        for name in lost
    }
