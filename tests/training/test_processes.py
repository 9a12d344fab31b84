"""Trainings that several real processes share."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
import yaml

from facealign.core.errors import ConfigError
from facealign.faces.cropping import Crops
from facealign.training import checkpoint, loop, prediction, processes
from facealign.training.recipe import Train
from facealign.training.split import split_rows
from tests.helpers import ROOT
from tests.training.test_loop import RECIPE

# a net without batch norm, whose statistics are those of a process's own faces on a CPU, and one
# with it; batches of an odd number of faces
PLAIN_NET = dataclasses.replace(RECIPE, batch=7, epochs=4)
NORMED = dataclasses.replace(PLAIN_NET, arch="onet62", epochs=2)
TORCHRUN = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "-m"]
TWO = {processes.VARIABLE: "2"}


def begin(
    folder: Path, crops: Path, recipe: Train, *words: str, **variables: str
) -> "subprocess.Popen[str]":
    """`python WORDS stages.train` in `folder`, with its params.yaml."""
    params = {"train": dataclasses.asdict(recipe)}
    folder.mkdir(exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    (folder / "scheme.json").write_text('{"points": 68}', encoding="utf-8")
    files = ("scheme.json", "model.pt", "training.csv", "speed.json")
    others = [str(folder / name) for name in files]
    return subprocess.Popen(
        [sys.executable, *(words or ["-m"]), "stages.train", str(crops), *others],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "FACEALIGN_DEVICE": "cpu"} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def curve(folder: Path) -> np.ndarray:
    return np.loadtxt(folder / "training.csv", delimiter=",", skiprows=1)


def curve_of(trained: loop.Trained) -> np.ndarray:
    return np.array([dataclasses.astuple(epoch) for epoch in trained.curve])


@pytest.mark.slow
def test_two_processes_learn_what_one_does(folder: Path, crops: Crops, tmp_path: Path) -> None:
    process = begin(tmp_path, folder, PLAIN_NET, *TORCHRUN)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    alone = loop.train(crops, PLAIN_NET)
    np.testing.assert_allclose(curve(tmp_path), curve_of(alone), rtol=1e-3, atol=1e-7)
    weights = checkpoint.load(tmp_path / "model.pt").weights
    for name, value in alone.best.weights.items():
        torch.testing.assert_close(weights[name], value, rtol=0, atol=1e-2)
    # of all processes only one prints
    assert said.count("best epoch") == said.count("0/4") == 1


@pytest.mark.slow
def test_what_two_processes_validate_is_the_network_that_is_saved(
    folder: Path, crops: Crops, tmp_path: Path
) -> None:
    process = begin(tmp_path, folder, NORMED, **TWO)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    best = checkpoint.load(tmp_path / "model.pt")
    _, held = split_rows(crops, NORMED)
    network, codec = checkpoint.build(best, torch.device("cpu"))
    found = prediction.crop_points(network, codec, crops, held, torch.device("cpu"))
    errors = np.linalg.norm(found - crops.points[held], axis=2).mean(1) / crops.normalisers[held]
    assert errors.mean() == pytest.approx(best.validation_nme, rel=1e-5)
    alone = loop.train(crops, NORMED)
    np.testing.assert_allclose(curve(tmp_path)[:, 2:4], curve_of(alone)[:, 2:4], rtol=0.1)


@pytest.mark.slow
def test_a_killed_process_ends_all_and_any_number_resumes(
    folder: Path, crops: Crops, tmp_path: Path
) -> None:
    recipe = dataclasses.replace(PLAIN_NET, epochs=60)
    process = begin(tmp_path, folder, recipe, **TWO)
    while not list(tmp_path.glob(".training/*.pt")):
        assert process.poll() is None
        time.sleep(0.05)
    psutil.Process(process.pid).children()[-1].send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    assert process.returncode == 1
    assert said.splitlines()[-1].endswith(" of 2 ended with signal SIGKILL"), said
    [state] = tmp_path.glob(".training/*.pt")
    trained = loop.train(crops, recipe, tmp_path / ".training")
    assert [epoch.epoch for epoch in trained.curve] == list(range(1, 61))
    assert list(tmp_path.glob(".training/*.pt")) == [state]
    alone = loop.train(crops, recipe)
    assert trained.speed.faces == alone.speed.faces
    # the first epoch is one of both processes; later, rounding grows from step to step
    np.testing.assert_allclose(curve_of(trained)[:2], curve_of(alone)[:2], rtol=1e-3)


@pytest.mark.parametrize("asked", ["0", "-1", "two", "9" * 5000])
def test_a_wrong_number_of_processes_is_an_error(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setenv(processes.VARIABLE, asked)
    with pytest.raises(ConfigError, match=r"FACEALIGN_PROCESSES: .*expected an integer from 1"):
        processes.start("stages.train")


def test_one_process_has_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(processes.VARIABLE, "1")
    assert not processes.start("stages.train")
    with processes.joined():
        assert not torch.distributed.is_initialized()
        assert processes.count() == 1 and processes.is_first()
