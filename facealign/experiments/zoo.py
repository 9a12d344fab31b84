"""Finished experiments side by side: their results, held against each other."""

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
from facealign.core.errors import FacealignError
from facealign.core.files import write_json
from facealign.core.geometry import Box
from facealign.core.points import COUNT
from facealign.evaluation.scoring import ALL
from facealign.experiments import cost, revisions, sweeps
from facealign.experiments.revisions import Experiment
from facealign.export import landmarks
from facealign.faces import dlib_predictor
from facealign.faces.cropping import Crops, Stats
from facealign.faces.dlib_predictor import Dlib
from facealign.inference import aligner, benchmark
from facealign.models.parts.codecs import Codec, make_codec
from facealign.models.parts.layers import Shape
from facealign.reports import markdown, plotting
from facealign.reports.plotting import Curve
from facealign.training import checkpoint, loop
from facealign.training.prediction import Predict
from facealign.training.recipe import Train

MODEL, CED, CURVES = "data/model.pt", "metrics/ced.json", "plots/ced"

# the same pictures on the same rectangles give dlib the same figures; another machine's last bits
# may differ
TOLERANCE = 1e-6

Faces = Sequence[tuple[np.ndarray, Box]]
Ced = Mapping[str, Mapping[str, Mapping[str, Any]]]  # data set -> method -> figures


@dataclass(frozen=True)
class Network:
    """One experiment's results."""

    name: str
    commit: str
    input: int  # side, pixels
    parameters: int | None
    megabytes: float  # of the model's file, millions of bytes
    cpu_ms: float | None  # for one face
    ced: Ced  # metrics/ced.json
    curves: Mapping[str, Mapping[str, Curve]]  # data set -> method; none where nothing was found


def read(experiment: Experiment, faces: Faces) -> Network:
    """One experiment's results, and what its network costs on this machine, with these faces."""
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
    """Parameters, and milliseconds a face on one core.

    Neither for a model that is out of reach, or that the code has left behind: a table of old
    results lacks two cells then.
    """
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
    """Milliseconds a face on one core, exported and used behind the detector."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        landmarks.to_onnx(landmarks.FromCrops(network, codec, stats, flip), file)
        [taken] = benchmark.measure([aligner.Network(file, threads=1)], faces)
        return taken.step


@dataclass(frozen=True)
class Recipe:
    """How a list's experiment trains its network, and on crops of which size."""

    train: Train
    size: int
    flip: bool

    @property
    def stats(self) -> Stats:
        """Of no crops: what costs time depends on the size alone."""
        return Stats(self.size, 0.15, self.size // 4, (128.0,) * 3, (64.0,) * 3)

    @property
    def mean_face(self) -> torch.Tensor:
        return torch.full((COUNT, 2), self.size / 2)

    def build(self) -> tuple[nn.Module, str]:
        """The network, untrained, and its codec's name."""
        train = self.train
        shape = Shape(self.size, self.mean_face)
        return models.build(train.arch, shape, train.networks.get(train.arch))

    def cpu_ms(self, faces: Faces) -> float:
        network, codec = self.build()
        made = make_codec(codec, self.size, self.mean_face)
        return cpu_ms(network.eval(), made, self.stats, self.flip, faces)


def recipes(path: Path) -> dict[str, Recipe]:
    """Of a list of experiments, by name."""
    found = {}
    for name, values in sweeps.load(path).items():
        train = config.load("train", Train, changes=values)
        predict = config.load("predict", Predict, changes=values)
        found[name] = Recipe(train, values["crop.size"], predict.flip)
    return found


def training_speed(recipe: Recipe, faces: int = 640) -> float:
    """Faces a second, in an epoch on noise: what is learnt does not matter to the time."""
    noise = np.random.default_rng(0)
    size, stats = recipe.size, recipe.stats
    side = size + 2 * stats.border
    crops = Crops(
        images=[f"noise/train/{number}.png" for number in range(faces)],
        pixels=noise.integers(0, 256, (faces, side, side, 3), dtype=np.uint8),
        maps=np.repeat(np.eye(2, 3)[None], faces, axis=0),
        points=noise.uniform(0.2 * size, 0.8 * size, (faces, COUNT, 2)),
        normalisers=np.full(faces, float(size)),
        stats=stats,
    )
    plain = replace(recipe.train, epochs=1, init="none", patience=0)
    return loop.train(crops, plain).speed.figures()["faces_per_second"]


def require_values(name: str, wanted: sweeps.Values, found: Mapping[str, Experiment]) -> None:
    """An experiment that only bears a list's name must not pass for the list's."""
    if name in found:
        params = yaml.safe_load(found[name].read("params.yaml"))
        if others := sweeps.different(wanted, params):
            raise FacealignError(
                f"the experiment {name} has other values of {', '.join(others)} than the list: "
                f"run it anew: dvc exp remove {name}"
            )


def require_same_dlib(networks: Sequence[Network]) -> None:
    """Only networks measured on the same rectangles can be compared; dlib's figures show it."""
    first, *others = networks
    for other in others:
        if first.ced.keys() != other.ced.keys():
            raise FacealignError(
                f"{first.name} was measured on {', '.join(first.ced)}, "
                f"{other.name} on {', '.join(other.ced)}: they cannot be compared"
            )
        for dataset in first.ced:
            one, two = (network.ced[dataset]["dlib"] for network in (first, other))
            for key in one:
                if not _close(one[key], two.get(key)):
                    raise FacealignError(
                        f"dlib's {key} on {dataset} is {one[key]} in {first.name} and "
                        f"{two.get(key)} in {other.name}: they were not measured on the same "
                        "rectangles and cannot be compared"
                    )


def summarise(networks: Sequence[Network], dlib: Mapping[str, float]) -> dict[str, Any]:
    """The content of metrics/zoo.json; `dlib` has what its model costs, as `Network` names it."""
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


FACES = 24  # to take the time with


def main(sweep: Path, figures: Path, plots: Path) -> None:
    wanted, found = sweeps.load(sweep), revisions.newest()
    for name in wanted:
        require_values(name, wanted[name], found)
    missing = [name for name in wanted if name not in found]
    if missing:
        print(f"no experiment yet: {', '.join(missing)}", file=sys.stderr)
    if len(missing) == len(wanted):
        raise FacealignError(f"nothing to compare; run them: make sweep LIST={sweep}")
    faces = benchmark.portraits(FACES)
    networks = [read(found[name], faces) for name in wanted if name in found]
    require_same_dlib(networks)
    summary = summarise(networks, _dlib(faces))
    write_json(figures, summary)
    for dataset, methods in networks[0].curves.items():
        curves = {network.name: network.curves[dataset]["model"] for network in networks}
        images = summary["dlib"]["figures"][dataset]["images"]
        title = f"{dataset}, {images} test images"
        plotting.zoo_figure(curves, methods["dlib"], title, plots / dataset)
    print(markdown.zoo_table(summary, [name for name in summary["dlib"]["figures"] if name != ALL]))


def _dlib(faces: Faces) -> dict[str, float]:
    model = dlib_predictor.predictor_file(config.load("dlib", Dlib))
    [taken] = benchmark.measure(
        [lambda image, boxes: dlib_predictor.predict(image, boxes[0], model)], faces
    )
    return {"megabytes": model.stat().st_size / 1e6, "cpu_ms": taken.step}


if __name__ == "__main__":
    run(main)
