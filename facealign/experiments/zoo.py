"""Compare the finished experiments of a list: `make zoo LIST=experiments/zoo.yaml`.

Prints a table of accuracy, file size and time, and writes metrics/zoo.json and plots/zoo. What a
network costs is measured on this machine; the rest is read from each experiment's commit.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import nn

from facealign import models
from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.errors import ExperimentError, FacealignError
from facealign.core.files import write_json
from facealign.core.geometry import Box
from facealign.core.points import COUNT
from facealign.evaluation.scoring import ALL
from facealign.experiments import cost, revisions, sweep_list
from facealign.experiments.revisions import Experiment
from facealign.export import landmarks
from facealign.faces import dlib_predictor
from facealign.faces.cropping import Crop, Crops, Stats
from facealign.faces.dlib_predictor import Dlib
from facealign.inference import benchmark
from facealign.inference.network import Network as Exported
from facealign.models.parts.codecs import Codec, make_codec
from facealign.models.parts.layers import Shape
from facealign.reports import ced_figures, markdown
from facealign.reports.ced_figures import Curve
from facealign.training import checkpoint, loop
from facealign.training.prediction import Predict
from facealign.training.recipe import Train

MODEL, CED, CURVES = "data/model.pt", "metrics/ced.json", "plots/ced"
TOLERANCE = 1e-6  # for dlib's figures: the last bits may differ between machines
FACES = 24  # pictures to measure the time with
PARAMS = Path("params.yaml")

Faces = Sequence[tuple[np.ndarray, Box]]
Ced = Mapping[str, Mapping[str, Mapping[str, Any]]]  # data set -> method -> figures


def main(sweep: Path, figures: Path, plots: Path) -> None:
    wanted, found = sweep_list.load(sweep), revisions.newest()
    for name in wanted:
        require_values(name, wanted[name], found)
    missing = [name for name in wanted if name not in found]
    if missing:
        print(f"no experiment yet: {', '.join(missing)}", file=sys.stderr)
    if len(missing) == len(wanted):
        raise ExperimentError(f"nothing to compare; run them: make sweep LIST={sweep}")
    faces = benchmark.portraits(FACES)
    networks = [read(found[name], faces) for name in wanted if name in found]
    require_same_dlib(networks)
    summary = summarise(networks, _dlib(faces))
    write_json(figures, summary)
    for dataset, methods in networks[0].curves.items():
        curves = {network.name: network.curves[dataset]["model"] for network in networks}
        images = summary["dlib"]["figures"][dataset]["images"]
        title = f"{dataset}, {images} test images"
        ced_figures.zoo_figure(curves, methods["dlib"], title, plots / dataset)
    print(markdown.zoo_table(summary, [name for name in summary["dlib"]["figures"] if name != ALL]))


def _dlib(faces: Faces) -> dict[str, float]:
    model = dlib_predictor.predictor_file(config.load("dlib", Dlib))
    [taken] = benchmark.measure(
        [lambda image, boxes: dlib_predictor.predict(image, boxes[0], model)], faces
    )
    return {"megabytes": model.stat().st_size / 1e6, "cpu_ms": taken.step}


@dataclass(frozen=True, eq=False)
class Network:
    """The results of one experiment."""

    name: str
    commit: str
    input: int  # pixels, of the side
    parameters: int | None
    megabytes: float  # of the model file, in units of 10^6 bytes
    cpu_ms: float | None  # per face, on one core
    ced: Ced  # metrics/ced.json
    curves: Mapping[str, Mapping[str, Curve]]  # data set -> method; if a face was detected


def read(experiment: Experiment, faces: Faces) -> Network:
    """The results of an experiment; the time of its network is measured with these faces."""
    params = yaml.safe_load(experiment.read("params.yaml"))
    lock = yaml.safe_load(experiment.read("dvc.lock"))
    [model] = [out for out in lock["stages"]["train"]["outs"] if out["path"] == MODEL]
    ced = json.loads(experiment.read(CED))
    with tempfile.TemporaryDirectory() as folder:
        flip = params["predict"]["flip"]
        parameters, cpu_ms = _cost(experiment, Path(folder), flip, faces)
    return Network(
        name=experiment.name,
        commit=experiment.commit,
        input=params["crop"]["size"],
        parameters=parameters,
        megabytes=model["size"] / 1e6,
        cpu_ms=cpu_ms,
        ced=ced,
        curves=_curves(experiment, ced),
    )


def _curves(experiment: Experiment, ced: Ced) -> dict[str, dict[str, Curve]]:
    curves: dict[str, dict[str, Curve]] = {}
    for dataset, methods in ced.items():
        for method, figures in methods.items():
            name = f"{dataset}_{method}.csv"
            if figures["images"]:
                table = tables.parse(experiment.read(f"{CURVES}/{name}"), Path(name))
                error, share = table.numbers("error", "share").T
                curves.setdefault(dataset, {})[method] = Curve(error, share, figures["auc_08"])
    return curves


def _cost(
    experiment: Experiment, folder: Path, flip: bool, faces: Faces
) -> tuple[int | None, float | None]:
    """Number of parameters, and milliseconds per face on one core; both None if the model cannot be
    fetched, or was written by code too old to load."""
    file = folder / Path(MODEL).name
    try:
        file.write_bytes(experiment.fetch(MODEL))
        trained = checkpoint.load(file)
        network, codec = checkpoint.build(trained, torch.device("cpu"))
    except (FacealignError, KeyError, RuntimeError) as error:
        print(f"warning: {experiment.name}: no usable {MODEL}: {error}", file=sys.stderr)
        return None, None
    return cost.parameters(network), cpu_ms(network, codec, trained.stats, flip, faces)


def cpu_ms(network: nn.Module, codec: Codec, stats: Stats, flip: bool, faces: Faces) -> float:
    """Milliseconds per face on one core, of the ONNX file and without detection."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        landmarks.to_onnx(landmarks.FromCrops(network, codec, stats, flip), file)
        [taken] = benchmark.measure([Exported(file, threads=1)], faces)
        return taken.step


