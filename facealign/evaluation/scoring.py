"""Predictions against the truth: each image's error, and figures per data set and for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from facealign.core import tables
from facealign.core.config import Range, Seed
from facealign.core.faces import DLIB_TRAINED, TRUTH, Faces
from facealign.core.geometry import box_sizes
from facealign.core.points import common_count, require_common, scheme_of, select
from facealign.core.tables import Table
from facealign.evaluation import metrics
from facealign.evaluation.metrics import Difference, Summary

ALL = "all"
CHARTED = ("model", "dlib", DLIB_TRAINED)  # the methods whose curves dvc.yaml has under `plots`


@dataclass(frozen=True)
class Ced:
    """The section `ced` of params.yaml."""

    resamples: Annotated[int, Range(100, 100_000)]
    seed: Seed


@dataclass(frozen=True, eq=False)
class Tested:
    """One method on faces that the detector found."""

    faces: Faces  # with `box` and the true `points`
    points: np.ndarray  # (N, K, 2), predicted
    distances: np.ndarray  # (N, P), of the points that are compared, pixels

    @property
    def errors(self) -> np.ndarray:
        """(N,), mean over the points, over sqrt(H * W) of the rectangle."""
        return self.distances.mean(axis=1) / box_sizes(self.faces.boxes)

    @property
    def interocular(self) -> np.ndarray:
        """(N,), mean over the points, over the distance of the outer eye corners."""
        return self.distances.mean(axis=1) / metrics.interocular(self.faces.points)

    def subset(self, rows: np.ndarray) -> Tested:
        return Tested(self.faces.subset(rows), self.points[rows], self.distances[rows])

    def summary(self, config: Ced, undetected: int = 0) -> Summary:
        return metrics.summarise(
            self.errors, self.interocular, undetected, config.resamples, config.seed
        )


def predictions(model: Path, baselines: Path) -> dict[str, Faces]:
    """The network's points, and those of each baseline: the folder has a file of its name."""
    found = sorted(baselines.glob("*.csv"), key=lambda path: path.stem)
    return {"model": Faces.read(model)} | {path.stem: Faces.read(path) for path in found}


def measure(faces: Faces, predicted: Mapping[str, Faces]) -> dict[str, Tested]:
    """Each method's points against those of `faces`, all in the richest scheme that they have in
    common. The first method must have one in common with the truth; others without are left out."""
    own = faces.points.shape[1]
    guesses = {name: table.points[table.rows(faces.images)] for name, table in predicted.items()}
    counts = {name: points.shape[1] for name, points in guesses.items()}
    first = next(iter(counts.values()))
    require_common(own, first)
    guesses = {
        name: points for name, points in guesses.items() if common_count([own, counts[name]])
    }
    count = require_common(own, *(counts[name] for name in guesses))
    truth = select(faces.points, count)
    return {
        name: Tested(faces, points, np.linalg.norm(select(points, count) - truth, axis=-1))
        for name, points in guesses.items()
    }


def regions(tested: Tested) -> dict[str, Tested]:
    """The same faces on the points of each region; of five points there are no regions."""
    return {
        # `take` keeps the order of the sums, which an index would not
        name: replace(tested, distances=np.take(tested.distances, part, axis=1))
        for name, part in scheme_of(tested.distances.shape[1]).regions.items()
    }


def by_region(tested: Tested) -> dict[str, np.ndarray]:
    """Errors (N,) on each region."""
    return {name: region.errors for name, region in regions(tested).items()}


def by_dataset(tested: Mapping[str, Tested]) -> dict[str, dict[str, np.ndarray]]:
    """Data set -> method -> errors; in the order of the data sets' names, all together last."""
    datasets = next(iter(tested.values())).faces.datasets
    rows = {name: datasets == name for name in sorted(set(datasets))}
    rows[ALL] = np.ones(len(datasets), dtype=bool)
    return {
        dataset: {method: one.errors[mask] for method, one in tested.items()}
        for dataset, mask in rows.items()
    }


