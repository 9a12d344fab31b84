"""Two runs on the same test images: what was changed, and whether it made a difference."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from facealign.core import tables
from facealign.core.config import flatten
from facealign.evaluation import metrics
from facealign.evaluation.metrics import Difference
from facealign.evaluation.scoring import ALL, Ced
from facealign.experiments.revisions import Source

PARAMS, CED, COUNTS, VALIDATION, ERRORS = (
    "params.yaml",
    "metrics/ced.json",
    "metrics/data.json",
    "metrics/validation.json",
    "metrics/errors.csv",
)
_TOLERANCE = 1e-9  # dlib gives the same points on the same rectangles


@dataclass(frozen=True, eq=False)
class Run:
    """What Git tracks of a run."""

    name: str
    what: str  # which commit the name stands for; empty for the workspace
    params: Mapping[str, Any]  # flat
    figures: Mapping[str, Any]  # flat
    images: list[str]
    errors: Mapping[str, np.ndarray]  # of `model` and `dlib`, image by image


@dataclass(frozen=True, eq=False)
class Compared:
    """The networks of two runs on the common test images of one data set."""

    dataset: str
    rows: np.ndarray  # rows of `Comparison.images`
    base: float  # AUC@0.08
    head: float
    difference: Difference  # head less base


@dataclass(frozen=True, eq=False)
class Comparison:
    base: Run
    head: Run
    images: list[str]  # the common ones
    errors: Mapping[str, np.ndarray]  # of `base`, `head` and `dlib` on these images
    datasets: list[Compared]  # ends with all data sets together, if there are several
    other_boxes: int  # images on which dlib's errors differ: other rectangles or true points

    @property
    def gains(self) -> np.ndarray:
        """By how much the error of each image fell."""
        return self.errors["base"] - self.errors["head"]


def load(source: Source) -> Run:
    table = tables.parse(source.read(ERRORS), Path(source.name, ERRORS))
    figures = {name: json.loads(source.read(name)) for name in (CED, COUNTS)}
    validation = {"validation": json.loads(source.read(VALIDATION))}
    flat = [flatten(its) for its in (validation, *figures.values())]
    return Run(
        name=source.name,
        what=source.what,
        params=flatten(yaml.safe_load(source.read(PARAMS))),
        figures={name: value for its in flat for name, value in its.items()},
        images=table[tables.KEY],
        errors={method: table.numbers(method)[:, 0] for method in ("model", "dlib")},
    )


def compare(base: Run, head: Run, config: Ced) -> Comparison:
    places = {image: row for row, image in enumerate(base.images)}
    common = [(places[image], row) for row, image in enumerate(head.images) if image in places]
    before, after = np.array(common, dtype=np.int64).reshape(-1, 2).T
    images = [head.images[row] for row in after]
    errors = {
        "base": base.errors["model"][before],
        "head": head.errors["model"][after],
        "dlib": head.errors["dlib"][after],
    }
    return Comparison(
        base=base,
        head=head,
        images=images,
        errors=errors,
        datasets=by_dataset(images, errors, config),
        other_boxes=int((np.abs(base.errors["dlib"][before] - errors["dlib"]) > _TOLERANCE).sum()),
    )


def by_dataset(
    images: Sequence[str], errors: Mapping[str, np.ndarray], config: Ced
) -> list[Compared]:
    """The errors `base` and `head` of these images, for each data set and, if there are several,
    for all."""
    names = np.array([tables.dataset_and_split(image)[0] for image in images], dtype=object)
    groups = {name: np.flatnonzero(names == name) for name in sorted(set(names))}
    if len(groups) > 1:
        groups[ALL] = np.arange(len(images))
    return [_compare(name, rows, errors, config) for name, rows in groups.items()]


def _compare(
    dataset: str, rows: np.ndarray, errors: Mapping[str, np.ndarray], config: Ced
) -> Compared:
    base, head = errors["base"][rows], errors["head"][rows]
    return Compared(
        dataset=dataset,
        rows=rows,
        base=metrics.auc(base, metrics.LIMIT),
        head=metrics.auc(head, metrics.LIMIT),
        difference=metrics.compare(head, base, config.resamples, config.seed),
    )
