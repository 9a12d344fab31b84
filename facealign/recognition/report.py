"""The report on recognition: which alignment and loss are better, with examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes

from facealign.core import tables
from facealign.recognition import aligned_faces
from facealign.recognition.aligned_faces import Aligned
from facealign.recognition.recipe import CURVE, GUESSES, LED, TRAIN
from facealign.recognition.texts import TEXTS
from facealign.reports import contact_sheet, sections
from facealign.reports.contact_sheet import COLUMNS, TILE
from facealign.reports.document import (
    Block,
    Document,
    Heading,
    Picture,
    Table,
    Text,
    as_picture,
)
from facealign.reports.figures import grouped, percentages, png, side_by_side, styled
from facealign.reports.wording import Finding, Language, Words

_COLOURS = {"none": "#888888", "2": "#1f5fb4", "3": "#c0541f", "5": "#2a8c4a"}
_MISTAKES = 9


@dataclass(frozen=True)
class Material:
    """The outputs of the stages."""

    aligned: Path
    networks: Path
    counts: Mapping[str, Any]  # metrics/identities.json
    figures: Mapping[str, Mapping[str, Mapping[str, Any]]]  # metrics/recognition.json
    details: Mapping[str, Any]
    curves: Path
    params: Mapping[str, Any]  # flat

    def names(self) -> list[tuple[str, str]]:
        return [(points, loss) for points, losses in self.figures.items() for loss in losses]

    def best(self, key: str) -> tuple[str, str] | None:
        having = [name for name in self.names() if self.figure(name, key) is not None]
        return max(having, key=lambda name: float(self.figure(name, key)), default=None)

    def figure(self, name: tuple[str, str], key: str) -> Any:
        points, loss = name
        return self.figures[points][loss][key]


def build(material: Material, language: Language) -> Document:
    words = Words(language, TEXTS)
    blocks: list[Block] = [
        *sections.summary(_findings(material, words), words),
        Heading(words("results")),
        Text(words("figures_method")),
        _table(material, words),
        Picture(_bars(material, words), words("bars"), 0.7),
    ]
    if any(material.curves.glob("*.csv")):
        blocks.append(Picture(_roc(material, words), words("roc")))
    faces = {points: aligned_faces.load(material.aligned / points) for points in material.figures}
    blocks += [
        Heading(words("aligned_faces")),
        _aligned(faces, words),
        Heading(words("mistakes")),
        *_mistakes(material, faces, words),
        Heading(words("training")),
        Picture(_learning(material, words), words("curves_caption")),
        Heading(words("chosen_pictures")),
        *_counts(material.counts, words),
        *sections.parameters(material.params, words),
    ]
    return Document(language, words("recognition", people=material.counts["people"]), blocks)


def _variant(name: tuple[str, str], words: Words) -> str:
    points, loss = name
    return f"{words(loss)}, {words(f'aligned_{points}')}"


def _findings(material: Material, words: Words) -> Iterator[Finding]:
    best, details = material.best("top1"), material.details["variants"]
    assert best is not None
    low, high = material.figure(best, "top1_ci95")
    yield Finding(
        "top1_best",
        {
            "variant": _variant(best, words),
            "top1": words.percent(material.figure(best, "top1")),
            "images": material.figure(best, "images"),
            "people": material.figure(best, "people"),
            "low": words.percent(low),
            "high": words.percent(high),
        },
    )
    best = material.best("tar_1e-2")
    if best is None:
        yield Finding("no_unseen")
    else:
        its = details["-".join(best)]
        low, high = its["tar_1e-2_ci95"]
        yield Finding(
            "tar_best",
            {
                "variant": _variant(best, words),
                "tar": words.percent(material.figure(best, "tar_1e-2")),
                "unseen": its["unseen_people"],
                "low": words.percent(low),
                "high": words.percent(high),
            },
        )
    for key in LED:
        leads = material.details["leads"].get(key, {})
        for lead in leads.get("points", []):
            names = [words(f"aligned_{lead[side]}") for side in ("better", "worse")]
            yield _lead(lead, words("over_losses", figure=words(key)), names, words)
        for lead in leads.get("losses", []):
            names = [words(lead[side]) for side in ("better", "worse")]
            yield _lead(lead, words("over_points", figure=words(key)), names, words)


def _lead(lead: Mapping[str, Any], what: str, names: list[str], words: Words) -> Finding:
    low, high = lead["ci95"]
    better, worse = names
    return Finding(
        "lead_significant" if lead["real"] else "lead_not_significant",
        {
            "what": what,
            "better": better,
            "worse": worse,
            "value": words.number(100 * lead["value"], 1),
            "low": words.number(100 * low, 1),
            "high": words.number(100 * high, 1),
        },
    )


def _table(material: Material, words: Words) -> Table:
    columns = {
        "top1": "top-1",
        "top1_ci95": words("interval"),
        "tar_1e-2": "TAR@FAR 0.01",
        "tar_1e-2_ci95": words("interval"),
        "tar_1e-3": "TAR@FAR 0.001",
        "eer": "EER",
    }
    rows = [
        (
            [words(f"aligned_{points}"), words(loss)],
            {**material.details["variants"][f"{points}-{loss}"], **material.figures[points][loss]},
        )
        for points, loss in material.names()
    ]
    return sections.figures([words("alignment"), words("loss")], columns, rows, words)


@styled
def _bars(material: Material, words: Words) -> bytes:
    """Top-1 accuracy of each alignment, with a bar for each loss."""
    figure, (axes,) = side_by_side(1, 3.0, stretch=1.7)
    losses = list(next(iter(material.figures.values())))
    for number, loss in enumerate(losses):
        values = np.array([its[loss]["top1"] for its in material.figures.values()])
        ends = np.array([its[loss]["top1_ci95"] for its in material.figures.values()])
        places, thick = grouped(len(values), number, len(losses))
        axes.bar(
            places,
            values,
            thick * 0.95,
            yerr=np.abs(ends.T - values).clip(min=0),
            capsize=3,
            color=("#9ab7dc", "#1f5fb4")[number % 2],
            label=words(loss),
        )
    axes.set_xticks(
        range(len(material.figures)), [words(f"aligned_{points}") for points in material.figures]
    )
    percentages(axes)
    axes.legend(fontsize=8, loc="lower right")
    return png(figure)


@styled
def _roc(material: Material, words: Words) -> bytes:
    """A panel for each loss, a line for each alignment."""
    losses = list(next(iter(material.figures.values())))
    figure, grid = side_by_side(len(losses), 3.6)
    for axes, loss in zip(grid, losses, strict=True):
        for points in material.figures:
            path = material.curves / f"{points}-{loss}.csv"
            if path.is_file():
                far, tar = tables.read(path).numbers("far", "tar").T
                axes.step(
                    far, tar, where="post", color=_COLOURS[points], label=words(f"aligned_{points}")
                )
        axes.set(xscale="log", xlim=(1e-4, 1), ylim=(0, 1), title=words(loss))
        axes.set(xlabel=words("far_axis"), ylabel=words("tar_axis"))
        percentages(axes)
        axes.legend(fontsize=8, loc="lower right")
    return png(figure)


@styled
def _learning(material: Material, words: Words) -> bytes:
    """A row for each loss: training loss, and validation accuracy."""
    losses = list(next(iter(material.figures.values())))
    figure, grid = side_by_side(2 * len(losses), 2.8, in_row=2)
    for number, loss in enumerate(losses):
        for axes, column in zip(
            grid[2 * number : 2 * number + 2], ("train_loss", "validation_top1"), strict=True
        ):
            for points in material.figures:
                curve = tables.read(material.networks / f"{points}-{loss}" / CURVE)
                axes.plot(
                    curve.numbers("epoch")[:, 0],
                    curve.numbers(column)[:, 0],
                    color=_COLOURS[points],
                    label=words(f"aligned_{points}"),
                )
            _name_curve(axes, column, loss, words)
    return png(figure)


def _name_curve(axes: Axes, column: str, loss: str, words: Words) -> None:
    axes.set(xlabel=words("epoch"), title=f"{words(loss)}: {words(column)}")
    if column == "validation_top1":
        axes.set_ylim(0, 1)
        percentages(axes)
        axes.legend(fontsize=8, loc="lower right")


def _tile(pixels: np.ndarray) -> np.ndarray:
    return cv2.resize(pixels, (TILE, TILE), interpolation=cv2.INTER_CUBIC)


def _aligned(aligned: Mapping[str, Aligned], words: Words) -> Picture:
    """A row for each alignment: the mean training image, then some of the images."""
    tiles = []
    for faces in aligned.values():
        learnt = faces.rows(TRAIN)
        mean = faces.inputs(learnt).mean(axis=0)
        tiles.append(_tile(mean.round().astype(np.uint8)))
        some = np.linspace(0, len(learnt) - 1, COLUMNS - 1).round().astype(int)
        tiles += [_tile(crop) for crop in faces.inputs(learnt[some])]
    names = ", ".join(words(f"aligned_{points}") for points in aligned)
    return as_picture(contact_sheet.page(tiles), words("aligned_caption", names=names))


def _mistakes(material: Material, aligned: Mapping[str, Aligned], words: Words) -> Iterator[Block]:
    best = material.best("top1")
    assert best is not None
    faces = aligned[best[0]]
    table = tables.read(material.networks / "-".join(best) / GUESSES)
    wrong = [
        (float(sure), image, guess)
        for image, person, guess, sure in zip(
            *(table[name] for name in (tables.KEY, "person", "guess", "score")), strict=True
        )
        if person != guess
    ]
    if not wrong:
        yield Text(words("no_mistakes", variant=_variant(best, words)))
        return
    wrong.sort(key=lambda one: (-one[0], one[1]))
    shown = wrong[:_MISTAKES]
    yield as_picture(
        contact_sheet.page([tile for one in shown for tile in _confused(faces, *one[1:])]),
        words(
            "mistakes_caption", variant=_variant(best, words), shown=len(shown), total=len(wrong)
        ),
    )


def _confused(faces: Aligned, image: str, guess: str) -> Sequence[np.ndarray]:
    """The image, and a training image of the person that the network named."""
    learnt = faces.rows(TRAIN)
    other = learnt[np.flatnonzero(faces.people[learnt] == guess)[0]]
    rows = np.array([faces.images.index(image), other])
    return [_tile(crop) for crop in faces.inputs(rows)]


def _counts(counts: Mapping[str, Any], words: Words) -> Iterator[Block]:
    yield Text(
        words(
            "chosen_counts",
            pictures=counts["pictures"],
            kept=counts["kept"],
            people=counts["people"],
            learnt=counts["people_learnt"],
            unseen_people=counts["people_unseen"],
            train=counts["train"],
            validate=counts["validate"],
            unseen=counts["unseen"],
        )
    )
    if counts["reasons"]:
        rows = [[words(reason), str(count)] for reason, count in counts["reasons"].items()]
        yield Table([[words("reason"), words("images")], *rows])
