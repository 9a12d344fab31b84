"""Log the experiment to MLflow: params, epochs, figures, CED, report and model in one run."""

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
    page: Path,
    pdf: Path,
    speed: Path,
    tracked: Path,
) -> None:
    table = tables.read(training)
    columns = tuple(table.columns)
    flat = config.flatten(read_json(figures) | {"validation": read_json(validation)})
    metrics = {name: v for name, v in flat.items() if isinstance(v, int | float)}
    # without the report's, whose language changes no result
    params = config.load_flat(without={"report", "recognition", "suspects"})
    tracking.require_recipe(model, params)
    digest = sha256(model)
    measured = tracking.speed_of(speed, digest)
    name, tags = tracking.names_and_tags(digest)
    made = tracking.Run(
        name=name,
        tags=tags,
        params=params,
        epochs=[dict(zip(columns, row, strict=True)) for row in table.numbers(*columns)],
        metrics=metrics | measured,
        artifacts=[page, pdf, *sorted(plots.glob("*.png"))],
        model=model,
        seconds=measured.get("train.seconds", 0.0),
        data=tracking.archive_of(Path("dvc.lock"), str(params["data.archive"])),
    )
    logged = tracking.log(made, store=tracking.project_folder(Path.cwd()))
    write_json(tracked, {"params": params, "metrics": metrics})
    if not logged:
        print("nothing else is lost; log it later with: dvc repro -f -s track", file=sys.stderr)


if __name__ == "__main__":
    run(main)
