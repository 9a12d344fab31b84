"""How good landmarks are on pictures whose points are known: the network, and dlib beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from facealign.core import images
from facealign.core.errors import FacealignError
from facealign.core.geometry import Box
from facealign.core.parallel import map_in_order
from facealign.core.points import COUNT, REGIONS, select
from facealign.data.annotations import read_pts
from facealign.data.layouts import course
from facealign.evaluation import metrics, scoring
from facealign.evaluation.scoring import ALL, Ced, Scored
from facealign.faces import detection, dlib_predictor, quality
from facealign.inference.aligner import Aligner
from facealign.reports.contact_sheet import Example

SPLITS = frozenset({"train", "test"})
CED = Ced(resamples=2000, seed=1)


@dataclass(frozen=True)
class Known:
    """A picture with a face whose points are known."""

    path: Path
    dataset: str  # the folder below the one that was given, or that itself
    points: np.ndarray  # (68, 2), counted from 0


@dataclass(frozen=True)
class Measured:
    known: Known
    box: Box  # the detector's
    points: dict[str, np.ndarray]  # method -> (K, 2)
    scores: np.ndarray | None  # of the network's points
    sharpness: float

    def distances(self, method: str) -> np.ndarray:
        """Of each point, pixels; on five points if that is what the network gives."""
        count = len(self.points["model"])
        guess = select(self.points[method], count)
        return np.linalg.norm(guess - select(self.known.points, count), axis=1)

    def error(self, method: str) -> float:
        return float(self.distances(method).mean() / self.size)

    def less(self, offsets: dict[str, np.ndarray]) -> Measured:
        """With these offsets, shares of the size, subtracted from the methods' points."""
        moved = {method: self.points[method] - offsets[method] * self.size for method in offsets}
        return replace(self, points=self.points | moved)

    @property
    def size(self) -> float:
        return float(np.sqrt(self.box.width * self.box.height))


@dataclass(frozen=True)
class Lost:
    known: Known
    reason: str  # empty: no face was found


# respect (yaw, sharpness, size, part of the face) -> group -> method -> figures
Groups = dict[str, dict[str, dict[str, metrics.Summary]]]


@dataclass(frozen=True)
class Report:
    summary: dict[str, dict[str, metrics.Summary]]  # as metrics/ced.json
    groups: dict[str, Groups]  # of each data set
    errors: dict[str, dict[str, np.ndarray]]  # data set -> method -> of each picture found
    examples: list[Example]
    dropped: list[str]  # what could not be used, and why
    undetected: list[str]
    calibrated: int  # faces of the calibration that the detector found
    correlation: float | None  # of scores with errors, by rank, over all points


def known_faces(folder: Path, table: Path | None) -> tuple[list[Known], list[str]]:
    """Pictures with points, from the .pts beside each or from a table; and what was dropped."""
    if not folder.is_dir():
        raise FacealignError(f"{folder}: no such folder")
    known, dropped = _from_pts(folder) if table is None else _from_table(folder, table)
    if not known:
        wanted = "a .pts beside a picture" if table is None else f"a picture that {table} names"
        reasons = "".join(f"\n{reason}" for reason in dropped[:10])
        raise FacealignError(f"{folder}: no face to measure on, expected {wanted}{reasons}")
    return known, dropped


def other_faces(folder: Path, measured: Sequence[Known]) -> tuple[list[Known], list[str]]:
    """Faces to calibrate by, and what was dropped; none that is measured on may be among them."""
    known, dropped = known_faces(folder, None)
    own = {face.path.resolve() for face in measured}
    if twice := [face.path for face in known if face.path.resolve() in own]:
        raise FacealignError(
            f"{folder}: {len(twice)} of its pictures are measured on, {twice[0]} among them: "
            "calibrate by others"
        )
    return known, dropped


def splits_together(folder: Path, known: Sequence[Known]) -> list[str]:
    """Data sets whose figures would mix pictures of several splits, as data/faces/ has them."""
    splits: dict[str, set[str]] = {}
    for face in known:
        below = face.path.relative_to(folder).parts[:-1]
        splits.setdefault(face.dataset, set()).update(SPLITS & set(below))
    return sorted(name for name, its in splits.items() if len(its) > 1)


def score(
    known: Sequence[Known],
    dropped: list[str],
    aligner: Aligner,
    baseline: Path | None,
    calibration: Sequence[Known] = (),
) -> Report:
    """`calibration` are other faces whose annotators meant the same places by the points: what each
    method's points are off there in the mean is subtracted here."""
    methods = ["model", *(["dlib"] if baseline else [])]
    offsets, others = {}, list[Measured]()
    if calibration:
        looked = map_in_order(partial(look, aligner, baseline), calibration, "calibrate")
        others = [result for result in looked if isinstance(result, Measured)]
        if not others:
            raise FacealignError("no face was found on any picture to calibrate by")
        offsets = {method: _offsets(others, method) for method in methods}
    results = list(map_in_order(partial(look, aligner, baseline), known, "evaluate"))
    found = [result.less(offsets) for result in results if isinstance(result, Measured)]
    lost = [result for result in results if isinstance(result, Lost)]
    missed = Counter(dict.fromkeys(sorted({face.known.dataset for face in found}), 0))
    missed.update(face.known.dataset for face in lost if not face.reason)
    scored = {method: _scored(found, method) for method in methods}
    summary = scoring.summarise(scored, missed, CED)
    datasets = sorted({face.known.dataset for face in found})
    return Report(
        summary=summary,
        groups={
            name: _groups([face for face in found if face.known.dataset == name], methods)
            for name in datasets
        },
        errors={
            dataset: {
                method: its[dataset].errors for method, its in scored.items() if dataset in its
            }
            for dataset in summary
        },
        examples=[
            Example(
                path=face.known.path,
                box=face.box,
                truth=face.known.points,
                predicted=face.points["model"],
                error=face.error("model"),
                dataset=face.known.dataset,
            )
            for face in found
        ],
        dropped=[*dropped, *(face.reason for face in lost if face.reason)],
        undetected=[str(face.known.path) for face in lost if not face.reason],
        calibrated=len(others),
        correlation=_correlation(found),
    )


