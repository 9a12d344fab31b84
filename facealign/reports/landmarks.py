"""The report on an experiment: what a reviewer wants to see of data, training and results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import images
from facealign.core.geometry import Box, box_sizes
from facealign.core.parallel import map_in_order
from facealign.core.tables import KEY
from facealign.core.tables import Table as Rows
from facealign.evaluation import metrics, scoring
from facealign.evaluation.scoring import ALL, Ced, Tested
from facealign.faces import quality
from facealign.faces.drawing import Colour
from facealign.faces.quality import Group
from facealign.reports import contact_sheet, duplicates, findings, report_figures
from facealign.reports.contact_sheet import PREDICTED, TRUTH, Tile
from facealign.reports.document import (
    Block,
    Document,
    Heading,
    Items,
    Picture,
    Table,
    Text,
    as_picture,
)
from facealign.reports.findings import Figures, Finding, Rated
from facealign.reports.wording import Language, Words

DLIB: Colour = (60, 120, 255)


@dataclass(frozen=True)
class Material:
    """What the pipeline has made, as the report needs it."""

    faces: Path
    index: Rows
    dropped: Rows
    boxes: Rows
    tested: Mapping[str, Tested]  # model, dlib
    training: Rows
    figures: Figures  # metrics/ced.json
    params: Mapping[str, Any]  # flat
    ced: Ced

    @property
    def model(self) -> Tested:
        return self.tested["model"]

    @cached_property
    def truth(self) -> np.ndarray:
        return self.index.points()

    def box(self, row: int) -> Box:
        """dlib's rectangle of a row of the index, or one around its true points."""
        image = self.index[KEY][row]
        place = self._places.get(image)
        if place is None:
            return Box.around(self.truth[row])
        return Box(*self._corners[place].tolist())

    def where(self, split: str) -> list[int]:
        return [row for row, its in enumerate(self.index["split"]) if its == split]

    @cached_property
    def found(self) -> frozenset[str]:
        """Where the detector found the face; others may have a box around their true points."""
        return frozenset(
            image
            for image, source in zip(self.boxes[KEY], self.boxes["source"], strict=True)
            if source != "truth"
        )

    @cached_property
    def _places(self) -> dict[str, int]:
        return {image: place for place, image in enumerate(self.boxes[KEY])}

    @cached_property
    def _corners(self) -> np.ndarray:
        return self.boxes.numbers("left", "top", "right", "bottom")


@dataclass(frozen=True)
class Look:
    """What the pictures themselves say."""

    hash: int
    sharpness: float


def build(material: Material, language: Language) -> Document:
    words = Words(language)
    looks = _look_at_all(material)
    pairs = _duplicates(material, looks)
    datasets = sorted(set(material.index["dataset"]))
    results = list(_results(material, words)) if material.model.images else []
    respects = _respects(material, looks, words) if material.model.images else {}
    said = list(_findings(material, respects, pairs, words))
    blocks: list[Block] = [
        Heading(words("in_short")),
        Items([words(finding.text, **finding.values) for finding in said], weighty=True),
        *results,
        *(_hard(respects, words) if respects else []),
        *(_faces(material, words) if material.model.images else []),
        *_training(material, words),
        *_data(material, pairs, words),
        Heading(words("parameters")),
        Text(words("parameters_method")),
        Table(
            [
                [words("parameter"), words("value")],
                *([name, str(value)] for name, value in material.params.items()),
            ],
            names=2,
            small=True,
        ),
    ]
    return Document(language, words("title", datasets=", ".join(datasets)), blocks)


def _findings(
    material: Material,
    respects: Mapping[str, Sequence[Rated]],
    pairs: Sequence[tuple[int, int, int]],
    words: Words,
) -> Iterator[Finding]:
    tested = material.tested
    measured = bool(material.model.images)
    if measured:
        yield from findings.against_dlib(tested, material.ced, words)
    for name, methods in material.figures.items():
        if name != ALL and not methods["model"]["images"]:
            yield Finding("nothing_tested", {"dataset": name})
    yield findings.detection(material.figures, words)
    if measured:
        regions = {method: scoring.by_region(its) for method, its in tested.items()}
        if regions["model"]:
            yield from findings.parts(regions, material.ced, words)
        yield from findings.hard(respects, words)
        alike = [material.index[KEY][test] for _, test, _ in pairs]
        yield findings.duplicates(material.model, alike, words)
    curve = material.training.numbers("train_loss", "validation_nme")
    yield findings.training(curve[:, 0], curve[:, 1], words)
    yield findings.use(len(material.index), Counter(material.dropped["reason"]), words)


