"""The test protocols of published data sets: what errors are divided by, and where they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np

from facealign.core.errors import InputError
from facealign.core.faces import Faces
from facealign.core.points import COUNT, scheme_of, select
from facealign.data import attributes
from facealign.evaluation import metrics
from facealign.evaluation.scoring import ALL, Ced, Tested


@dataclass(frozen=True)
class Norm:
    """What errors are divided by."""

    words: str
    lengths: Callable[[np.ndarray], np.ndarray]  # of true points (N, K, 2), in pixels


@dataclass(frozen=True)
class Protocol:
    count: int  # of points, by which it is defined
    limit: float  # of FR, AUC and the curve
    norms: tuple[str, ...]  # of NORMS; the first is that of the curve


class Figures(TypedDict):
    """Of one method on some faces; null where no image was scored."""

    nme: float | None
    nme_ci95: list[float] | None  # by bootstrap over the images, as all intervals
    fr: float | None
    fr_ci95: list[float] | None
    auc: float | None
    auc_ci95: list[float] | None
    images: int
    undetected: int
    fr_all: float | None  # a face that was not found is a failure
    auc_all: float | None


# data set -> all faces, and those of each attribute -> norm -> method
Results = dict[str, dict[str, dict[str, dict[str, Figures]]]]


def _pupils(points: np.ndarray) -> np.ndarray:
    left, right = np.moveaxis(select(points, 5)[:, :2], 1, 0)
    return np.linalg.norm(right - left, axis=-1)


def _diagonal(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.ptp(points, axis=1), axis=-1)


def _side(points: np.ndarray) -> np.ndarray:
    return np.sqrt(np.ptp(points, axis=1).prod(axis=-1))


NORMS = {
    "eyes": Norm("the distance of the outer eye corners", metrics.interocular),
    "pupils": Norm("the distance of the pupils", _pupils),
    "diagonal": Norm("the diagonal of the box around the true points", _diagonal),
    "points": Norm("sqrt(H W) of the box around the true points", _side),
}
# docs/how-to/datasets.md says which publications define them
PROTOCOLS = {
    "300w": Protocol(68, 0.08, ("eyes", "pupils")),
    "wflw": Protocol(98, 0.10, ("eyes",)),
    "cofw": Protocol(29, 0.10, ("pupils", "eyes")),
    "menpo": Protocol(68, 0.03, ("diagonal",)),
    "aflw2000": Protocol(68, 0.10, ("points",)),
}


def require(name: str, faces: Faces) -> None:
    """Refuse faces without the points that the protocol is defined by."""
    count, wanted = faces.points.shape[1], PROTOCOLS[name].count
    if count != wanted:
        raise InputError(
            f"--protocol {name} is defined by {wanted} points ({scheme_of(wanted).name}), the "
            f"faces have {count} ({scheme_of(count).name})"
        )


def has_dlibs_points(name: str) -> bool:
    """Otherwise dlib's predictor beside a network would have it measured on fewer points."""
    return PROTOCOLS[name].count == COUNT


def normalised(tested: Mapping[str, Tested], norm: str) -> dict[str, Tested]:
    """The same methods, with a `box` whose sqrt(H * W) is the norm's length."""
    found = {}
    for name, one in tested.items():
        lengths = NORMS[norm].lengths(one.faces.points)
        zeros = np.zeros_like(lengths)
        box = np.stack([zeros, zeros, lengths, lengths], axis=1)
        found[name] = replace(one, faces=one.faces.with_columns(box=box))
    return found


def measure(name: str, tested: Mapping[str, Tested], lost: Faces, config: Ced) -> Results:
    """The figures of the protocol; `lost` are the faces that the detector did not find."""
    protocol = PROTOCOLS[name]
    faces = next(iter(tested.values())).faces
    datasets = sorted({*faces.datasets, *lost.datasets})
    found, missing = _groups(faces, datasets), _groups(lost, datasets)
    by_norm = {norm: normalised(tested, norm) for norm in protocol.norms}
    results: Results = {}
    for dataset, group in {**found, **missing}:
        rows = found.get((dataset, group), np.zeros(len(faces), dtype=bool))
        undetected = int(missing.get((dataset, group), rows[:0]).sum())
        results.setdefault(dataset, {})[group] = {
            norm: {
                method: _figures(one.errors[rows], undetected, protocol.limit, config)
                for method, one in methods.items()
            }
            for norm, methods in by_norm.items()
        }
    return results


def _groups(faces: Faces, datasets: Sequence[str]) -> dict[tuple[str, str], np.ndarray]:
    """Which faces are in each data set and have each attribute; in all data sets, if several."""
    everyone = np.ones(len(faces), dtype=bool)
    masks = {dataset: faces.datasets == dataset for dataset in datasets}
    if len(datasets) > 1:
        masks[ALL] = everyone
    named = {ALL: everyone} | attributes.members(faces[attributes.COLUMN])
    return {
        (dataset, group): mask & has
        for dataset, mask in masks.items()
        for group, has in named.items()
        if group == ALL or (mask & has).any()
    }


def _figures(errors: np.ndarray, undetected: int, limit: float, config: Ced) -> Figures:
    count, everyone = len(errors), len(errors) + undetected
    failed = errors >= limit
    areas = np.maximum(0.0, 1.0 - errors / limit)  # each image's contribution to the AUC

    def mean(values: np.ndarray) -> float | None:
        return float(values.mean()) if count else None

    def interval(values: np.ndarray) -> list[float] | None:
        return metrics.bootstrap(values, config.resamples, config.seed) if count else None

    return {
        "nme": mean(errors),
        "nme_ci95": interval(errors),
        "fr": mean(failed),
        "fr_ci95": interval(failed),
        "auc": mean(areas),
        "auc_ci95": interval(areas),
        "images": count,
        "undetected": undetected,
        "fr_all": float((failed.sum() + undetected) / everyone) if everyone else None,
        "auc_all": float(areas.sum() / everyone) if everyone else None,
    }
