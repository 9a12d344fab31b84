"""The weights that `train.init=released` starts from."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from facealign import models
from facealign.core import config, images
from facealign.core.files import sha256
from facealign.core.geometry import crop_map
from facealign.detectors.hog import find_faces
from facealign.export import landmarks
from facealign.faces import dlib_predictor
from facealign.models.parts.layers import Shape
from facealign.training import checkpoint
from facealign.training.recipe import Train
from tests.helpers import PARAMS

WEIGHTS = sorted(checkpoint.RELEASED.glob("*.pt"))


def test_the_flagship_is_among_them() -> None:
    assert "cascade" in [path.stem for path in WEIGHTS]


def test_they_are_small_enough_for_git() -> None:
    assert sum(path.stat().st_size for path in checkpoint.RELEASED.iterdir()) < 32e6


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: path.stem)
def test_the_recipe_beside_them_is_theirs(path: Path) -> None:
    recipe = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert recipe["pt_sha256"] == sha256(path)
    trained = checkpoint.load(path)
    its, *_ = recipe["networks"].values()
    assert (its["epoch"], its["validation_nme"]) == (trained.epoch, trained.validation_nme)
    params = its["params"]
    assert params["crop.size"] == trained.stats.size
    flat = {name.removeprefix("train."): its for name, its in params.items() if "train." in name}
    assert flat.items() >= config.flatten(trained.recipe).items()


def test_every_file_to_run_has_its_recipe() -> None:
    runnables = sorted(checkpoint.RELEASED.glob("*.onnx"))
    assert {file.stem for file in runnables} >= {file.stem for file in WEIGHTS}
    for file in runnables:
        recipe = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        assert recipe["onnx_sha256"] == sha256(file)
        assert recipe["networks"]


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: path.stem)
def test_they_find_the_astronauts_points_where_dlib_does(
    path: Path, astronaut: np.ndarray, model: Path
) -> None:
    box = find_faces(astronaut, 0)[0].box
    by_dlib = dlib_predictor.predict(astronaut, box, model)
    trained = checkpoint.load(path)
    stats = trained.stats
    crop = images.warp(astronaut, crop_map(box, stats.margin, stats.size), stats.size)
    network, codec = checkpoint.build(trained, torch.device("cpu"))
    found, _ = landmarks.FromCrops(network, codec, stats)(torch.from_numpy(crop[None]))
    to_picture = crop_map(box, stats.margin, stats.size).inverse()
    points = to_picture(found[0].detach().numpy())
    distance = np.linalg.norm(points - by_dlib, axis=-1).mean()
    # those that saw generated faces only place the jaw further out
    assert distance < (0.045 if path.stem.startswith("open") else 0.03) * box.width


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: path.stem)
def test_a_network_of_the_same_size_takes_all_of_them(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = checkpoint.load(path)
    shape = Shape(trained.stats.size, trained.mean_face)
    network, _ = models.build(trained.arch, shape, checkpoint.options(trained))
    recipe = dataclasses.replace(
        config.load("train", Train, PARAMS),
        arch=trained.arch,
        init="released",
        init_sha256=sha256(path),
    )
    checkpoint.initialise(network, recipe)
    for name, value in network.state_dict().items():
        assert torch.equal(value, trained.weights[name].to(value.dtype)), name
    assert capsys.readouterr().err == ""
