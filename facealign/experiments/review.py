"""The page that a reviewer reads: one run against another, in Markdown, with figures beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import config, images, tables
from facealign.core.command import run
from facealign.core.errors import FacealignError
from facealign.core.files import write_text
from facealign.core.geometry import Box
from facealign.evaluation import metrics
from facealign.evaluation.metrics import FEWEST, Difference
from facealign.evaluation.scoring import ALL, Ced
from facealign.experiments import comparison, revisions
from facealign.experiments.comparison import Compared, Comparison
from facealign.experiments.revisions import Source, Workspace
from facealign.faces.drawing import Colour
from facealign.reports import ced_figures, contact_sheet
from facealign.reports.ced_figures import Curve
from facealign.reports.contact_sheet import PREDICTED, TRUTH, Tile
from facealign.reports.markdown import table

PAGE, FACES = "review.md", "faces.jpg"
BASE: Colour = (60, 120, 255)
_SHOWN = 6  # faces that became better, and as many that became worse


def write(comparison: Comparison, base: Source, head: Source, folder: Path) -> str:
    """Write the page and its figures into the folder; returns the page's text."""
    for old in (*folder.glob("*.png"), *folder.glob("*.svg"), *folder.glob("*.jpg")):
        old.unlink()  # of an earlier review
    base_name, head_name = _names(comparison)
    for compared in comparison.datasets:
        curves = {
            name: _curve(comparison.errors[its][compared.rows])
            for name, its in ((base_name, "base"), (head_name, "head"))
        }
        dlib = _curve(comparison.errors["dlib"][compared.rows])
        title = f"{compared.dataset}, {len(compared.rows)} test images"
        ced_figures.zoo_figure(curves, dlib, title, folder / compared.dataset)
    rows, hidden = _changed_most(comparison), ""
    try:
        tiles = _tiles(comparison, base, head, rows) if rows else []
    except FacealignError as error:  # the pictures are in no one's Git
        hidden = str(error)
    else:
        if tiles:
            images.write(folder / FACES, contact_sheet.sheet(tiles))
    text = "\n".join(_page(comparison, rows, hidden)) + "\n"
    write_text(folder / PAGE, text)
    return text


def verdict(difference: Difference) -> str:
    if difference.value == 0 and difference.ci95 == (0, 0):
        return "the same"
    if difference.real:
        return "better" if difference.value > 0 else "worse"
    if difference.images < FEWEST:
        return "too few images"
    return "may be chance"


def _page(comparison: Comparison, rows: Sequence[int], hidden: str) -> Iterator[str]:
    """The page's lines; `hidden` says why the faces of these rows cannot be shown."""
    base, head = _names(comparison)
    yield f"# {head} against {base}"
    yield ""
    if which := ", ".join(its.what for its in (comparison.base, comparison.head) if its.what):
        yield f"{which}."
        yield ""
    if not comparison.datasets:
        yield "No test image was measured in both: nothing can be compared."
    else:
        yield _sentence(comparison.datasets[-1])
        yield ""
        yield table([_HEADS, *map(_row, comparison.datasets)], names=1)
        yield ""
        yield (
            "AUC@0.08 of the network on the test images that both have measured. The difference is "
            "paired: a bootstrap resamples the images, each with both its errors. Better or worse "
            "means p below 0.05."
        )
    for warning in _warnings(comparison):
        yield ""
        yield f"**Note:** {warning}"
    yield from _changes("Parameters", comparison.base.params, comparison.head.params)
    if comparison.datasets:
        yield ""
        yield "## Curves"
        yield ""
        for compared in comparison.datasets:
            yield f"![CED of both, {compared.dataset}]({compared.dataset}.png)"
    if rows:
        yield ""
        yield "## Faces that changed most"
        yield ""
        if hidden:
            yield f"They cannot be shown: {hidden}"
        else:
            yield (
                f"Truth in green, {base} in blue, {head} in red; the errors of both below each "
                "face. First those that became better by most, if any, then worse."
            )
            yield ""
            yield f"![Faces that changed most]({FACES})"
        yield ""
        yield table(
            [
                ["error of", base, head, "change (+ is worse)"],
                *(_face(comparison, row) for row in rows),
            ],
            1,
        )
    yield from _changes("Figures", comparison.base.figures, comparison.head.figures, folded=True)