def _from_pts(folder: Path) -> tuple[list[Known], list[str]]:
    known, dropped = [], []
    for path in images.find_pictures(folder):
        beside = path.with_suffix(".pts")
        if not beside.is_file():
            dropped.append(f"{path}: no {beside.name} beside it")
            continue
        try:
            known.append(_known(path, folder, read_pts(beside)))
        except FacealignError as error:
            dropped.append(str(error))
    return known, dropped


def _from_table(folder: Path, table: Path) -> tuple[list[Known], list[str]]:
    known, dropped = [], []
    for name, points in course.read(table, folder).items():
        path = folder / name
        if path.is_file():
            known.append(_known(path, folder, points))
        else:
            dropped.append(f"{path}: no such file, but {table} has its points")
    return known, dropped


def _known(path: Path, folder: Path, points: np.ndarray) -> Known:
    if points.shape != (COUNT, 2):
        raise FacealignError(f"{path}: {len(points)} points, expected {COUNT}")
    if not np.isfinite(points).all():
        raise FacealignError(f"{path}: a point is not a number")
    below = path.relative_to(folder).parts
    return Known(path, below[0] if len(below) > 1 else folder.resolve().name, points)


def look(aligner: Aligner, baseline: Path | None, known: Known) -> Measured | Lost:
    """One picture, in whichever process."""
    try:
        image = images.read(known.path)
    except FacealignError as error:
        return Lost(known, str(error))
    located = detection.locate(image, known.points, aligner.upsample, aligner.detect_once)
    if isinstance(located, detection.NotFound):
        return Lost(known, "")
    points, scores = aligner.network(image, [located.box])
    found = {"model": points[0]}
    if baseline is not None:
        found["dlib"] = dlib_predictor.predict(image, located.box, baseline)
    sharpness = quality.sharpness(image, located.box)
    return Measured(known, located.box, found, None if scores is None else scores[0], sharpness)


def _offsets(found: Sequence[Measured], method: str) -> np.ndarray:
    """Of each of a method's points from the true one in the mean, as a share of the size."""
    count = len(found[0].points[method])
    return np.mean(
        [(face.points[method] - select(face.known.points, count)) / face.size for face in found],
        axis=0,
    )


def _scored(found: Sequence[Measured], method: str) -> dict[str, Scored]:
    """Per data set, in the order of their names, then for all together."""
    datasets = np.array([face.known.dataset for face in found], dtype=object)
    errors = np.array([face.error(method) for face in found])
    distances = np.array([face.distances(method).mean() for face in found])
    truth = np.array([face.known.points for face in found]).reshape(-1, COUNT, 2)
    by_eyes = distances / metrics.interocular(truth)
    scored = {
        name: Scored(errors[datasets == name], by_eyes[datasets == name])
        for name in sorted(set(datasets))
    }
    return scored | {ALL: Scored(errors, by_eyes)}


def _groups(found: Sequence[Measured], methods: Sequence[str]) -> Groups:
    """Of the faces of one data set."""
    truth = np.array([face.known.points for face in found])
    sharp = np.array([face.sharpness for face in found])
    sizes = np.array([face.size for face in found])
    distances = {method: np.array([face.distances(method) for face in found]) for method in methods}

    def figures(method: str, rows: np.ndarray | slice, points: slice) -> metrics.Summary:
        means = distances[method][rows, points].mean(axis=1)
        by_eyes = means / metrics.interocular(truth[rows])
        return metrics.summarise(means / sizes[rows], by_eyes, 0, CED.resamples, CED.seed)

    def of_all(rows: np.ndarray | slice, points: slice) -> dict[str, metrics.Summary]:
        return {method: figures(method, rows, points) for method in methods}

    groups = {
        respect: {name: of_all(group.rows, slice(None)) for name, group in its}
        for respect, its in quality.subgroups(truth, sharp, sizes).items()
    }
    if distances["model"].shape[1] == COUNT:
        groups["part"] = {name: of_all(slice(None), part) for name, part in REGIONS.items()}
    return groups


def _correlation(found: Sequence[Measured]) -> float | None:
    """Spearman's: -1 if the lower the score, the larger the error, without exception."""
    doubting = [face for face in found if face.scores is not None]
    if not doubting:
        return None
    errors = np.concatenate([face.distances("model") / face.size for face in doubting])
    scores = np.concatenate([face.scores for face in doubting if face.scores is not None])
    ranks = np.array([errors, scores]).argsort(axis=1).argsort(axis=1)
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
