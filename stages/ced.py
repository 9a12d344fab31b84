"""Compare network and baseline: the figures, and the curves that a review looks at."""

import shutil
from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.files import write_json
from facealign.evaluation import metrics, scoring
from facealign.evaluation.scoring import Ced
from facealign.reports import ced_figures, markdown


def main(
    index: Path,
    boxes: Path,
    model: Path,
    dlib: Path,
    training: Path,
    figures: Path,
    validation: Path,
    errors: Path,
    curves: Path,
    regions: Path,
    training_copy: Path,
) -> None:
    truth, found = tables.read(index), tables.read(boxes)
    predicted = {"model": tables.read(model), "dlib": tables.read(dlib)}
    count = predicted["model"].points().shape[1]  # 5 of a network for five: dlib's are derived
    tested = {
        name: scoring.measure(truth, found, table, count) for name, table in predicted.items()
    }
    methods = {name: scoring.score(its) for name, its in tested.items()}
    lost = scoring.undetected(truth, found)
    summary = scoring.summarise(methods, lost, config.load("ced", Ced))
    write_json(figures, summary)
    images: dict[str, tables.Column] = {tables.KEY: tested["model"].images}
    tables.write(errors, images | {name: its.errors for name, its in tested.items()})
    for dataset in summary:
        both = {its: scored[dataset].errors for its, scored in methods.items() if dataset in scored}
        ced_figures.ced_figure(both, dataset, curves / dataset)
        for name, values in both.items():
            at, share = metrics.ced_to_limit(values)
            tables.write(curves / f"{dataset}_{name}.csv", {"error": at, "share": share})
    for name, its in tested.items():
        parts = scoring.by_region(its) if its.images else {}
        tables.write(
            regions / f"{name}.csv",
            {"region": list(parts), "error": [float(each.mean()) for each in parts.values()]},
        )
    # the curve's original stays with the model in DVC's cache; this copy is for review, in Git
    shutil.copyfile(training, training_copy)
    write_json(validation, scoring.best_epoch(tables.read(training)))
    print(markdown.results_table(summary))


if __name__ == "__main__":
    run(main)
