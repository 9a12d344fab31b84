"""Measure the shipped networks and write the tables of MODEL_CARD.md: `make card FACES=data/faces`.

The folder has DATASET/{train,test}/PICTURE with .pts files, as the stage `extract` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facealign.core import config
from facealign.core.command import run
from facealign.core.errors import InputError
from facealign.core.files import write_text
from facealign.evaluation.scoring import ALL
from facealign.evaluation.subgroups import Groups
from facealign.faces import dlib_predictor
from facealign.faces.dlib_predictor import Dlib
from facealign.inference import annotated
from facealign.inference.aligner import Aligner
from facealign.inference.annotated import Report
from facealign.reports import markdown
from facealign.reports.material import DEMO
from facealign.training import checkpoint

FIGURES = ("fr_08", "nme", "nme_interocular", "images", "undetected")  # beside the AUC
BEGIN, END = "<!-- figures: make card -->", "<!-- end of figures -->"


def main(faces: Path, card: Path) -> None:
    text = card.read_text(encoding="utf-8")
    replaced(text, "", card)  # fail fast, before minutes of work
    runnables = sorted(checkpoint.RELEASED.glob("*.onnx"), key=lambda file: file.stem)
    baseline = dlib_predictor.predictor_file(config.load("dlib", Dlib))
    figures = tables(runnables, faces, baseline)
    write_text(card, replaced(text, figures, card))


def tables(runnables: Sequence[Path], faces: Path, baseline: Path) -> str:
    """The figures of each network and of dlib on the test pictures."""
    known, _ = annotated.known_faces(faces, None)
    tested = known.where(split="test")
    if not len(tested):
        raise InputError(f"{faces}: no DATASET/test/ with a .pts file for each picture")
    reports = {
        file.stem: annotated.score(tested, [], Aligner(file, "dlib", threads=1), baseline)
        for file in runnables
    }
    blocks = [_networks(runnables), "### By data set", _summary(reports)]
    for dataset in next(iter(reports.values())).groups:
        groups = _merged({name: its.groups[dataset] for name, its in reports.items()})
        blocks += [f"### {dataset}, by difficulty", markdown.groups_table(groups)]
    return "\n\n".join(blocks)


def replaced(card: str, figures: str, path: Path) -> str:
    """The card with `figures` between its markers."""
    before, begin, rest = card.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"{path}: expected {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}"


def _networks(runnables: Sequence[Path]) -> str:
    rows = [["network", "train pictures", "NME, validation", "input, px", "file, MB"]]
    for file in runnables:
        recipe = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        # the members of a mean were trained on the same crops of the same pictures
        networks = list(recipe["networks"].values())
        rows.append(
            [
                file.stem,
                _train_pictures(networks[0]),
                ", ".join(f"{its['validation_nme']:.4f}" for its in networks),
                str(networks[0]["params"]["crop.size"]),
                f"{file.stat().st_size / 1e6:.1f}",
            ]
        )
    return markdown.table(rows, names=2)


def _train_pictures(network: Mapping[str, Any]) -> str:
    counts = {
        dataset: its["train"]["kept"]
        for dataset, its in network["pictures"].items()
        if its["train"]["kept"]
    }
    if network["params"]["data.archive"] == DEMO:  # its data sets have the names of real ones
        return f"generated: {sum(counts.values())}"
    return ", ".join(f"{dataset}: {count}" for dataset, count in counts.items())


def _summary(reports: Mapping[str, Report]) -> str:
    """A row for each data set and method; dlib is the same in every report."""
    rows = [
        ["data set", "method", "AUC@0.08", "FR@0.08", "NME", "NME by eyes", "images", "not found"]
    ]
    first = next(iter(reports.values()))
    for dataset in first.summary:
        if dataset == ALL:
            continue
        methods: dict[str, Mapping[str, Any]]
        methods = {name: its.summary[dataset]["model"] for name, its in reports.items()}
        for name, its in (methods | {"dlib": first.summary[dataset]["dlib"]}).items():
            rows.append(
                [
                    dataset,
                    name,
                    markdown.with_interval(its),
                    *(markdown.cell(key, its[key]) for key in FIGURES),
                ]
            )
    return markdown.table(rows, names=2)


def _merged(groups: Mapping[str, Groups]) -> Groups:
    """The groups of one data set: each network under its own name, then dlib once."""
    first = next(iter(groups.values()))
    return {
        subject: {
            group: {name: its[subject][group]["model"] for name, its in groups.items()}
            | {"dlib": figures["dlib"]}
            for group, figures in its_groups.items()
        }
        for subject, its_groups in first.items()
    }


if __name__ == "__main__":
    run(main)
