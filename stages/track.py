"""Log the experiment to MLflow: params, epochs, figures, CED and model in one run."""

import os
import sys
from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.files import read_json, sha256, write_json
from facealign.experiments import tracking


def main(
    model: Path,
    training: Path,
    figures: Path,
    validation: Path,
    plots: Path,
    speed: Path,
    tracked: Path,
) -> None:
    table = tables.read(training)
    names = tuple(table.columns)
    ced, epoch = read_json(figures), read_json(validation)
    flat = config.flatten(ced | {"validation": epoch})
    metrics = {name: v for name, v in flat.items() if isinstance(v, int | float)}
    logged_only = tracking.speed_of(speed, model)
    # without the report's, whose language changes no result
    params = config.load_flat(without={"report", "recognition"})
    # DVC sets these two in experiments; a plain `dvc repro` is the workspace on top of HEAD
    experiment = os.environ.get("DVC_EXP_NAME") or "workspace"
    revision = os.environ.get("DVC_EXP_BASELINE_REV") or tracking.head_revision()
    logged = tracking.log(
        tracking.Run(
            name=experiment,
            tags={
                "dvc.experiment": experiment,
                "dvc.revision": revision,
                tracking.MODEL_TAG: sha256(model),
            },
            params=params,
            epochs=[dict(zip(names, row, strict=True)) for row in table.numbers(*names)],
            metrics=metrics | logged_only,
            artifacts=[model, *sorted(plots.glob("*.png"))],
        ),
        store=tracking.project_folder(Path.cwd()),
    )
    write_json(tracked, {"params": params, "metrics": metrics})
    if not logged:
        print("nothing else is lost; log it later with: dvc repro -f -s track", file=sys.stderr)


if __name__ == "__main__":
    run(main)
