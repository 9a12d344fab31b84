"""All alignments and losses compared in recognition and verification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import tables
from facealign.recognition import aligned_faces, verification
from facealign.recognition.recipe import GUESSES, LED, NETWORK, UNSEEN
from facealign.recognition.recogniser import Recogniser
from facealign.recognition.verification import Pairs, Verify

_FALSE = np.geomspace(1e-4, 1, 121)  # false accept rates at which the ROC is written


@dataclass(frozen=True, eq=False)
class Compared:
    figures: dict[str, dict[str, dict[str, Any]]]  # metrics/recognition.json
    details: dict[str, Any]  # intervals, leads, thresholds
    curves: dict[str, dict[str, np.ndarray]]  # name -> far and tar


def compare(
    names: Sequence[tuple[str, str]], aligned: Path, networks: Path, config: Verify
) -> Compared:
    """Compare variants (points, loss); their crops and networks are in folders of these names."""
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    details: dict[str, dict[str, Any]] = {}
    curves: dict[str, dict[str, np.ndarray]] = {}
    draws: dict[str, dict[str, np.ndarray]] = {}
    for points, loss in names:
        name = f"{points}-{loss}"
        table = tables.read(networks / name / GUESSES)
        right = np.array(table["person"], object) == np.array(table["guess"], object)
        known = verification.number(np.array(table["person"], object))
        top1s = verification.shares(right, known, verification.draw(int(known.max()) + 1, config))
        own: dict[str, Any] = {
            "top1": float(right.mean()),
            "top1_ci95": verification.interval(top1s),
            "people": int(known.max()) + 1,
            "images": len(right),
        }
        draws[name] = {"top1": top1s}
        pairs = _pairs(aligned_faces.load(aligned / points), Recogniser(networks / name / NETWORK))
        if pairs is None:
            own |= dict.fromkeys((*verification.RATES, "eer"))
            details[name] = {"unseen_people": 0, "pairs_same": 0, "pairs_different": 0}
        else:
            false, true = verification.roc(pairs)
            own |= verification.figures(false, true)
            draws[name] |= verification.resampled(pairs, verification.draw(pairs.people, config))
            details[name] = {
                "unseen_people": pairs.people,
                "pairs_same": int(pairs.same.sum()),
                "pairs_different": int((~pairs.same).sum()),
                "threshold_1e-2": verification.threshold(pairs, 1e-2),
            }
            kept = np.maximum(np.searchsorted(false, _FALSE, "right") - 1, 0)
            share = np.where(false[kept] <= _FALSE, true[kept], 0.0)
            curves[name] = {"far": _FALSE, "tar": share}
        details[name] |= {
            f"{key}_ci95": verification.interval(its) for key, its in draws[name].items()
        }
        figures.setdefault(points, {})[loss] = own
    return Compared(figures, {"variants": details, "leads": _leads(figures, draws)}, curves)


def _pairs(faces: aligned_faces.Aligned, recogniser: Recogniser) -> Pairs | None:
    """Pairs of the held-out people; None unless there are two people and a pair of one of them."""
    rows = faces.rows(UNSEEN)
    people = verification.number(faces.people[rows]) if len(rows) else np.empty(0, np.int64)
    if len(set(people.tolist())) < 2 or len(people) == len(set(people.tolist())):
        return None
    return verification.pair_up(recogniser.of_crops(faces.inputs(rows)), people)


def _leads(
    figures: dict[str, dict[str, dict[str, Any]]], draws: dict[str, dict[str, np.ndarray]]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """For each figure the best variant, alignment and loss against each of the others, in the same
    bootstrap samples; that of an alignment is the mean over losses, and the other way round."""
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
            ahead = verification.leads(means, drawn)
            found[key][kind] = [asdict(lead) | {"real": lead.real} for lead in ahead]
    return found
