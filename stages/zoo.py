"""Put the networks of stages/zoo.yaml side by side: figures, curves and a table. No stage.

All is read from the experiments' commits and DVC's cache; the workspace stays as it is.
"""

import json
import sys
import tempfile
from pathlib import Path

import dvc.api
import torch
import yaml
from dvc.exceptions import DvcException

from facealign import (
    checkpoint,
    config,
    cost,
    dlib_baseline,
    experiments,
    export,
    plotting,
    report,
    sweeps,
    tables,
    zoo,
)
from facealign.dlib_baseline import Dlib
from facealign.errors import FacealignError
from facealign.evaluation import ALL
from facealign.experiments import Experiment
from facealign.files import write_json
from facealign.plotting import Curve
from stages import run

LIST = Path(__file__).with_name("zoo.yaml")
MODEL, CED, CURVES = "data/model.pt", "metrics/ced.json", "plots/ced"


def main(figures: Path, plots: Path) -> None:
    wanted, found = sweeps.load(LIST), experiments.newest()
    missing = [name for name in wanted if name not in found]
    if missing:
        print(f"no experiment yet: {', '.join(missing)}", file=sys.stderr)
    if len(missing) == len(wanted):
        raise FacealignError("nothing to compare; run them: make sweep LIST=stages/zoo.yaml")
    networks = [read(found[name]) for name in wanted if name in found]
    zoo.require_same_dlib(networks)
    summary = zoo.summarise(networks, _dlib())
    write_json(figures, summary)
    for dataset, methods in networks[0].curves.items():
        curves = {network.name: network.curves[dataset]["model"] for network in networks}
        images = summary["dlib"]["figures"][dataset]["images"]
        title = f"{dataset}, {images} test images"
        plotting.zoo_figure(curves, methods["dlib"], title, plots / dataset)
    print(report.zoo_table(summary, [name for name in summary["dlib"]["figures"] if name != ALL]))


def read(experiment: Experiment) -> zoo.Network:
    """One experiment's results, and what its network costs on this machine."""
    params = yaml.safe_load(experiment.read("params.yaml"))
    lock = yaml.safe_load(experiment.read("dvc.lock"))
    [model] = [out for out in lock["stages"]["train"]["outs"] if out["path"] == MODEL]
    ced = json.loads(experiment.read(CED))
    with tempfile.TemporaryDirectory() as folder:
        curves = _curves(experiment, ced, Path(folder))
        parameters, cpu_ms = _cost(experiment, Path(folder))
        return zoo.Network(
            name=experiment.name,
            commit=experiment.commit,
            input=params["crop"]["size"],
            parameters=parameters,
            megabytes=model["size"] / 1e6,
            cpu_ms=cpu_ms,
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


def _cost(experiment: Experiment, folder: Path) -> tuple[int | None, float | None]:
    """Parameters, and milliseconds a face in ONNX Runtime on one core.

    Neither for a model that is out of reach, or that the code has left behind: a table of old
    results lacks two cells then.
    """
    file = folder / Path(MODEL).name
    try:
        file.write_bytes(dvc.api.read(MODEL, rev=experiment.commit, mode="rb"))
        trained = checkpoint.load(file)
        network, codec = checkpoint.build(trained, torch.device("cpu"))
    except (DvcException, FacealignError, KeyError, RuntimeError) as error:
        print(f"warning: {experiment.name}: no usable {MODEL}: {error}", file=sys.stderr)
        return None, None
    export.to_onnx(network, codec, trained.stats, folder / "model.onnx")
    return cost.parameters(network), export.milliseconds(folder / "model.onnx")


def _dlib() -> dict[str, float]:
    model = dlib_baseline.predictor_file(config.load("dlib", Dlib))
    return {
        "megabytes": model.stat().st_size / 1e6,
        "cpu_ms": dlib_baseline.milliseconds(model),
    }


if __name__ == "__main__":
    run(main)
