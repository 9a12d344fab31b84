"""Put the networks of stages/zoo.yaml side by side: figures, curves and a table. No stage.

All is read from the experiments' commits and DVC's cache; the workspace stays as it is.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import dvc.api
import torch
import yaml
from dvc.exceptions import DvcException

from facealign import checkpoint, cost, experiments, plotting, report, sweeps, tables, zoo
from facealign.errors import FacealignError
from facealign.evaluation import ALL
from facealign.experiments import Experiment
from facealign.files import write_json
from facealign.plotting import Curve
from stages import run

LIST = Path(__file__).with_name("zoo.yaml")
MODEL, CED, CURVES = "data/model.pt", "metrics/ced.json", "plots/ced"

Measure = Callable[[Path], float]  # milliseconds a face, of the network in a model's file


def main(figures: Path, plots: Path) -> None:
    wanted, found = sweeps.load(LIST), experiments.newest()
    missing = [name for name in wanted if name not in found]
    if missing:
        print(f"no experiment yet: {', '.join(missing)}", file=sys.stderr)
    if len(missing) == len(wanted):
        raise FacealignError("nothing to compare; run them: make sweep LIST=stages/zoo.yaml")
    networks = [read(found[name]) for name in wanted if name in found]
    zoo.require_same_dlib(networks)
    summary = zoo.summarise(networks)
    write_json(figures, summary)
    for dataset, methods in networks[0].curves.items():
        curves = {network.name: network.curves[dataset]["model"] for network in networks}
        images = summary["dlib"][dataset]["images"]
        title = f"{dataset}, {images} test images"
        plotting.zoo_figure(curves, methods["dlib"], title, plots / dataset)
    print(report.zoo_table(summary, [name for name in summary["dlib"] if name != ALL]))


def read(experiment: Experiment, measure_ms: Measure | None = None) -> zoo.Network:
    """One experiment's results; the time of a face is none of them without a way to measure it."""
    params = yaml.safe_load(experiment.read("params.yaml"))
    lock = yaml.safe_load(experiment.read("dvc.lock"))
    [model] = [out for out in lock["stages"]["train"]["outs"] if out["path"] == MODEL]
    ced = json.loads(experiment.read(CED))
    with tempfile.TemporaryDirectory() as folder:
        curves = _curves(experiment, ced, Path(folder))
        file = _model(experiment, Path(folder))
        return zoo.Network(
            name=experiment.name,
            commit=experiment.commit,
            input=params["crop"]["size"],
            parameters=_parameters(file, experiment.name) if file else None,
            megabytes=model["size"] / 1e6,
            cpu_ms=measure_ms(file) if file and measure_ms else None,
            ced=ced,
            curves=curves,
        )


def _curves(experiment: Experiment, ced: zoo.Ced, folder: Path) -> dict[str, dict[str, Curve]]:
    curves: dict[str, dict[str, Curve]] = {}
    for dataset, methods in ced.items():
        for method, figures in methods.items():
            name = f"{dataset}_{method}.csv"
            if figures["images"]:
                (folder / name).write_bytes(experiment.read(f"{CURVES}/{name}"))
                error, share = tables.read(folder / name).numbers("error", "share").T
                curves.setdefault(dataset, {})[method] = Curve(error, share, figures["auc_08"])
    return curves


def _model(experiment: Experiment, folder: Path) -> Path | None:
    """The model's file out of DVC's cache, or its remote; none if it is in neither."""
    file = folder / Path(MODEL).name
    try:
        file.write_bytes(dvc.api.read(MODEL, rev=experiment.commit, mode="rb"))
    except DvcException:
        print(f"warning: {experiment.name}: no {MODEL} in DVC's cache or remote", file=sys.stderr)
        return None
    return file


def _parameters(model: Path, name: str) -> int | None:
    """None if the code has gone on since: a table of old results lacks a cell then, no more."""
    try:
        network, _ = checkpoint.build(checkpoint.load(model), torch.device("cpu"))
    except (FacealignError, KeyError, RuntimeError) as error:
        print(f"warning: {name}: not a network of this version: {error}", file=sys.stderr)
        return None
    return cost.parameters(network)


if __name__ == "__main__":
    run(main)
