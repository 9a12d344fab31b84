"""The networks that come along: weights to start from, a file to run, and the recipe of both."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from facealign import checkpoint, config, cropping, export, quantisation
from facealign.checkpoint import Checkpoint
from facealign.cropping import Crops
from facealign.experiments import Experiment
from facealign.files import sha256, write_json

SHOWN = 200  # crops to learn from, which show what values the bytes must hold
SECTIONS = ("data", "detect", "crop", "train", "predict")  # of the params: what decides the points


def release(experiment: Experiment, folder: Path) -> list[Path]:
    """Write NAME.pt, NAME.onnx and NAME.json of an experiment into the folder."""
    weights, runnable, recipe = (
        folder / f"{experiment.name}{suffix}" for suffix in (".pt", ".onnx", ".json")
    )
    params = yaml.safe_load(experiment.read("params.yaml"))
    with tempfile.TemporaryDirectory() as scratch:
        model, crops = Path(scratch) / "model.pt", Path(scratch) / "crops"
        experiment.copy("data/model.pt", model)
        experiment.copy("data/crops", crops)
        trained = checkpoint.load(model)
        checkpoint.save(checkpoint.halved(trained), weights)
        _in_bytes(trained, cropping.load_crops(crops), params["predict"]["mirrored"], runnable)
    hashes = {f"{file.suffix[1:]}_sha256": sha256(file) for file in (weights, runnable)}
    write_json(recipe, hashes | describe(experiment, trained, params))
    return [weights, runnable, recipe]


def describe(
    experiment: Experiment, trained: Checkpoint, params: Mapping[str, Any]
) -> dict[str, Any]:
    """All that it takes to train the same network again, and what came out in validation."""
    extract = yaml.safe_load(experiment.read("dvc.lock"))["stages"]["extract"]
    archive = params["data"]["archive"]
    return {
        "archive_md5": next(dep["md5"] for dep in extract["deps"] if dep["path"] == archive),
        "params": config.flatten({name: params[name] for name in SECTIONS}),
        "pictures": yaml.safe_load(experiment.read("metrics/data.json")),
        "epoch": trained.epoch,
        "validation_nme": trained.validation_nme,
    }


def _in_bytes(trained: Checkpoint, crops: Crops, mirrored: bool, runnable: Path) -> None:
    network, codec = checkpoint.build(trained, torch.device("cpu"))
    rows = crops.rows("train")
    some = rows[:: -(-len(rows) // SHOWN)]
    inner = slice(crops.stats.border, crops.stats.border + crops.stats.size)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / runnable.name
        export.to_onnx(export.FromCrops(network, codec, trained.stats, mirrored), whole)
        quantisation.quantise(whole, runnable, np.asarray(crops.pixels[some])[:, inner, inner])
