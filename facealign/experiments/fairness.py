"""How accurate networks are on generated people, by skin tone, age and sex.

python -m facealign.experiments.fairness NETWORK ...   (names of released networks, or .onnx files)
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from facealign.core.command import run
from facealign.core.errors import ConfigError
from facealign.core.files import write_text
from facealign.core.parallel import map_in_order
from facealign.core.points import COUNT
from facealign.data.annotations import format_pts
from facealign.evaluation.scoring import Tested
from facealign.inference import annotated
from facealign.inference.aligner import Aligner
from facealign.inference.annotated import CED
from facealign.reports import markdown
from facealign.synthesis.person import Person
from facealign.synthesis.pictures import Plan, plan_pictures, render, sitter

PICTURES = 3000
SEED = 2_000_003  # no network is trained on its pictures


def main(*networks: Path) -> None:
    if not networks:
        raise ConfigError("name a released network, or an .onnx file")
    plans = [plan for plan in plan_pictures(PICTURES, SEED) if plan.point_count == COUNT]
    with tempfile.TemporaryDirectory() as scratch:
        _write(plans, Path(scratch))
        known, _ = annotated.known_faces(Path(scratch), None)
        tested = {}
        for network in networks:
            aligner = Aligner(str(network), "fast", threads=1)
            tested[network.stem] = annotated.score(known, [], aligner, None).tested["model"]
        people = {str(Path(scratch) / plan.name): sitter(plan) for plan in plans}
        print(table(tested, people))


def table(tested: dict[str, Tested], people: dict[str, Person]) -> str:
    """A row for each group; of each network, on the same faces, its AUC and NME."""
    head = ["by", "group", "images"]
    rows = [head + [f"{name} {figure}" for name in tested for figure in ("AUC@0.08", "NME")]]
    first = next(iter(tested.values()))
    groups = [groups_of(people[image]) for image in first.faces.images]
    for subject in groups[0]:
        for name in sorted({its[subject] for its in groups}):
            own = np.array([its[subject] == name for its in groups])
            figures = [one.subset(own).summary(CED) for one in tested.values()]
            row = [subject, name.split(". ")[1], str(figures[0]["images"])]
            for its in figures:
                row += [markdown.with_interval(its), markdown.cell("nme", its["nme"])]
            rows.append(row)
    return markdown.table(rows, names=2)


def groups_of(person: Person) -> dict[str, str]:
    """The groups that a generated person is in, numbered in the order of the table."""
    tone = min(int(3 * person.look.dark), 2)
    return {
        "skin": f"{tone}. {('light', 'medium', 'dark')[tone]}",
        "age": "0. child" if person.age < 0 else "2. old" if person.age > 0 else "1. adult",
        "sex": "0. female" if person.look.feminine else "1. male",
    }


def _write(plans: Sequence[Plan], folder: Path) -> None:
    for plan, (picture, points) in zip(plans, map_in_order(render, plans, "render"), strict=True):
        path = folder / plan.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
        write_text(path.with_suffix(".pts"), format_pts(points))


if __name__ == "__main__":
    run(main)