@dataclass(frozen=True)
class Recipe:
    """The network of an experiment in a list, and the params that its cost depends on."""

    train: Train
    crop: Crop
    flip: bool

    @property
    def size(self) -> int:
        return self.crop.size

    @property
    def stats(self) -> Stats:
        """Without real crops, so with arbitrary colours; the time does not depend on them."""
        border = round(self.crop.context * self.size)
        return Stats(self.size, self.crop.margin, border, (128.0,) * 3, (64.0,) * 3)

    @property
    def mean_face(self) -> torch.Tensor:
        return torch.full((COUNT, 2), self.size / 2)

    def build(self) -> tuple[nn.Module, str]:
        """The untrained network, and the name of its codec."""
        train = self.train
        shape = Shape(self.size, self.mean_face)
        return models.build(train.arch, shape, train.networks.get(train.arch))

    def cpu_ms(self, faces: Faces) -> float:
        network, codec = self.build()
        made = make_codec(codec, self.size, self.mean_face)
        return cpu_ms(network.eval(), made, self.stats, self.flip, faces)


def recipes(sweep: Path, params: Path = PARAMS) -> dict[str, Recipe]:
    """The recipe of each experiment in a list, by name; `params` has the values it leaves alone."""
    return {
        name: Recipe(
            config.load("train", Train, params, values),
            config.load("crop", Crop, params, values),
            config.load("predict", Predict, params, values).flip,
        )
        for name, values in sweep_list.load(sweep).items()
    }


def training_speed(recipe: Recipe, faces: int = 640) -> float:
    """Faces per second in an epoch of training; on noise, which takes as long as faces."""
    noise = np.random.default_rng(0)
    size, stats = recipe.size, recipe.stats
    side = size + 2 * stats.border
    crops = Crops(
        images=[f"noise/train/{number}.png" for number in range(faces)],
        pixels=noise.integers(0, 256, (faces, side, side, 3), dtype=np.uint8),
        maps=np.repeat(np.eye(2, 3)[None], faces, axis=0),
        points=noise.uniform(0.2 * size, 0.8 * size, (faces, COUNT, 2)),
        normalisers=np.full(faces, float(size)),
        weights=np.ones(faces),
        sources=[""] * faces,
        stats=stats,
    )
    one_epoch = replace(recipe.train, epochs=1, init="none", patience=0)
    return loop.train(crops, one_epoch).speed.figures()["faces_per_second"]


def require_values(name: str, wanted: sweep_list.Values, found: Mapping[str, Experiment]) -> None:
    """Refuse an experiment that has the name of one in the list but other params."""
    if name in found:
        params = yaml.safe_load(found[name].read("params.yaml"))
        if others := sweep_list.different(wanted, params):
            raise ExperimentError(
                f"the experiment {name} has other values of {', '.join(others)} than the list; "
                f"to run it again, first: dvc exp remove {name}"
            )


def require_same_dlib(networks: Sequence[Network]) -> None:
    """Refuse networks that were not measured on the same rectangles, which dlib's figures show."""
    first, *others = networks
    for other in others:
        if first.ced.keys() != other.ced.keys():
            raise ExperimentError(
                f"{first.name} was measured on {', '.join(first.ced)}, "
                f"{other.name} on {', '.join(other.ced)}: they cannot be compared"
            )
        for dataset in first.ced:
            one, two = (network.ced[dataset]["dlib"] for network in (first, other))
            for key in one:
                if not _close(one[key], two.get(key)):
                    raise ExperimentError(
                        f"dlib's {key} on {dataset} is {one[key]} in {first.name} and "
                        f"{two.get(key)} in {other.name}: they were not measured on the same "
                        "rectangles and cannot be compared"
                    )


def summarise(networks: Sequence[Network], dlib: Mapping[str, float]) -> dict[str, Any]:
    """The content of metrics/zoo.json; `dlib` has the costs of its model, named as in `Network`."""
    return {
        "networks": {
            network.name: {
                "commit": network.commit,
                "input": network.input,
                "parameters": network.parameters,
                "megabytes": network.megabytes,
                "cpu_ms": network.cpu_ms,
                "figures": {dataset: both["model"] for dataset, both in network.ced.items()},
            }
            for network in networks
        },
        "dlib": {
            **dlib,
            "figures": {dataset: both["dlib"] for dataset, both in networks[0].ced.items()},
        },
    }


def _close(one: Any, two: Any) -> bool:
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(_close, one, two))
    if isinstance(one, float) and isinstance(two, float):
        return abs(one - two) <= TOLERANCE
    return bool(one == two)


if __name__ == "__main__":
    run(main)
