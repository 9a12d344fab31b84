"""Review a change: `make review BASE=main HEAD=my-experiment` compares two runs for a reviewer.

Writes a page in Markdown that says whether the change is significant, with its figures beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import config, images
from facealign.core.command import run
from facealign.core.errors import ExperimentError, InputError
from facealign.core.files import write_text
from facealign.evaluation.metrics import FEWEST, Difference
from facealign.evaluation.scoring import ALL, Ced
from facealign.experiments import comparison, relabelled, revisions
from facealign.experiments.comparison import Compared, Comparison
from facealign.experiments.relabelled import Relabelled, faces_of
from facealign.experiments.revisions import Source, Workspace
from facealign.faces.drawing import Colour
from facealign.reports import ced_figures, contact_sheet
from facealign.reports.ced_figures import Curve
from facealign.reports.contact_sheet import PREDICTED, TRUTH, Tile
from facealign.reports.markdown import escape, table

PAGE, FACES = "review.md", "faces.jpg"
_HEADS = ["data set", "images", "before", "after", "difference", "95 % interval", "p", "verdict"]
BASE: Colour = (60, 120, 255)
_PLAIN_NAME = re.compile(r"[a-z0-9][\w.-]{0,99}", re.IGNORECASE | re.ASCII)
_SHOWN = 6  # faces that improved most, and as many that got worse most


def main(base: Path, head: Path, folder: Path) -> None:
    before, after = _source(str(base)), _source(str(head))
    ced = config.load("ced", Ced)
    compared = comparison.compare(comparison.load(before), comparison.load(after), ced)
    print(write(compared, before, after, folder, ced))
    print(f"{folder / PAGE} and its figures are written")


def _source(name: str) -> Source:
    return Workspace() if name == Workspace().name else revisions.find(name)


def write(comparison: Comparison, base: Source, head: Source, folder: Path, ced: Ced) -> str:
    """Write the page and its figures into the folder; returns the text of the page."""
    for old in (*folder.glob("*.png"), *folder.glob("*.svg"), *folder.glob("*.jpg")):
        old.unlink()  # left by an earlier review
    base_name, head_name = comparison.base.name, comparison.head.name
    for number, compared in enumerate(comparison.datasets):
        curves = {
            name: Curve.of(comparison.errors[its][compared.rows])
            for name, its in ((base_name, "base"), (head_name, "head"))
        }
        dlib = Curve.of(comparison.errors["dlib"][compared.rows])
        title = f"{compared.dataset}, {len(compared.rows)} test images"
        ced_figures.zoo_figure(curves, dlib, title, folder / _stem(number, compared))
    rows, hidden = _changed_most(comparison), ""
    try:
        tiles = _tiles(comparison, base, head, rows) if rows else []
    except (ExperimentError, InputError) as error:  # the data may be missing, unlike Git's files
        hidden = str(error)
    else:
        if tiles:
            images.write(folder / FACES, contact_sheet.sheet(tiles))
    labels = "\n".join(_labels(comparison, base, head, ced))
    text = "\n".join(_page(comparison, rows, hidden, labels)) + "\n"
    write_text(folder / PAGE, text)
    return text


def _stem(number: int, compared: Compared) -> str:
    """The name of a data set's figure: a link that needs no escaping, and a possible file name."""
    name = compared.dataset
    return name if _PLAIN_NAME.fullmatch(name) else f"dataset-{number + 1}"


def verdict(difference: Difference) -> str:
    if difference.value == 0 and difference.ci95 == (0, 0):
        return "the same"
    if difference.real:
        return "better" if difference.value > 0 else "worse"
    if difference.images < FEWEST:
        return "too few images"
    return "not significant"


def _page(comparison: Comparison, rows: Sequence[int], hidden: str, labels: str) -> Iterator[str]:
    """The lines of the page; `hidden` says why the faces of these rows cannot be shown, `labels` is
    the section about corrected labels, if any."""
    base, head = _names(comparison)
    yield f"# {head} against {base}"
    yield ""
    if which := ", ".join(its.what for its in (comparison.base, comparison.head) if its.what):
        yield f"{escape(which)}."
        yield ""
    for warning in _warnings(comparison):
        yield f"**Note:** {warning}"
        yield ""
    if comparison.datasets:
        yield _sentence(comparison.datasets[-1])
        yield ""
        yield table([_HEADS, *map(_row, comparison.datasets)], names=1)
        yield ""
        yield (
            "AUC@0.08 of the network on the test images that both runs measured. Interval and "
            "two-sided p-value are those of a paired bootstrap over images; a difference with p "
            "below 0.05 counts as significant. They cover the choice of images, not that of the "
            "seed: trainings with different seeds may differ as much."
        )
    else:
        yield "There is nothing to compare."
    if labels:
        yield labels
    yield from _changes("Parameters", comparison.base.params, comparison.head.params)
    if comparison.datasets:
        yield ""
        yield "## Curves"
        yield ""
        for number, compared in enumerate(comparison.datasets):
            yield f"![CED of both, {escape(compared.dataset)}]({_stem(number, compared)}.png)"
    if rows:
        yield ""
        yield "## Faces that changed most"
        yield ""
        if hidden:
            yield f"The faces cannot be shown: {escape(hidden)}"
        else:
            yield (
                f"True points in green, {base} in blue, {head} in red; below each face its error "
                "before and after. Largest improvements first, then largest regressions."
            )
            yield ""
            yield f"![Faces that changed most]({FACES})"
        yield ""
        yield table(
            [
                [
                    "error of",
                    comparison.base.name,
                    comparison.head.name,
                    "change (+ is worse)",
                ],
                *(_face(comparison, row) for row in rows),
            ],
            1,
        )
    yield from _changes("Figures", comparison.base.figures, comparison.head.figures, folded=True)


