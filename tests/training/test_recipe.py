"""The section `train`: options that belong to networks and losses."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from facealign.core import config
from facealign.core.errors import FacealignError
from facealign.training.recipe import Train
from tests.helpers import PARAMS


def changed(folder: Path, *overrides: str) -> Path:
    """params.yaml as `dvc exp run -S` rewrites it."""
    path = folder / "params.yaml"
    path.write_text(PARAMS.read_text(encoding="utf-8"), encoding="utf-8")
    apply_overrides(path, list(overrides))
    return path


def test_dvc_sets_an_option(tmp_path: Path) -> None:
    overrides = (
        "train.networks.cascade.trunk=efficientnet",
        "train.losses.wing.width=1",
        "train.extra=[ytf]",
        "train.repeat=[InfAnFace:4,ytf:0.5]",
        "data.datasets=[300W]",
        "data.test_only=[]",
    )
    path = changed(tmp_path, *overrides)
    train = config.load("train", Train, path)
    assert train.networks["cascade"].trunk == "efficientnet"
    assert train.networks["cascade"].width == 48
    assert train.losses["wing"].width == 1.0
    expected = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    expected["train"]["networks"]["cascade"]["trunk"] = "efficientnet"
    expected["train"]["losses"]["wing"]["width"] = 1
    expected["train"]["extra"] = ["ytf"]
    expected["train"]["repeat"] = ["InfAnFace:4", "ytf:0.5"]
    expected["data"] |= {"datasets": ["300W"], "test_only": []}
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == expected


@pytest.mark.parametrize("name", sorted(config.flatten(yaml.safe_load(PARAMS.read_text()))))
def test_dvc_can_rewrite_every_value(tmp_path: Path, name: str) -> None:
    before: Any = config.flatten(yaml.safe_load(PARAMS.read_text(encoding="utf-8")))
    empty = isinstance(before[name], list)
    path = changed(tmp_path, f"{name}={'[]' if empty else 7}")
    after = config.flatten(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert after == before | {name: [] if empty else 7}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train.networks.cascade.width=8", ".cascade.width is 8, expected a number from 16 to 256"),
        ("train.networks.cascade.trunk=vit", ".cascade.trunk is 'vit', expected one of residual,"),
        (
            "train.networks.hourglass.stacks=9",
            ".hourglass.stacks is 9, expected a number from 1",
        ),
        (
            "+train.networks.cascade.widht=8",
            ".cascade: unknown parameter 'widht', did you mean",
        ),
        ("+train.networks.cascad.width=8", ": unknown network with options 'cascad', did you mean"),
        ("train.networks.cascade=3", ".cascade is 3, expected a mapping of width, trunk, dropout"),
        ("~train.networks.hourglass", "missing parameters: train.networks.hourglass"),
        ("train.losses.wing.width=0", "train.losses.wing.width is 0, expected a number from 1e-06"),
        ("+train.losses.l1.width=1", "train.losses: unknown loss with options 'l1'. Valid: wing"),
    ],
)
def test_a_wrong_option_is_named_whichever_network_is_chosen(
    tmp_path: Path, override: str, said: str
) -> None:
    path = changed(tmp_path, override)
    with pytest.raises(FacealignError) as error:
        config.load("train", Train, path)
    assert str(error.value).startswith(f"{path}: ")
    assert said in str(error.value) and "train." in str(error.value)


def test_changes_replace_values_of_the_file() -> None:
    changes = {"train.networks.cascade.width": 24, "train.epochs": 3, "crop.size": 128}
    train = config.load("train", Train, PARAMS, changes)
    assert (train.networks["cascade"].width, train.epochs, train.batch) == (24, 3, 32)
