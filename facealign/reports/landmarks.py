"""The report on an experiment: data, training and results, for a reviewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from facealign.core import images
from facealign.core.faces import DLIB_TRAINED
from facealign.core.tables import KEY
from facealign.evaluation import scoring
from facealign.evaluation.metrics import FEWEST
from facealign.evaluation.scoring import ALL
from facealign.faces.drawing import Colour
from facealign.reports import contact_sheet, findings, report_figures, sections
from facealign.reports.contact_sheet import COLUMNS, PREDICTED, TRUTH, Tile
from facealign.reports.document import (
    Block,
    Document,
    Heading,
    Picture,
    Table,
    Text,
    as_picture,
)
from facealign.reports.landmark_texts import TEXTS
from facealign.reports.material import Material
from facealign.reports.wording import Finding, Language, Words

DLIB: Colour = (60, 120, 255)
DLIB_SAW = "300W"  # the data set that dlib's predictor was trained on
_SHOWN, _PAIRS = 12, 9  # faces, and pairs of duplicates, on a sheet


def build(material: Material, language: Language) -> Document:
    words = Words(language, TEXTS)
    measured = bool(len(material.model.faces))
    blocks: list[Block] = [
        Text(_origin(material, words)),
        *sections.summary(_findings(material, words), words),
        *(_results(material, words) if measured else []),
        *(_difficulty(material, words) if measured else []),
        *(_examples(material, words) if measured else []),
        *_training(material, words),
        *_data(material, words),
        *sections.parameters(material.params, words),
    ]
    datasets = ", ".join(sorted(set(material.index["dataset"])))
    return Document(language, words("title", datasets=datasets), blocks)


def _origin(material: Material, words: Words) -> str:
    """Which run this is, without what differs between runs of the same inputs."""
    where = words("no_experiment")
    if material.experiment:
        where = words("experiment", name=material.experiment, revision=material.revision[:7])
    params = material.params
    names = {"archive": "data.archive", "arch": "train.arch", "size": "crop.size"}
    names |= {"epochs": "train.epochs", "seed": "train.seed"}
    return f"{words('trained', **{key: params[name] for key, name in names.items()})} {where}"


def _findings(material: Material, words: Words) -> Iterator[Finding]:
    measured = bool(len(material.model.faces))
    if measured:
        if "dlib" not in material.tested:
            yield Finding("no_dlib")
        else:
            yield from findings.against("dlib", material.tested, material.ced, words)
            if DLIB_SAW in material.model.faces.datasets and not material.generated:
                yield Finding("dlib_saw")
        if DLIB_TRAINED in material.tested:
            yield from findings.against(DLIB_TRAINED, material.tested, material.ced, words)
    for name, methods in material.figures.items():
        if name != ALL and not methods["model"]["images"]:
            yield Finding("nothing_tested", {"dataset": name})
    yield findings.detection(material.figures, words)
    if measured:
        if material.regions["model"]:
            yield from findings.parts(material.regions, material.ced, words)
        yield from findings.difficulty(material.difficulty, words)
        alike = [material.index[KEY][test] for _, test, _ in material.duplicates]
        yield findings.duplicates(material.model, alike, words)
    curve = material.training.numbers("train_loss", "validation_nme")
    yield findings.training(curve[:, 0], curve[:, 1], words)
    yield findings.usage(len(material.index), Counter(material.dropped["reason"]), words)


def _results(material: Material, words: Words) -> Iterator[Block]:
    yield Heading(words("results"))
    yield sections.figures(
        [words("dataset"), words("method")],
        {
            "auc_08": "AUC@0.08",
            "auc_08_ci95": words("interval"),
            "auc_08_all": words("with_undetected"),
            "auc_100": "AUC@1.0",
            "fr_08": "FR@0.08",
            "nme": "NME",
            "images": words("images"),
            "undetected": words("undetected"),
        },
        [
            ([words.dataset(dataset), words.method(method)], its)
            for dataset, methods in material.figures.items()
            for method, its in methods.items()
        ],
        words,
    )
    errors = scoring.by_dataset(material.tested)
    if len(errors) == 2:  # one data set, and the same again as `all`
        del errors[ALL]
    curves = report_figures.ced(errors, words)
    yield Picture(curves, words("ced_caption"), min(1, len(errors) / 2.5))
    yield Text(words("metric", resamples=material.ced.resamples))
    yield Heading(words("regions"))
    if not material.regions["model"]:
        yield Text(words("no_regions"))
        return
    means = {
        method: {part: float(its.mean()) for part, its in parts.items()}
        for method, parts in material.regions.items()
    }
    yield Picture(report_figures.regions(means, words), words("regions_caption"), 0.7)


def _difficulty(material: Material, words: Words) -> Iterator[Block]:
    yield Heading(words("difficulty"))
    yield Text(words("difficulty_method", fewest=FEWEST))
    if any(group.images >= FEWEST for groups in material.difficulty.values() for group in groups):
        curves = report_figures.groups(material.difficulty, words)
        yield Picture(curves, words("difficulty_caption"))


def _examples(material: Material, words: Words) -> Iterator[Block]:
    model, dlib = material.model, material.tested.get("dlib")
    order = np.argsort(model.errors, kind="stable")
    middle = len(order) // 2
    yield Heading(words("examples"))
    for caption, rows in (
        ("best_faces", order[:COLUMNS]),
        ("median_faces", order[max(0, middle - COLUMNS // 2) :][:COLUMNS]),
        ("worst_faces", order[::-1][: 2 * COLUMNS]),
    ):
        yield _sheet([_tested_tile(material, row) for row in rows], words(caption))
    if dlib is None:
        return
    gains = model.errors - dlib.errors
    lost = [row for row in np.argsort(-gains, kind="stable")[:COLUMNS] if gains[row] > 0]
    if lost:
        yield _sheet([_lost_tile(material, row) for row in lost], words("lost_faces"))


def _training(material: Material, words: Words) -> Iterator[Block]:
    table = material.training
    columns = {name: table.numbers(name)[:, 0] for name in table.columns}
    kept = int(columns["epoch"][columns["validation_nme"].argmin()])
    yield Heading(words("training"))
    yield Picture(report_figures.learning(columns, kept, words), words("training_caption"))


def _data(material: Material, words: Words) -> Iterator[Block]:
    index = material.index
    yield Heading(words("data"))
    yield _counts(material, words)
    yield Text(words("dropped_method"))
    learnt = [row for row in material.where("train") if material.boxed(row)]
    shown = [learnt[int(i)] for i in np.linspace(0, len(learnt) - 1, min(_SHOWN, len(learnt)))]
    missed = [row for row in material.where("test") if index[KEY][row] not in material.detected]
    for caption, rows, total in (
        ("example_faces", shown, len(learnt)),
        ("undetected_faces", missed[:_SHOWN], len(missed)),
    ):
        if rows or caption == "example_faces":
            tiles = [_index_tile(material, row, index["dataset"][row]) for row in rows]
            yield _sheet(tiles, words(caption, shown=len(rows), total=total))
    if pairs := material.duplicates[:_PAIRS]:
        tiles = [
            tile
            for train, test, bits in pairs
            for tile in (
                _index_tile(material, train, words("train")),
                _index_tile(material, test, f"{bits}"),
            )
        ]
        total = len(material.duplicates)
        yield _sheet(tiles, words("duplicate_faces", shown=len(pairs), total=total))


def _counts(material: Material, words: Words) -> Table:
    kept: Counter[tuple[str, str]] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    reasons: dict[tuple[str, str], Counter[str]] = {}
    index, dropped = material.index, material.dropped
    for image, dataset, split in zip(index[KEY], index["dataset"], index["split"], strict=True):
        kept[dataset, split] += 1
        found[dataset, split] += image in material.detected
    for image, reason in zip(dropped[KEY], dropped["reason"], strict=True):
        dataset, *rest = image.split("/")
        split = rest[0] if rest and rest[0] in ("train", "test") else "—"
        reasons.setdefault((dataset, split), Counter())[reason] += 1
    rows = [list(map(words, ("dataset", "split", "kept", "found", "dropped", "reason")))]
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


def _sheet(tiles: Sequence[Tile], caption: str) -> Picture:
    return as_picture(contact_sheet.sheet(tiles), caption)


def _tested_tile(material: Material, row: int) -> Tile:
    """A tested face with its true and predicted points."""
    model, faces = material.model, material.model.faces
    return Tile(
        images.read(material.faces / faces.images[row]),
        faces.box(row),
        [(faces.points[row], TRUTH), (model.points[row], PREDICTED)],
        f"{faces.datasets[row]} {model.errors[row]:.4f}",
    )


def _lost_tile(material: Material, row: int) -> Tile:
    """The same, with dlib's points and error."""
    tile, dlib = _tested_tile(material, row), material.tested["dlib"]
    return replace(
        tile,
        points=[*tile.points, (dlib.points[row], DLIB)],
        caption=f"{material.model.errors[row]:.3f}, {dlib.errors[row]:.3f}",
    )


def _index_tile(material: Material, row: int, caption: str) -> Tile:
    """A face of the index with its true points."""
    return Tile(
        images.read(material.faces / material.index[KEY][row]),
        material.box(row),
        [(material.truth[row], TRUTH)],
        caption,
    )
