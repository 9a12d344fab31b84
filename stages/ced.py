"""Compare network and baseline: the figures and curves for a review."""

import shutil
from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.faces import Faces
from facealign.core.files import write_json
from facealign.core.schemes import files
from facealign.evaluation import scoring
from facealign.evaluation.scoring import Ced
from facealign.reports import ced_figures, markdown


def main(
    index: Path,
    scheme: Path,
    boxes: Path,
    model: Path,
    baselines: Path,
    training: Path,
    labels: Path,
    figures: Path,
    validation: Path,
    detection: Path,
    leaderboard: Path,
    labels_copy: Path,
    errors: Path,
    curves: Path,
    regions: Path,
    training_copy: Path,
) -> None:
    files.adopt(scheme)
    truth, found = Faces.read(index), Faces.read(boxes)
    test = found.join(truth).where(split="test")
    tested = scoring.measure(test, scoring.predictions(model, baselines))
    ced = config.load("ced", Ced)
    summary = scoring.summarise(tested, scoring.undetected(truth, found), ced)
    write_json(figures, summary)
    scoring.write(tested, errors, curves, regions)
    by_dataset = scoring.by_dataset(tested)
    for dataset in summary:
        ced_figures.ced_figure(by_dataset.get(dataset, {}), dataset, curves / dataset)
    # the originals are in DVC's cache, with the stages' other outputs; these copies are for review
    shutil.copyfile(training, training_copy)
    shutil.copyfile(labels, labels_copy)
    write_json(validation, scoring.best_epoch(tables.read(training)))
    write_json(detection, scoring.detection(truth, found))
    write_json(leaderboard, scoring.leaderboard(tested, summary[scoring.ALL], ced))
    print(markdown.results_table(summary))


if __name__ == "__main__":
    run(main)
