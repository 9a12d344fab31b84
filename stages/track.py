"""Log the experiment to MLflow: params, epochs, figures, CED and model in one run."""

import json
import os
import subprocess
import sys
from pathlib import Path

from facealign import config, tables, tracking
from facealign.files import write_json
from stages import run


def main(model: Path, training: Path, figures: Path, plots: Path, tracked: Path) -> None:
    table = tables.read(training)
    names = tuple(table.columns)
    ced = tracking.flatten(json.loads(figures.read_text(encoding="utf-8")))
    metrics = {name: v for name, v in ced.items() if isinstance(v, int | float)}
    params = tracking.flatten(config.load_all())
    # DVC sets these two in experiments; a plain `dvc repro` is the workspace on top of HEAD
    experiment = os.environ.get("DVC_EXP_NAME") or "workspace"
    revision = os.environ.get("DVC_EXP_BASELINE_REV") or _head()
    logged = tracking.log(
        tracking.Run(
            name=experiment,
            tags={"dvc.experiment": experiment, "dvc.revision": revision},
            params=params,
            epochs=[dict(zip(names, row, strict=True)) for row in table.numbers(*names)],
            metrics=metrics,
            artifacts=[model, *sorted(plots.glob("*.png"))],
        ),
        store=_project(Path.cwd()),
    )
    write_json(tracked, {"params": params, "metrics": metrics})
    if not logged:
        print("nothing else is lost; log it later with: dvc repro -f -s track", file=sys.stderr)


def _head() -> str:
    result = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return result.stdout.strip() or "no commit"


def _project(folder: Path) -> Path:
    """The project's own folder, also from an experiment that DVC runs in .dvc/tmp/exps/NAME."""
    for parent in folder.parents:
        if parent.parts[-3:] == (".dvc", "tmp", "exps"):
            return parent.parents[2]
    return folder


if __name__ == "__main__":
    run(main)
