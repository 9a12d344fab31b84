"""Errors of predicted points and the figures that summarise them. Pure functions.

The error of an image is the mean distance of its points, divided by the size of the face: sqrt(H *
W) of dlib's rectangle in this task. The CED at x is the share of images whose error is below x.
"""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from facealign.core.points import eyes

LIMIT = 0.08  # where the task's CED ends
FEWEST = 10  # images: no conclusion is drawn from fewer


class Summary(TypedDict):
    """The figures of a data set and method in metrics/ced.json; null where no image was scored."""

    auc_08: float | None
    auc_08_ci95: list[float] | None  # by bootstrap over the images
    auc_100: float | None
    fr_08: float | None
    fr_100: float | None
    nme: float | None
    nme_interocular: float | None
    images: int
    undetected: int
    auc_08_all: float | None  # a face that was not found is a failure


def mean_distances(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N, P, 2) and (N, P, 2) -> (N,), pixels."""
    return np.linalg.norm(predicted - truth, axis=-1).mean(axis=-1)


def interocular(truth: np.ndarray) -> np.ndarray:
    """Distance of the outer eye corners; of five points that of the eyes' centres."""
    return np.linalg.norm(np.diff(eyes(truth), axis=1)[:, 0], axis=-1)


def auc(errors: np.ndarray, limit: float) -> float:
    """Area under the CED from 0 to `limit`, as a share of the whole; exact, no grid."""
    return float(_headroom(errors, limit).mean())


def failure_rate(errors: np.ndarray, limit: float) -> float:
    return float((errors >= limit).mean())


def ced(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The steps of the curve: errors, and the share of images from each one up to the next."""
    ordered = np.sort(errors)
    return (
        np.concatenate([[0.0], ordered]),
        np.arange(len(errors) + 1) / max(len(errors), 1),
    )


def ced_to_limit(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The steps of the curve up to LIMIT, and its end there."""
    at, share = ced(errors)
    shown = at <= LIMIT
    return np.append(at[shown], LIMIT), np.append(share[shown], share[shown][-1])


def bootstrap(values: np.ndarray, resamples: int, seed: int) -> list[float]:
    """95 % interval of the mean value, from images resampled with replacement."""
    low, high = np.percentile(_means(values, resamples, seed), [2.5, 97.5])
    return [float(low), float(high)]


@dataclass(frozen=True)
class Difference:
    """How much more AUC up to LIMIT one method has than another on the same images."""

    value: float
    ci95: tuple[float, float]
    p: float  # two-sided
    images: int

    @property
    def real(self) -> bool:
        """Whether it is significant; on fewer than `FEWEST` images nothing is."""
        return self.p < 0.05 and self.images >= FEWEST


def compare(better: np.ndarray, worse: np.ndarray, resamples: int, seed: int) -> Difference:
    """A paired bootstrap: the errors of the same images in the same order."""
    gains = _headroom(better, LIMIT) - _headroom(worse, LIMIT)
    draws = _means(gains, resamples, seed)
    low, high = np.percentile(draws, [2.5, 97.5])
    # twice the smaller tail of the draws beyond no difference; one is added so that p is never 0
    beyond = min((draws <= 0).sum(), (draws >= 0).sum())
    return Difference(
        value=float(gains.mean()),
        ci95=(float(low), float(high)),
        p=min(1.0, 2 * float(beyond + 1) / (resamples + 1)),
        images=len(gains),
    )


def summarise(
    errors: np.ndarray, interocular_errors: np.ndarray, undetected: int, resamples: int, seed: int
) -> Summary:
    count = len(errors)
    if not count:
        return {
            "auc_08": None,
            "auc_08_ci95": None,
            "auc_100": None,
            "fr_08": None,
            "fr_100": None,
            "nme": None,
            "nme_interocular": None,
            "images": 0,
            "undetected": undetected,
            "auc_08_all": 0.0 if undetected else None,
        }
    headroom = _headroom(errors, LIMIT)
    return {
        "auc_08": float(headroom.mean()),
        "auc_08_ci95": bootstrap(headroom, resamples, seed),
        "auc_100": auc(errors, 1.0),
        "fr_08": failure_rate(errors, LIMIT),
        "fr_100": failure_rate(errors, 1.0),
        "nme": float(errors.mean()),
        "nme_interocular": float(interocular_errors.mean()),
        "images": count,
        "undetected": undetected,
        "auc_08_all": float(headroom.sum() / (count + undetected)),
    }


def _means(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    count = len(values)
    return np.array([values[rng.integers(count, size=count)].mean() for _ in range(resamples)])


def _headroom(errors: np.ndarray, limit: float) -> np.ndarray:
    """Each image's contribution to the AUC, which is their mean."""
    return np.maximum(0.0, 1.0 - errors / limit)
