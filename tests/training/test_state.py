"""Which training may resume from which state."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from facealign.core import config
from facealign.core.errors import TrainingError
from facealign.faces.cropping import Crops, Stats
from facealign.models import cascade, hourglass
from facealign.training import state
from facealign.training.checkpoint import Checkpoint
from facealign.training.optimiser import adamw
from facealign.training.recipe import Train
from facealign.training.state import State
from tests.helpers import PARAMS, ROOT, smallest_files

RECIPE = dataclasses.replace(config.load("train", Train, PARAMS), arch="cascade", loss="wing")
CROPS = Crops(
    images=["300W/train/1.png"],
    pixels=np.zeros((1, 20, 20, 3), np.uint8),
    maps=np.eye(2, 3)[None],
    points=np.zeros((1, 68, 2)),
    normalisers=np.ones(1),
    weights=np.ones(1),
    sources=["upsample 0"],
    stats=Stats(16, 0.1, 2, (0.0,) * 3, (1.0,) * 3),
)


def name(crops: Crops = CROPS, **changes: object) -> str:
    return state.file_of(Path("s"), crops, dataclasses.replace(RECIPE, **changes)).name  # type: ignore[arg-type]


def test_another_recipe_or_other_crops_have_a_state_of_their_own() -> None:
    others = {
        name(dataclasses.replace(CROPS, points=CROPS.points + 0.1)),
        name(dataclasses.replace(CROPS, images=["300W/train/2.png"])),
        name(dataclasses.replace(CROPS, weights=CROPS.weights / 2)),
        name(dataclasses.replace(CROPS, sources=["teacher"])),
        name(seed=2),
        name(networks={**RECIPE.networks, "cascade": cascade.Options(width=16)}),
    }
    assert len(others) == 6 and name() not in others
    assert name() == name()


def test_options_of_another_network_do_not_matter() -> None:
    assert name(networks={**RECIPE.networks, "hourglass": hourglass.Options(stacks=5)}) == name()
    assert RECIPE.used()["networks"] == {"cascade": dataclasses.asdict(cascade.Options())}
    assert RECIPE.used()["losses"] == {"wing": {"width": 0.04, "curvature": 0.01}}
    assert dataclasses.replace(RECIPE, arch="onet", loss="l1").used()["networks"] == {}


def test_an_edit_of_the_code_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "loop.py"
    source.write_text("rate = 1", encoding="utf-8")
    monkeypatch.setattr(state, "code", lambda: [source])
    before = name()
    source.write_text("rate = 2", encoding="utf-8")
    assert name() != before


def test_the_newest_states_stay_and_what_is_half_written_goes(tmp_path: Path) -> None:
    states = [tmp_path / f"{number:016x}.pt" for number in range(6)]
    for number, path in enumerate(states):
        path.touch()
        os.utime(path, (number, number))
    (tmp_path / f".{states[0].name}.part").touch()
    (tmp_path / state.LOCK).touch()
    state.remove_old(states[1])
    assert set(tmp_path.iterdir()) == {tmp_path / state.LOCK, states[1], *states[3:]}


def test_a_state_that_cannot_be_written_or_read_is_named(tmp_path: Path) -> None:
    network, path = nn.Linear(300, 300), tmp_path / "state.pt"
    best = Checkpoint("onet", CROPS.stats, torch.zeros(68, 2), RECIPE.used(), 1, 0.5, {})
    now = State(network, network, adamw(network.parameters(), 0.0), best=best)
    with smallest_files(), pytest.raises(TrainingError, match=r"state\.pt: File too large$"):
        now.save(path)
    assert not list(tmp_path.iterdir())
    path.write_bytes(b"PK cut off")
    with pytest.raises(TrainingError, match=r"state\.pt: damaged; remove it"):
        now.restore(path, torch.device("cpu"))


def test_the_code_is_that_of_the_stage_train() -> None:
    stage = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]["train"]
    deps = [dep for dep in stage["deps"] if dep.startswith("facealign/")]
    assert {dep.split("/")[1] for dep in deps} == set(state.PACKAGES)
    assert ROOT / "facealign" / "models" / "parts" / "codecs.py" in state.code()
