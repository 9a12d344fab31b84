"""How good landmarks are on pictures whose points are known: the network, and dlib beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from facealign.core import images, tables
from facealign.core.errors import AnnotationError, ImageError, InputError
from facealign.core.faces import Faces
from facealign.core.geometry import FARTHEST, Box, box_sizes
from facealign.core.parallel import map_in_order
from facealign.core.points import COUNT, can_become, is_known, select
from facealign.data import attributes
from facealign.data.annotations import read_pts
from facealign.data.filtering import DEGENERATE, SPLITS, is_degenerate
from facealign.data.layouts import course, releases
from facealign.evaluation import scoring, subgroups
from facealign.evaluation.metrics import Summary
from facealign.evaluation.scoring import ALL, Ced, Tested
from facealign.evaluation.subgroups import Groups
from facealign.faces import detection, dlib_predictor, quality
from facealign.faces.detection import NotFound
from facealign.inference.aligner import Aligner

CED = Ced(resamples=2000, seed=1)


@dataclass(frozen=True, eq=False)
class Estimate:
    """The face of one picture, as the methods see it."""

    box: Box  # the detector's
    points: dict[str, np.ndarray]  # method -> (K, 2)
    scores: np.ndarray | None  # of the network's points
    sharpness: float


@dataclass(frozen=True, eq=False)
class Estimates:
    """The faces of many pictures."""

    faces: Faces  # that the detector found: with the true `points`, its `box`, and `sharpness`
    predicted: dict[str, Faces]  # method -> the same faces with its `points`, perhaps `scores`
    undetected: Faces
    unreadable: list[str]  # reasons


@dataclass(frozen=True, eq=False)
class Report:
    summary: dict[str, dict[str, Summary]]  # as metrics/ced.json
    groups: dict[str, Groups]  # of each data set; parts of the face are groups, too
    tested: dict[str, Tested]  # of each method, on the pictures where a face was found
    dropped: list[str]  # what could not be used, and why
    undetected: Faces  # that the detector did not find
    calibrated: int  # faces of the calibration that the detector found
    correlation: float | None  # of scores with errors, by rank, over all points


def known_faces(folder: Path, table: Path | None) -> tuple[Faces, list[str]]:
    """The pictures with points, from the .pts beside each or from a table, and what was dropped.

    All have the number of points that most have; points that cannot become so many are dropped.
    `image` is the path; `dataset` the folder below the one that was given, or that itself; `split`
    the first folder below that is named as one, or ""; `attributes` what a table in it says.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a' if folder.exists() else 'no such'} folder")
    read, dropped = _from_pts(folder) if table is None else _from_table(folder, table)
    counts = Counter(len(points) for points in read.values() if is_known(len(points)))
    count = max(counts, key=lambda count: (counts[count], count), default=COUNT)
    known: dict[Path, np.ndarray] = {}
    for path, points in read.items():
        try:
            known[path] = _checked(path, points, count)
        except AnnotationError as error:
            dropped.append(str(error))
    if not known:
        if release := releases.recognise(folder):
            raise InputError(
                f"{folder}: {release.name} as it is released: make it a folder of images with .pts "
                f"first: facealign dataset {folder} OUT"
            )
        wanted = "a .pts beside a picture" if table is None else f"a picture that {table} names"
        reasons = "".join(f"\n{reason}" for reason in dropped[:10])
        raise InputError(f"{folder}: no face to measure on, expected {wanted}{reasons}")
    below = [path.relative_to(folder).parts[:-1] for path in known]
    said = attributes.read(folder)
    faces = Faces.of(
        [str(path) for path in known],
        dataset=[parts[0] if parts else folder.resolve().name for parts in below],
        split=[next((part for part in parts if part in SPLITS), "") for parts in below],
        attributes=[said.get(path, "") for path in known],
        points=tables.stack(list(known.values()), count),
    )
    return faces, dropped