def _labels(comparison: Comparison, base: Source, head: Source, ced: Ced) -> Iterator[str]:
    """What corrected labels changed, if the runs have different patches of them."""
    try:
        if not comparison.images or not relabelled.are_patched_apart(comparison, base, head):
            return
        lines = [*_on_both(comparison, relabelled.measure(comparison, base, head, ced))]
    except (ExperimentError, InputError) as error:
        lines = [f"They cannot be compared: {escape(str(error))}"]
    yield from ("", "## Old and new test labels", "")
    yield from lines


def _on_both(comparison: Comparison, both: Relabelled) -> Iterator[str]:
    old, new = _names(comparison)
    count = len(comparison.images)
    if not both.changed:
        yield f"The labels of the {count} test images are the same in {new} as in {old}."
        return
    yield (
        f"{both.changed} of the {count} test images have other labels in {new} than in {old}. "
        "Both networks on both:"
    )
    for name, compared in ((old, both.old), (new, both.new)):
        yield ""
        yield f"Labels of {name}. {_sentence(compared[-1])}"
        yield ""
        yield table([_HEADS, *map(_row, compared)], names=1)


def _sentence(whole: Compared) -> str:
    """The result in one sentence."""
    difference, (low, high) = whole.difference, whole.difference.ci95
    where = "all data sets" if whole.dataset == ALL else escape(whole.dataset)
    result = {
        "better": "**significantly better**",
        "worse": "**significantly worse**",
        "the same": "**the same**, image by image",
        "not significant": "**no significant difference**",
        "too few images": "**too few images** to tell",
    }[verdict(difference)]
    return (
        f"On {where} ({len(whole.rows)} images): {result}. AUC@0.08 {whole.base:.4f} → "
        f"{whole.head:.4f}, {difference.value:+.4f} (95 % interval {low:+.4f} to {high:+.4f}, "
        f"p {_p_value(difference.p)})."
    )


def _row(compared: Compared) -> list[str]:
    difference, (low, high) = compared.difference, compared.difference.ci95
    return [
        compared.dataset,
        str(len(compared.rows)),
        f"{compared.base:.4f}",
        f"{compared.head:.4f}",
        f"{difference.value:+.4f}",
        f"{low:+.4f} to {high:+.4f}",
        _p_value(difference.p).removeprefix("= "),
        verdict(difference),
    ]


def _warnings(comparison: Comparison) -> Iterator[str]:
    """How the test data of the runs differ."""
    base, head = _names(comparison)
    common = len(comparison.images)
    if not common:
        yield "The test data differ: the runs have no test image in common."
        return
    for name, other, its in ((base, head, comparison.base), (head, base, comparison.head)):
        if alone := len(its.images) - common:
            yield (
                f"The test data differ: {alone} of the {len(its.images)} images of {name} are not "
                f"in {other}, and are left out."
            )
    if comparison.other_boxes:
        yield (
            f"The test data differ: dlib's error differs on {comparison.other_boxes} of the "
            f"{common} images. Their pixels, rectangles or true points differ, so that not only "
            "the networks are compared."
        )


def _changes(
    title: str, base: Mapping[str, Any], head: Mapping[str, Any], folded: bool = False
) -> Iterator[str]:
    names = [name for name in dict.fromkeys([*base, *head]) if base.get(name) != head.get(name)]
    yield ""
    yield f"## {title}"
    yield ""
    if not names:
        yield "No changes."
        return
    rows = [[name, _cell(base.get(name)), _cell(head.get(name))] for name in names]
    listed = table([["", "before", "after"], *rows], names=1)
    if folded:
        yield f"<details><summary>{len(names)} figures changed</summary>\n\n{listed}\n\n</details>"
    else:
        yield listed


def _cell(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _changed_most(comparison: Comparison) -> list[int]:
    """Rows of the common images: the largest improvements, then the largest regressions."""
    gains = comparison.gains
    order = np.argsort(-gains, kind="stable").tolist()
    better = [row for row in order[:_SHOWN] if gains[row] > 0]
    return better + [row for row in order[::-1][:_SHOWN] if gains[row] < 0]


def _face(comparison: Comparison, row: int) -> list[str]:
    before, after = comparison.errors["base"][row], comparison.errors["head"][row]
    return [comparison.images[row], f"{before:.4f}", f"{after:.4f}", f"{after - before:+.4f}"]


def _tiles(comparison: Comparison, base: Source, head: Source, rows: Sequence[int]) -> list[Tile]:
    names = [comparison.images[row] for row in rows]
    boxes = faces_of(head, "data/boxes.csv")
    boxed = boxes.subset(boxes.rows(names))
    truth, before, after = (
        its.points[its.rows(names)]
        for its in (
            faces_of(head, "data/index.csv"),
            faces_of(base, "data/predicted.csv"),
            faces_of(head, "data/predicted.csv"),
        )
    )
    errors = comparison.errors
    return [
        Tile(
            images.decode(head.fetch(f"data/faces/{name}"), Path(name)),
            boxed.box(i),
            [(truth[i], TRUTH), (before[i], BASE), (after[i], PREDICTED)],
            f"{errors['base'][row]:.4f}  {errors['head'][row]:.4f}",
        )
        for i, (row, name) in enumerate(zip(rows, names, strict=True))
    ]


def _p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _names(comparison: Comparison) -> tuple[str, str]:
    """The names of both runs in the text of the page."""
    return escape(comparison.base.name), escape(comparison.head.name)


if __name__ == "__main__":
    run(main)
