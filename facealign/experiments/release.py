"""Write the networks that the package ships, from finished experiments of a list.

python -m facealign.experiments.release LIST FOLDER [NAME | NAME=FIRST+SECOND ...]

NAME.pt has the weights to start a training from, NAME.onnx the int8 network, or the mean of several
networks, and NAME.json the recipe of both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from facealign.core import config
from facealign.core.command import run
from facealign.core.errors import ExperimentError
from facealign.core.files import sha256, write_json
from facealign.experiments import revisions, sweep_list, zoo
from facealign.experiments.revisions import Experiment
from facealign.export import landmarks, quantisation
from facealign.faces import cropping
from facealign.faces.cropping import Crops
from facealign.reports.material import DEMO
from facealign.training import checkpoint
from facealign.training.checkpoint import Checkpoint

CALIBRATION = 200  # training crops for the calibration of int8
# of params.yaml, that decide the points
SECTIONS = ("data", "detect", "label", "crop", "train", "predict")


def main(sweep: Path, folder: Path, *names: Path) -> None:
    wanted, found = sweep_list.load(sweep), revisions.newest()
    released = {}
    for argument in map(str, names or wanted):
        name, _, mean_of = argument.partition("=")
        released[name] = (mean_of or name).split("+")
    every = [member for members in released.values() for member in members]
    for member in sweep_list.named(wanted, every, sweep):
        zoo.require_values(member, wanted[member], found)
        if member not in found:
            command = f"python -m facealign.experiments.sweep {sweep} {member}"
            raise ExperimentError(f"no experiment {member} yet: {command}")
    for name, members in released.items():
        for file in release([found[member] for member in members], folder / name):
            print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


def release(members: Sequence[Experiment], path: Path) -> list[Path]:
    """Write PATH.onnx, the mean of the experiments' networks, PATH.pt, the weights of the first of
    them, and PATH.json."""
    weights, runnable, recipe = (
        path.with_name(path.name + suffix) for suffix in (".pt", ".onnx", ".json")
    )
    with tempfile.TemporaryDirectory() as scratch:
        model, crops = Path(scratch) / "model.pt", Path(scratch) / "crops"
        trained = []
        for member in members:
            member.copy("data/model.pt", model)
            trained.append(checkpoint.load(model))
        members[0].copy("data/crops", crops)
        path.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.save(checkpoint.halved(trained[0]), weights)
        flip = [_params(member)["predict"]["flip"] for member in members]
        module = landmarks.Mean(list(map(_runnable, trained, flip)))
        _write_int8(module, cropping.load_crops(crops), runnable)
    described = {
        member.name: describe(member, its) for member, its in zip(members, trained, strict=True)
    }
    hashes = {f"{file.suffix[1:]}_sha256": sha256(file) for file in (weights, runnable)}
    write_json(recipe, hashes | {"networks": described})
    return [weights, runnable, recipe]


def describe(experiment: Experiment, trained: Checkpoint) -> dict[str, Any]:
    """All that is needed to train the same network again, and its validation NME."""
    params = _params(experiment)
    extract = yaml.safe_load(experiment.read("dvc.lock"))["stages"]["extract"]
    archive = params["data"]["archive"]
    sections = (*SECTIONS, "demo") if archive == DEMO else SECTIONS
    return {
        "archive_md5": next(dep["md5"] for dep in extract["deps"] if dep["path"] == archive),
        "params": config.flatten({name: params[name] for name in sections}),
        # with points, and given points by a network
        "pictures": yaml.safe_load(experiment.read("metrics/data.json"))
        | yaml.safe_load(experiment.read("metrics/labels.json")),
        "epoch": trained.epoch,
        "validation_nme": trained.validation_nme,
    }


def _params(experiment: Experiment) -> Mapping[str, Any]:
    params: Mapping[str, Any] = yaml.safe_load(experiment.read("params.yaml"))
    return params


def _runnable(trained: Checkpoint, flip: bool) -> landmarks.FromCrops:
    network, codec = checkpoint.build(trained, torch.device("cpu"))
    return landmarks.FromCrops(network, codec, trained.stats, flip)


def _write_int8(module: landmarks.Mean, crops: Crops, runnable: Path) -> None:
    stats = module.stats
    rows = crops.rows("train")
    some = rows[:: -(-len(rows) // CALIBRATION)]
    inner = slice(stats.border, stats.border + stats.size)
    with tempfile.TemporaryDirectory() as folder:
        float32 = Path(folder) / runnable.name
        landmarks.to_onnx(module, float32)
        quantisation.quantise(float32, runnable, np.asarray(crops.pixels[some])[:, inner, inner])


if __name__ == "__main__":
    run(main)