def _results(material: Material, words: Words) -> Iterator[Block]:
    yield Heading(words("results"))
    heads = ["dataset", "method", "interval", "images", "undetected"]
    dataset, method, interval, count, lost = map(words, heads)
    rows = [[dataset, method, "AUC@0.08", interval, "AUC@1.0", "FR@0.08", "NME", count, lost]]
    for name, methods in material.figures.items():
        for method, its in methods.items():
            rows.append(
                [
                    words.dataset(name),
                    words.method(method),
                    words.number(its["auc_08"], 4),
                    words.interval(its["auc_08_ci95"]),
                    words.number(its["auc_100"], 4),
                    words.percent(its["fr_08"]),
                    words.number(its["nme"], 4),
                    str(its["images"]),
                    str(its["undetected"]),
                ]
            )
    yield Table(rows, names=2)
    scored = {method: scoring.score(its) for method, its in material.tested.items()}
    errors = {
        name: {method: its[name].errors for method, its in scored.items()}
        for name in scored["model"]
    }
    if len(errors) == 2:  # one data set: all is the same again
        del errors[ALL]
    yield Picture(
        report_figures.ced(errors, words), words("ced_caption"), min(1, len(errors) / 2.5)
    )
    yield Text(words("metric", resamples=material.ced.resamples))
    yield Heading(words("regions"))
    regions = {method: scoring.by_region(its) for method, its in material.tested.items()}
    if not regions["model"]:
        yield Text(words("five_points"))
        return
    means = {
        method: {part: float(errors.mean()) for part, errors in parts.items()}
        for method, parts in regions.items()
    }
    yield Picture(report_figures.regions(means, words), words("regions_caption"), 0.7)


def _respects(material: Material, looks: Sequence[Look], words: Words) -> dict[str, list[Rated]]:
    tested = material.model
    rows = material.index.rows(tested.images)
    sharp = np.array([looks[row].sharpness for row in rows])
    sizes = box_sizes(tested.boxes)

    def rated(name: str, group: Group) -> Rated:
        figures = {
            method: metrics.summarise(
                its.errors[group.rows],
                its.errors[group.rows],
                0,
                material.ced.resamples,
                material.ced.seed,
            )
            for method, its in material.tested.items()
        }
        return Rated(name, figures)

    return {
        respect: [
            rated(words(name) if respect == "sharpness" else name, group) for name, group in groups
        ]
        for respect, groups in quality.respects(tested.truth, sharp, sizes).items()
    }


def _hard(respects: Mapping[str, Sequence[Rated]], words: Words) -> Iterator[Block]:
    yield Heading(words("hard"))
    yield Text(words("hard_method"))
    yield Picture(report_figures.groups(respects, words), words("hard_caption"))