def detection(truth: Faces, found: Faces) -> dict[str, dict[str, dict[str, int]]]:
    """{data set: {split: counts}}, as metrics/detection.json has it: annotated faces, those that
    the detector found, and those it missed; `box_from_points` of these are used for training with a
    box around their true points."""
    sources = dict(zip(found.images, found["source"], strict=True))
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for image, dataset, split in zip(truth.images, truth.datasets, truth.splits, strict=True):
        own = counts.setdefault(dataset, {}).setdefault(
            split, {"faces": 0, "found": 0, "missed": 0, "box_from_points": 0}
        )
        own["faces"] += 1
        own["found" if sources.get(image, TRUTH) != TRUTH else "missed"] += 1
        own["box_from_points"] += sources.get(image) == TRUTH
    return counts


def undetected(truth: Faces, found: Faces) -> Counter[str]:
    """Test images without a rectangle, per data set; a data set that lost none is there with 0."""
    lost = Counter(dict.fromkeys(truth.datasets, 0))
    boxed, test = set(found.images), truth.where(split="test")
    each = zip(test.images, test.datasets, strict=True)
    lost.update(dataset for image, dataset in each if image not in boxed)
    return lost


def summarise(
    tested: Mapping[str, Tested], undetected: Counter[str], config: Ced
) -> dict[str, dict[str, Summary]]:
    """{data set: {method: figures}}, as metrics/ced.json has it."""
    figures: dict[str, dict[str, Summary]] = {
        dataset: {
            method: one.subset(one.faces.datasets == dataset).summary(config, lost)
            for method, one in tested.items()
        }
        for dataset, lost in sorted(undetected.items())
    }
    figures[ALL] = {
        method: one.summary(config, undetected.total()) for method, one in tested.items()
    }
    return figures


def ranked(figures: Mapping[str, Summary]) -> list[str]:
    """The methods, the best first; faces without points count."""
    return sorted(figures, key=lambda name: -(figures[name]["auc_08_all"] or 0))


def differences(tested: Mapping[str, Tested], config: Ced) -> dict[tuple[str, str], Difference]:
    """Of each two methods, which have the same faces, in their order."""
    errors = {name: one.errors for name, one in tested.items()}
    return {
        (one, other): metrics.compare(errors[one], errors[other], config.resamples, config.seed)
        for one, other in combinations(errors, 2)
        if len(errors[one])
    }


def leaderboard(
    tested: Mapping[str, Tested], figures: Mapping[str, Summary], config: Ced
) -> dict[str, dict[str, Any]]:
    """{method: figures}, as metrics/leaderboard.json has it: the best first, each against those
    behind it."""
    order = ranked(figures)
    board: dict[str, dict[str, Any]] = {
        name: {"rank": rank, "auc_08_all": figures[name]["auc_08_all"], "against": {}}
        for rank, name in enumerate(order, 1)
    }
    for (one, other), its in differences({name: tested[name] for name in order}, config).items():
        board[one]["against"][other] = {"auc_08": its.value, "ci95": its.ci95, "p": its.p}
    return board


def best_epoch(training: Table) -> dict[str, float | int]:
    """The validation figures of the epoch that is kept: those to choose experiments by."""
    epochs, nmes, areas = training.numbers("epoch", "validation_nme", "validation_auc_08").T
    best = int(nmes.argmin())
    return {
        "epoch": int(epochs[best]),
        "nme": float(nmes[best]),
        "auc_08": float(areas[best]),
    }


def write(tested: Mapping[str, Tested], errors: Path, curves: Path, regions: Path) -> None:
    """The CSV files of the stage `ced`: each image's errors, the CED of each data set and method,
    and each method's mean error by region.

    A method of CHARTED that was not tested has files without rows: DVC draws nothing of them, and
    would warn of missing ones.
    """
    faces = next(iter(tested.values())).faces
    faces.with_columns(**{name: one.errors for name, one in tested.items()}).write(errors, *tested)
    absent = [name for name in CHARTED if name not in tested]
    for dataset, methods in by_dataset(tested).items():
        for name, values in methods.items():
            at, share = metrics.ced_to_limit(values)
            tables.write(curves / f"{dataset}_{name}.csv", {"error": at, "share": share})
        for name in absent:
            tables.write(curves / f"{dataset}_{name}.csv", {"error": [], "share": []})
    means = {name: by_region(one) for name, one in tested.items()} | {name: {} for name in absent}
    for name, parts in means.items():
        each = {part: float(its.mean()) for part, its in parts.items() if len(its)}
        table: dict[str, tables.Column] = {"region": [*each], "error": [*each.values()]}
        tables.write(regions / f"{name}.csv", table)
