"""The findings of an experiment: which sentences of the summary its figures support.

A difference that is not significant is reported as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from facealign.core.faces import DLIB_TRAINED
from facealign.evaluation import metrics
from facealign.evaluation.metrics import FEWEST, Summary
from facealign.evaluation.scoring import ALL, Ced, Tested
from facealign.reports.wording import Finding, Words

Figures = Mapping[str, Mapping[str, Mapping[str, Any]]]  # metrics/ced.json

_BETTER, _WORSE = 0.99, 1.01  # one percent of the NME is more than the noise between epochs
_FEWEST_EPOCHS = 10  # to tell whether more would help


@dataclass(frozen=True)
class Rated:
    """A group of faces: its name, and the figures of each method on it."""

    name: str
    figures: Mapping[str, Summary]

    @property
    def images(self) -> int:
        count = self.figures["model"]["images"]
        assert isinstance(count, int)
        return count


def against(
    baseline: str, tested: Mapping[str, Tested], config: Ced, words: Words
) -> list[Finding]:
    """Whether network or baseline is better on each data set, and significantly so."""
    model, other = tested["model"], tested[baseline]
    names = sorted(set(model.faces.datasets))
    if len(names) > 1:
        names.append(ALL)
    found = []
    for name in names:
        rows = model.faces.datasets == name if name != ALL else slice(None)
        ours, theirs = model.errors[rows], other.errors[rows]
        compared = metrics.compare(ours, theirs, config.resamples, config.seed)
        text, (low, high) = "not_significant", compared.ci95
        if compared.images < FEWEST:
            text = "too_few"
        elif compared.real and compared.value > 0:
            text = "better"
        elif compared.real:
            text, low, high = "worse", -high, -low
        found.append(
            Finding(
                text,
                {
                    "dataset": words("together") if name == ALL else name,
                    "images": len(ours),
                    "model": words.number(metrics.auc(ours, metrics.LIMIT)),
                    "other": words("dlib-trained-said") if baseline == DLIB_TRAINED else baseline,
                    "theirs": words.number(metrics.auc(theirs, metrics.LIMIT)),
                    "value": words.number(abs(compared.value)),
                    "low": words.number(low),
                    "high": words.number(high),
                    "p": words.p_value(compared.p),
                },
            )
        )
    return found


def detection(figures: Figures, words: Words) -> Finding:
    model, dlib = figures[ALL]["model"], figures[ALL].get("dlib", {})
    total = model["images"] + model["undetected"]
    if not model["undetected"]:
        return Finding("all_found", {"total": total})
    return Finding(
        "not_found",
        {
            "lost": model["undetected"],
            "total": total,
            "model": words.number(model["auc_08_all"]),
            "dlib": words.number(dlib.get("auc_08_all")),
        },
    )


def usage(kept: int, reasons: Mapping[str, int], words: Words) -> Finding:
    """How many pictures are used; `reasons` counts the files that were dropped."""
    dropped = sum(reasons.values())
    if not dropped:
        return Finding("all_used", {"kept": kept})
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{words(reason)}: {count}" for reason, count in ordered)
    return Finding("some_dropped", {"kept": kept, "dropped": dropped, "reasons": listed})


def duplicates(tested: Tested, alike: Sequence[str], words: Words) -> Finding:
    """`alike` are the test pictures that look like a train picture."""
    if not alike:
        return Finding("no_duplicates")
    others = ~np.isin(tested.faces.images, alike)
    without = metrics.auc(tested.errors[others], metrics.LIMIT) if others.any() else None
    return Finding(
        "duplicates",
        {
            "count": len(alike),
            "without": words.number(without),
            "all": words.number(metrics.auc(tested.errors, metrics.LIMIT)),
        },
    )


def parts(
    regions: Mapping[str, Mapping[str, np.ndarray]], config: Ced, words: Words
) -> list[Finding]:
    """`regions` has each method's errors on each part, image by image; dlib may be missing."""
    ours, theirs = regions["model"], regions.get("dlib")
    means = {name: float(errors.mean()) for name, errors in ours.items()}
    best, worst = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    found = [
        Finding(
            "parts",
            {
                "worst": words.region(worst),
                "worst_error": words.percent(means[worst], 2),
                "best": words.region(best),
                "best_error": words.percent(means[best], 2),
            },
        )
    ]
    if theirs is None:
        return found
    whole = float(np.mean([theirs[name].mean() - ours[name].mean() for name in ours]))
    other = []
    for name in ours:
        compared = metrics.compare(ours[name], theirs[name], config.resamples, config.seed)
        if compared.real and compared.value * whole < 0:
            other.append(words.region(name))
    if other:
        text = "parts_worse" if whole > 0 else "parts_better"
        found.append(Finding(text, {"parts": ", ".join(other)}))
    return found


def difficulty(subjects: Mapping[str, Sequence[Rated]], words: Words) -> list[Finding]:
    """Where the intervals of the easiest and the hardest group do not overlap."""
    found, compared = [], False
    for subject, groups in subjects.items():
        many = [group for group in groups if group.images >= FEWEST]
        if len(many) < 2:
            continue
        compared = True
        easy, difficult = (many[0], many[-1]) if subject == "yaw" else (many[-1], many[0])
        one, two = easy.figures["model"], difficult.figures["model"]
        above, below = one["auc_08_ci95"], two["auc_08_ci95"]
        assert isinstance(above, list) and isinstance(below, list)
        if below[1] < above[0]:
            assert isinstance(one["auc_08"], float) and isinstance(two["auc_08"], float)
            found.append(
                Finding(
                    f"hard_{subject}",
                    {
                        "worst": words.number(two["auc_08"]),
                        "worst_group": difficult.name,
                        "best": words.number(one["auc_08"]),
                        "best_group": easy.name,
                    },
                )
            )
    return found or [Finding("none_hard" if compared else "none_compared")]


def training(losses: np.ndarray, nmes: np.ndarray, words: Words) -> Finding:
    """Whether more epochs would help; loss and validation NME are given epoch by epoch."""
    epochs, best = len(nmes), int(nmes.argmin())
    values: dict[str, str | int] = {"best": best + 1, "epochs": epochs}
    if epochs < _FEWEST_EPOCHS:
        return Finding("few_epochs", values)
    later = epochs - epochs // 4
    if nmes[-1] > _WORSE * nmes[best] and losses[-1] < losses[best]:
        worse = words.percent(nmes[-1] / nmes[best] - 1)
        return Finding("overfitted", values | {"worse": worse})
    before = nmes[:later].min()
    if best >= later and nmes[best] < _BETTER * before:
        return Finding("still_falling", values | {"fell": words.percent(1 - nmes[best] / before)})
    return Finding("settled", values)
