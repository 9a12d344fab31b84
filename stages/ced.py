"""Compare network and baseline: the figures, and the curves that a review looks at."""

import shutil
from pathlib import Path

import numpy as np

from facealign import config, evaluation, metrics, plotting, report, tables
from facealign.evaluation import Ced
from facealign.files import write_json
from stages import run


def main(
    index: Path,
    boxes: Path,
    model: Path,
    dlib: Path,
    training: Path,
    figures: Path,
    curves: Path,
    training_copy: Path,
) -> None:
    truth, found = tables.read(index), tables.read(boxes)
    predicted = {"model": tables.read(model), "dlib": tables.read(dlib)}
    count = predicted["model"].points().shape[1]  # 5 of a network for five: dlib's are derived
    methods = {
        name: evaluation.score(truth, found, table, count) for name, table in predicted.items()
    }
    lost = evaluation.undetected(truth, found)
    summary = evaluation.summarise(methods, lost, config.load("ced", Ced))
    write_json(figures, summary)
    for dataset in summary:
        errors = {
            name: scored[dataset].errors for name, scored in methods.items() if dataset in scored
        }
        plotting.ced_figure(errors, dataset, curves / dataset)
        for name, values in errors.items():
            at, share = metrics.ced(values)
            shown = at <= metrics.LIMIT
            columns = {
                "error": np.append(at[shown], metrics.LIMIT),
                "share": np.append(share[shown], share[shown][-1]),
            }
            tables.write(curves / f"{dataset}_{name}.csv", columns)
    # the curve's original stays with the model in DVC's cache; this copy is for review, in Git
    shutil.copyfile(training, training_copy)
    print(report.results_table(summary))


if __name__ == "__main__":
    run(main)
