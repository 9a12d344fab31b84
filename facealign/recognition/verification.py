"""Recognition and verification rates with confidence intervals. Pure functions.

Pictures of one person are not independent, frames of one film even less: intervals resample people,
not pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from facealign.core.config import Range, Seed

RATES = {"tar_1e-2": 1e-2, "tar_1e-3": 1e-3}


@dataclass(frozen=True)
class Verify:
    """The section `recognition.verify` of params.yaml."""

    resamples: Annotated[int, Range(100, 100_000)]
    seed: Seed


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs of pictures, the most similar first."""

    cosines: np.ndarray  # (P,)
    same: np.ndarray  # (P,) bool: of one person
    one: np.ndarray  # (P,) number of the first picture's person
    other: np.ndarray  # (P,)
    people: int


def number(people: np.ndarray) -> np.ndarray:
    """A number from 0 for each name, in the order of the names."""
    return np.unique(people.astype(str), return_inverse=True)[1]


def draw(people: int, config: Verify) -> np.ndarray:
    """How often each person occurs in each bootstrap sample, (resamples, people)."""
    rng = np.random.default_rng(config.seed)
    return rng.multinomial(people, np.full(people, 1 / people), size=config.resamples)


def shares(right: np.ndarray, people: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The share of pictures that are `right` in each bootstrap sample of people."""
    rights = np.bincount(people, right, draws.shape[1])
    counts = np.bincount(people, minlength=draws.shape[1])
    return (draws @ rights) / (draws @ counts)


def pair_up(embeddings: np.ndarray, people: np.ndarray) -> Pairs:
    """All pairs of pictures; `people` are numbers as `number` gives them."""
    first, second = np.triu_indices(len(people), 1)
    cosines = (embeddings @ embeddings.T)[first, second]
    order = np.argsort(-cosines, kind="stable")
    one, other = people[first[order]], people[second[order]]
    return Pairs(cosines[order], one == other, one, other, int(people.max()) + 1)


def roc(pairs: Pairs, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """False and true accept rates when the first 1, 2, 3 ... pairs are accepted; `weights` says how
    often each pair counts."""
    counts = np.ones(len(pairs.same)) if weights is None else weights
    true, false = np.cumsum(counts * pairs.same), np.cumsum(counts * ~pairs.same)
    # pairs of equal cosine are accepted together
    last = np.append(np.diff(pairs.cosines) != 0, True)
    return false[last] / max(false[-1], 1), true[last] / max(true[-1], 1)


def figures(false: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """TAR at each false accept rate of RATES, and the equal error rate."""
    values = {}
    for name, rate in RATES.items():
        allowed = np.flatnonzero(false <= rate)
        values[name] = float(true[allowed[-1]]) if len(allowed) else 0.0
    place = int(np.argmin(np.abs(false - (1 - true))))
    return values | {"eer": float((false[place] + 1 - true[place]) / 2)}


def threshold(pairs: Pairs, rate: float) -> float:
    """The cosine that at most this share of the pairs of different people exceeds."""
    different = pairs.cosines[~pairs.same]
    return float(different[int(rate * len(different))])


def resampled(pairs: Pairs, draws: np.ndarray) -> dict[str, np.ndarray]:
    """The figures in each bootstrap sample of people: a pair of two people counts as often as the
    product of their counts, a pair of one person as often as the person."""
    found = []
    for counts in draws:
        weights = np.where(
            pairs.same, counts[pairs.one], counts[pairs.one] * counts[pairs.other]
        ).astype(np.float64)
        found.append(figures(*roc(pairs, weights)))
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def interval(values: np.ndarray) -> list[float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return [float(low), float(high)]


@dataclass(frozen=True)
class Lead:
    """By how much one variant exceeds another in a figure."""

    better: str
    worse: str
    value: float
    ci95: list[float]

    @property
    def real(self) -> bool:
        """Whether the difference is significant: its interval does not include 0."""
        return self.ci95[0] > 0


def leads(values: Mapping[str, float], draws: Mapping[str, np.ndarray]) -> list[Lead]:
    """The best variant against each of the others, in the same bootstrap samples."""
    if not values:
        return []
    best = max(values, key=values.__getitem__)
    return [
        Lead(best, name, values[best] - value, interval(draws[best] - draws[name]))
        for name, value in values.items()
        if name != best
    ]