def other_faces(folder: Path, measured: Faces) -> tuple[Faces, list[str]]:
    """Faces to calibrate by, and what was dropped; none of them may be measured on, too."""
    known, dropped = known_faces(folder, None)
    own = {Path(image).resolve() for image in measured.images}
    if shared := [image for image in known.images if Path(image).resolve() in own]:
        raise InputError(
            f"{folder}: {len(shared)} of its pictures are measured on, {shared[0]} among them: "
            "calibrate by others"
        )
    return known, dropped


def splits_together(known: Faces) -> list[str]:
    """Data sets whose figures would mix pictures of train and test, as data/faces/ has them."""
    pairs = set(zip(known.datasets, known.splits, strict=True))
    counts = Counter(dataset for dataset, split in pairs if split)
    return sorted(dataset for dataset, count in counts.items() if count > 1)


def score(
    known: Faces,
    dropped: list[str],
    aligner: Aligner,
    baseline: Path | None,
    calibration: Faces | None = None,
) -> Report:
    """`calibration` are other faces with annotations of the same kind: each method's mean offset
    per point there is subtracted from its points here."""
    for name in (several := set(known.datasets)):
        if name.lower() == ALL and len(several) > 1:
            raise InputError(f"data set {name!r} stands for the sum of all: rename the folder")
    offsets: dict[str, np.ndarray] = {}
    calibrated = 0
    if calibration is not None:
        others = estimate_all(calibration, aligner, baseline, "calibrate")
        calibrated = len(others.faces)
        if not calibrated:
            raise InputError("no face was found on any picture to calibrate by")
        offsets = {name: _offsets(others.faces, table) for name, table in others.predicted.items()}
    seen = estimate_all(known, aligner, baseline, "evaluate")
    predicted = {name: _shifted(table, offsets.get(name)) for name, table in seen.predicted.items()}
    tested = scoring.measure(seen.faces, predicted)
    datasets = sorted(set(seen.faces.datasets))
    lost = Counter(dict.fromkeys(datasets, 0))
    lost.update(seen.undetected.datasets)
    return Report(
        summary=scoring.summarise(tested, lost, CED),
        groups={name: _groups(tested, name) for name in datasets},
        tested=tested,
        dropped=dropped + seen.unreadable,
        undetected=seen.undetected,
        calibrated=calibrated,
        correlation=_correlation(tested["model"], predicted["model"]),
    )


def estimate_all(known: Faces, aligner: Aligner, baseline: Path | None, title: str) -> Estimates:
    """By the network, and by dlib if its file is given."""
    each = list(zip(known.images, known.points, strict=True))
    results = list(map_in_order(partial(estimate, aligner, baseline), each, title))
    found = [result for result in results if isinstance(result, Estimate)]
    faces = known.subset(_rows(results, Estimate)).with_columns(
        box=np.array([one.box.corners for one in found]).reshape(-1, 4),
        sharpness=np.array([one.sharpness for one in found]),
    )
    predicted = {}
    for method in ("model", "dlib") if baseline else ("model",):
        points = [one.points[method] for one in found]
        count = aligner.network.count if method == "model" else COUNT
        predicted[method] = faces.with_columns(points=tables.stack(points, count))
    scores = [one.scores for one in found if one.scores is not None]
    if scores:
        predicted["model"] = predicted["model"].with_columns(scores=np.array(scores))
    return Estimates(
        faces=faces,
        predicted=predicted,
        undetected=known.subset(_rows(results, NotFound)),
        unreadable=[str(result) for result in results if isinstance(result, ImageError)],
    )


