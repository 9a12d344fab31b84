"""All alignments and losses beside each other: recognition, verification, and which is ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import tables
from facealign.recognition import crops, scores
from facealign.recognition.embedding import Recogniser
from facealign.recognition.recipe import GUESSES, LED, NETWORK, UNSEEN
from facealign.recognition.scores import Pairs, Verify

_FALSE = np.geomspace(1e-4, 1, 121)  # where the ROC is kept


@dataclass(frozen=True)
class Compared:
    figures: dict[str, dict[str, dict[str, Any]]]  # metrics/recognition.json
    details: dict[str, Any]  # intervals, leads, thresholds
    curves: dict[str, dict[str, np.ndarray]]  # name -> far and tar


def compare(
    names: Sequence[tuple[str, str]], aligned: Path, networks: Path, config: Verify
) -> Compared:
    """Of the variants (points, loss), whose crops and networks lie in folders of these names."""
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    details: dict[str, dict[str, Any]] = {}
    curves: dict[str, dict[str, np.ndarray]] = {}
    draws: dict[str, dict[str, np.ndarray]] = {}
    for points, loss in names:
        name = f"{points}-{loss}"
        table = tables.read(networks / name / GUESSES)
        right = np.array(table["person"], object) == np.array(table["guess"], object)
        known = scores.number(np.array(table["person"], object))
        top1s = scores.shares(right, known, scores.draw(int(known.max()) + 1, config))
        own: dict[str, Any] = {
            "top1": float(right.mean()),
            "top1_ci95": scores.interval(top1s),
            "people": int(known.max()) + 1,
            "images": len(right),
        }
        draws[name] = {"top1": top1s}
        pairs = _pairs(crops.load(aligned / points), Recogniser(networks / name / NETWORK))
        if pairs is None:
            own |= dict.fromkeys((*scores.RATES, "eer"))
            details[name] = {"unseen_people": 0, "pairs_same": 0, "pairs_different": 0}
        else:
            false, true = scores.roc(pairs)
            own |= scores.figures(false, true)
            draws[name] |= scores.resampled(pairs, scores.draw(pairs.people, config))
            details[name] = {
                "unseen_people": pairs.people,
                "pairs_same": int(pairs.same.sum()),
                "pairs_different": int((~pairs.same).sum()),
                "threshold_1e-2": scores.threshold(pairs, 1e-2),
            }
            kept = np.maximum(np.searchsorted(false, _FALSE, "right") - 1, 0)
            share = np.where(false[kept] <= _FALSE, true[kept], 0.0)
            curves[name] = {"far": _FALSE, "tar": share}
        details[name] |= {f"{key}_ci95": scores.interval(its) for key, its in draws[name].items()}
        figures.setdefault(points, {})[loss] = own
    return Compared(figures, {"variants": details, "leads": _leads(figures, draws)}, curves)


def _pairs(faces: crops.Aligned, recogniser: Recogniser) -> Pairs | None:
    """Of the people that nobody learnt, if there are two at least and a pair of one of them."""
    rows = faces.rows(UNSEEN)
    people = scores.number(faces.people[rows]) if len(rows) else np.empty(0, np.int64)
    if len(set(people.tolist())) < 2 or len(people) == len(set(people.tolist())):
        return None
    return scores.pair_up(recogniser.of_crops(faces.inputs(rows)), people)


def _leads(
    figures: dict[str, dict[str, dict[str, Any]]], draws: dict[str, dict[str, np.ndarray]]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """By figure: the best variant, alignment (over all losses) and loss (over all alignments)
    against each other one, in the same draws of people."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for key in LED:
        values = {
            (points, loss): its[key]
            for points, losses in figures.items()
            for loss, its in losses.items()
            if its[key] is not None
        }
        by_name: dict[str, dict[str, list[tuple[str, str]]]] = {
            "variants": {"-".join(name): [name] for name in values},
            "points": {points: [n for n in values if n[0] == points] for points, _ in values},
            "losses": {loss: [n for n in values if n[1] == loss] for _, loss in values},
        }
        found[key] = {}
        for kind, groups in by_name.items():
            means = {name: float(np.mean([values[n] for n in its])) for name, its in groups.items()}
            drawn = {
                name: np.mean([draws["-".join(n)][key] for n in its], axis=0)
                for name, its in groups.items()
            }
            ahead = scores.leads(means, drawn)
            found[key][kind] = [asdict(lead) | {"real": lead.real} for lead in ahead]
    return found
