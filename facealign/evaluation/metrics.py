"""How far predicted points are from the truth, and the figures that sum it up. Pure functions.

The error of an image is the mean distance of its points over a length that says how large the face
is: sqrt(H * W) of dlib's rectangle in this task. The CED at x is the share of images whose error is
below x.
"""

from dataclasses import dataclass

import numpy as np

from facealign.core.points import eyes

LIMIT = 0.08  # where the task's CED ends
FEWEST = 10  # images from which anything is concluded
Summary = dict[str, float | int | list[float] | None]


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
    """The curve's corners: from errors[i] on, and up to errors[i + 1], the share is shares[i]."""
    ordered = np.sort(errors)
    return (
        np.concatenate([[0.0], ordered]),
        np.arange(len(errors) + 1) / max(len(errors), 1),
    )


def ced_to_limit(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The curve's corners up to LIMIT, and its end there."""
    at, share = ced(errors)
    shown = at <= LIMIT
    return np.append(at[shown], LIMIT), np.append(share[shown], share[shown][-1])


def bootstrap(values: np.ndarray, resamples: int, seed: int) -> list[float]:
    """95 % interval of the images' mean value, the images drawn anew with replacement."""
    low, high = np.percentile(_means(values, resamples, seed), [2.5, 97.5])
    return [float(low), float(high)]


@dataclass(frozen=True)
class Difference:
    """How much more AUC up to LIMIT one method has than another on the same images."""

    value: float
    ci95: tuple[float, float]
    p: float  # how often chance alone would give so much, either way
    images: int

    @property
    def real(self) -> bool:
        """Whether it is more than chance; a handful of images proves nothing, however they fall."""
        return self.p < 0.05 and self.images >= FEWEST


def compare(better: np.ndarray, worse: np.ndarray, resamples: int, seed: int) -> Difference:
    """Paired: errors of the same images in the same order, each image drawn with both."""
    gains = _headroom(better, LIMIT) - _headroom(worse, LIMIT)
    draws = _means(gains, resamples, seed)
    low, high = np.percentile(draws, [2.5, 97.5])
    # of the draws, the smaller share on one side of no difference, twice; never quite 0
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
    """The figures of `metrics/ced.json`; those of no image at all are null."""
    count = len(errors)
    if not count:
        names = ("auc_08", "auc_08_ci95", "auc_100", "fr_08", "fr_100", "nme", "nme_interocular")
        none: Summary = dict.fromkeys(names)
        return none | {
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
        # a face that was not found is a failure of the whole system
        "auc_08_all": float(headroom.sum() / (count + undetected)),
    }


def _means(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    count = len(values)
    return np.array([values[rng.integers(count, size=count)].mean() for _ in range(resamples)])


def _headroom(errors: np.ndarray, limit: float) -> np.ndarray:
    """An image's own contribution to the AUC; their mean is the AUC."""
    return np.maximum(0.0, 1.0 - errors / limit)