def _faces(material: Material, words: Words) -> Iterator[Block]:
    model, dlib = material.model, material.tested["dlib"]
    order = np.argsort(model.errors, kind="stable")
    middle = len(order) // 2
    few, many = contact_sheet.COLUMNS, 2 * contact_sheet.COLUMNS
    yield Heading(words("faces"))
    for text, rows in (
        ("best_faces", order[:few]),
        ("median_faces", order[max(0, middle - few // 2) :][:few]),
        ("worst_faces", order[::-1][:many]),
    ):
        tiles = [
            _tile(material, row, [(model.truth[row], TRUTH), (model.points[row], PREDICTED)])
            for row in rows
        ]
        yield as_picture(contact_sheet.sheet(tiles), words(text))
    gains = model.errors - dlib.errors
    lost = [row for row in np.argsort(-gains, kind="stable")[:few] if gains[row] > 0]
    if lost:
        tiles = [
            _tile(
                material,
                row,
                [
                    (model.truth[row], TRUTH),
                    (model.points[row], PREDICTED),
                    (dlib.points[row], DLIB),
                ],
                f"{model.errors[row]:.3f}, {dlib.errors[row]:.3f}",
            )
            for row in lost
        ]
        yield as_picture(contact_sheet.sheet(tiles), words("lost_faces"))


def _tile(
    material: Material,
    row: int,
    points: Sequence[tuple[np.ndarray, Colour]],
    caption: str | None = None,
) -> Tile:
    """Of a row of the tested faces."""
    tested = material.model
    name = tested.images[row]
    return Tile(
        images.read(material.faces / name),
        Box(*tested.boxes[row].tolist()),
        points,
        f"{tested.datasets[row]} {tested.errors[row]:.4f}" if caption is None else caption,
    )


def _training(material: Material, words: Words) -> Iterator[Block]:
    table = material.training
    columns = {name: table.numbers(name)[:, 0] for name in table.columns}
    kept = int(columns["epoch"][columns["validation_nme"].argmin()])
    yield Heading(words("training"))
    yield Picture(report_figures.learning(columns, kept, words), words("training_caption"))


def _data(
    material: Material, pairs: Sequence[tuple[int, int, int]], words: Words
) -> Iterator[Block]:
    index = material.index
    yield Heading(words("data"))
    yield _counts(material, words)
    yield Text(words("dropped_method"))
    boxed = set(material.boxes[KEY])
    learnt = [row for row in material.where("train") if index[KEY][row] in boxed]
    shown = [learnt[int(i)] for i in np.linspace(0, len(learnt) - 1, min(12, len(learnt)))]
    yield _sheet_of_index(
        material, shown, words("example_faces", shown=len(shown), total=len(learnt))
    )
    missed = [row for row in material.where("test") if index[KEY][row] not in material.found]
    if missed:
        shown = missed[:12]
        caption = words("undetected_faces", shown=len(shown), total=len(missed))
        yield _sheet_of_index(material, shown, caption)
    if pairs:
        shown_pairs = pairs[:9]
        tiles = [
            tile
            for train, test, bits in shown_pairs
            for tile in (
                _index_tile(material, train, words("train")),
                _index_tile(material, test, f"{bits}"),
            )
        ]
        caption = words("duplicate_faces", shown=len(shown_pairs), total=len(pairs))
        yield as_picture(contact_sheet.sheet(tiles), caption)


def _counts(material: Material, words: Words) -> Table:
    kept: Counter[tuple[str, str]] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    reasons: dict[tuple[str, str], Counter[str]] = {}
    index, dropped = material.index, material.dropped
    for image, dataset, split in zip(index[KEY], index["dataset"], index["split"], strict=True):
        kept[dataset, split] += 1
        found[dataset, split] += image in material.found
    for image, reason in zip(dropped[KEY], dropped["reason"], strict=True):
        dataset, *rest = image.split("/")
        split = rest[0] if rest and rest[0] in ("train", "test") else "—"
        reasons.setdefault((dataset, split), Counter())[reason] += 1
    heads = ("dataset", "split", "kept", "found", "dropped", "why")
    rows = [[words(head) for head in heads]]
    for dataset, split in sorted(kept.keys() | reasons.keys()):
        why = reasons.get((dataset, split), Counter())
        rows.append(
            [
                dataset,
                split if split == "—" else words(split),
                str(kept[dataset, split]),
                str(found[dataset, split]),
                str(why.total()),
                ", ".join(f"{words(reason)}: {count}" for reason, count in sorted(why.items())),
            ]
        )
    return Table(rows, names=2)


def _sheet_of_index(material: Material, rows: Sequence[int], caption: str) -> Picture:
    tiles = [_index_tile(material, row, material.index["dataset"][row]) for row in rows]
    return as_picture(contact_sheet.sheet(tiles), caption)


def _index_tile(material: Material, row: int, caption: str) -> Tile:
    return Tile(
        images.read(material.faces / material.index[KEY][row]),
        material.box(row),
        [(material.truth[row], TRUTH)],
        caption,
    )


def _look_at_all(material: Material) -> list[Look]:
    rows = [(image, material.box(row)) for row, image in enumerate(material.index[KEY])]
    return list(map_in_order(partial(_look, material.faces), rows, "report"))


def _look(root: Path, face: tuple[str, Box]) -> Look:
    image, box = face
    picture = images.read(root / image)
    return Look(duplicates.perceptual_hash(picture), quality.sharpness(picture, box))


def _duplicates(material: Material, looks: Sequence[Look]) -> list[tuple[int, int, int]]:
    """Rows of train and test pictures that look alike, and the bits between them."""
    train, test = material.where("train"), material.where("test")
    return [
        (train[i], test[j], bits)
        for i, j, bits in duplicates.alike(
            [looks[row].hash for row in train], [looks[row].hash for row in test]
        )
    ]