_HEADS = ["data set", "images", "before", "after", "difference", "95 % interval", "p", "verdict"]


def _sentence(whole: Compared) -> str:
    difference, (low, high) = whole.difference, whole.difference.ci95
    where = "all data sets" if whole.dataset == ALL else whole.dataset
    said = {
        "better": "**better**, by more than chance",
        "worse": "**worse**, by more than chance",
        "the same": "**the same**, image by image",
        "may be chance": "**no difference that these images can prove**",
        "too few images": "**too few images** to tell",
    }[verdict(difference)]
    return (
        f"On {where} ({len(whole.rows)} images): {said}. AUC@0.08 {whole.base:.4f} → "
        f"{whole.head:.4f}, {difference.value:+.4f} (95 % interval {low:+.4f} to {high:+.4f}, "
        f"p {_chance(difference.p)})."
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
        _chance(difference.p),
        verdict(difference),
    ]


def _warnings(comparison: Comparison) -> Iterator[str]:
    base, head = _names(comparison)
    common = len(comparison.images)
    for name, its in ((base, comparison.base), (head, comparison.head)):
        if alone := len(its.images) - common:
            yield f"{alone} of {len(its.images)} images, measured in {name} only, are left out."
    if comparison.other_boxes:
        yield (
            f"dlib's error differs on {comparison.other_boxes} of the {common} images: rectangles, "
            "true points or their number are others there, and the network is not all that differs."
        )


def _changes(
    title: str, base: Mapping[str, Any], head: Mapping[str, Any], folded: bool = False
) -> Iterator[str]:
    names = [name for name in dict.fromkeys([*base, *head]) if base.get(name) != head.get(name)]
    yield ""
    yield f"## {title}"
    yield ""
    if not names:
        yield "The same."
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
    """Rows of the common images: the greatest gains, then the greatest losses."""
    gains = comparison.gains
    order = np.argsort(-gains, kind="stable").tolist()
    better = [row for row in order[:_SHOWN] if gains[row] > 0]
    return better + [row for row in order[::-1][:_SHOWN] if gains[row] < 0]


def _face(comparison: Comparison, row: int) -> list[str]:
    before, after = comparison.errors["base"][row], comparison.errors["head"][row]
    return [comparison.images[row], f"{before:.4f}", f"{after:.4f}", f"{after - before:+.4f}"]


def _tiles(comparison: Comparison, base: Source, head: Source, rows: Sequence[int]) -> list[Tile]:
    names = [comparison.images[row] for row in rows]
    boxes = _table(head, "data/boxes.csv")
    corners = boxes.numbers("left", "top", "right", "bottom")[boxes.rows(names)]
    truth, before, after = (
        its.points()[its.rows(names)]
        for its in (
            _table(head, "data/index.csv"),
            _table(base, "data/predicted.csv"),
            _table(head, "data/predicted.csv"),
        )
    )
    errors = comparison.errors
    return [
        Tile(
            images.decode(head.fetch(f"data/faces/{name}"), Path(name)),
            Box(*corners[i].tolist()),
            [(truth[i], TRUTH), (before[i], BASE), (after[i], PREDICTED)],
            f"{errors['base'][row]:.4f}  {errors['head'][row]:.4f}",
        )
        for i, (row, name) in enumerate(zip(rows, names, strict=True))
    ]


def _table(source: Source, path: str) -> tables.Table:
    return tables.parse(source.fetch(path), Path(source.name, path))


def _curve(errors: np.ndarray) -> Curve:
    return Curve(*metrics.ced_to_limit(errors), metrics.auc(errors, metrics.LIMIT))


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _names(comparison: Comparison) -> tuple[str, str]:
    return comparison.base.name, comparison.head.name


def main(base: Path, head: Path, folder: Path) -> None:
    before, after = _source(str(base)), _source(str(head))
    compared = comparison.compare(
        comparison.load(before), comparison.load(after), config.load("ced", Ced)
    )
    print(write(compared, before, after, folder))
    print(f"{folder / PAGE}, with its figures beside it")


def _source(name: str) -> Source:
    return Workspace() if name == Workspace().name else revisions.find(name)


if __name__ == "__main__":
    run(main)