def estimate(
    aligner: Aligner, baseline: Path | None, face: tuple[str, np.ndarray]
) -> Estimate | NotFound | ImageError:
    """Of one picture, given its path and its true points, in a worker process."""
    path, points = face
    try:
        image = images.read(Path(path))
    except ImageError as error:
        return error
    located = detection.locate(image, points, aligner.upsample, aligner.detect_once)
    if isinstance(located, NotFound):
        return located
    box = located.face.box
    seen, scores = aligner.network(image, [located.face])
    found = {"model": seen[0]}
    if baseline is not None:
        found["dlib"] = dlib_predictor.predict(image, box, baseline)
    sharpness = quality.sharpness(image, box)
    return Estimate(box, found, None if scores is None else scores[0], sharpness)


def _from_pts(folder: Path) -> tuple[dict[Path, np.ndarray], list[str]]:
    known: dict[Path, np.ndarray] = {}
    dropped = []
    for path in images.find_pictures(folder):
        beside = path.with_suffix(".pts")
        if not beside.is_file():
            dropped.append(f"{path}: no {beside.name} beside it")
            continue
        try:
            known[path] = read_pts(beside)
        except AnnotationError as error:
            dropped.append(str(error))
    return known, dropped


def _from_table(folder: Path, table: Path) -> tuple[dict[Path, np.ndarray], list[str]]:
    known, dropped = {}, []
    for name, points in course.read(table, folder).items():
        path = folder / name
        if not path.is_file():
            dropped.append(f"{path}: no such file, but {table} has its points")
            continue
        known[path] = points
    return known, dropped


def _checked(path: Path, points: np.ndarray, count: int) -> np.ndarray:
    if not can_become(len(points), count):
        raise AnnotationError(f"{path}: {len(points)} points, expected {count}")
    if not np.isfinite(points).all():
        raise AnnotationError(f"{path}: a point is not a number")
    if (np.abs(points) > FARTHEST).any():
        raise AnnotationError(f"{path}: a point is more than {FARTHEST:,.0f} pixels away")
    if is_degenerate(points):
        raise AnnotationError(f"{path}: its points have {DEGENERATE}")
    return select(points, count)


def _rows(results: list[Estimate | NotFound | ImageError], kind: type) -> np.ndarray:
    return np.array([isinstance(result, kind) for result in results], dtype=bool)


def _offsets(faces: Faces, predicted: Faces) -> np.ndarray:
    """The mean offset of each point from the true one, as a share of the rectangle's size."""
    truth = select(faces.points, predicted.points.shape[1])
    return ((predicted.points - truth) / box_sizes(faces.boxes)[:, None, None]).mean(axis=0)


def _shifted(predicted: Faces, offsets: np.ndarray | None) -> Faces:
    """Without these offsets."""
    if offsets is None:
        return predicted
    sizes = box_sizes(predicted.boxes)[:, None, None]
    return predicted.with_columns(points=predicted.points - offsets * sizes)


def _groups(tested: Mapping[str, Tested], dataset: str) -> Groups:
    part = {name: one.subset(one.faces.datasets == dataset) for name, one in tested.items()}
    groups = subgroups.summarise(part, part["model"].faces["sharpness"], CED)
    regions = {name: scoring.regions(one) for name, one in part.items()}
    has = attributes.members(part["model"].faces[attributes.COLUMN])
    if has:
        groups["attribute"] = {
            name: {method: one.subset(rows).summary(CED) for method, one in part.items()}
            for name, rows in has.items()
        }
    if regions["model"]:
        groups["part"] = {
            region: {name: parts[region].summary(CED) for name, parts in regions.items()}
            for region in regions["model"]
        }
    return groups


def _correlation(tested: Tested, predicted: Faces) -> float | None:
    """Spearman's: -1 if errors rise wherever scores fall; none without scores, or if the points
    are compared in another scheme than the network's."""
    if "scores" not in predicted.columns or predicted["scores"].shape != tested.distances.shape:
        return None
    errors = tested.distances / box_sizes(tested.faces.boxes)[:, None]
    values = np.array([errors.ravel(), predicted["scores"].ravel()])
    ranks = values.argsort(axis=1).argsort(axis=1)
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
