"""Checkpoints of older versions."""

import dataclasses

import pytest
import torch

from facealign.core.errors import ModelError
from facealign.models import cascade
from facealign.training import checkpoint

FLAT = {
    "arch": "cascade",
    "stacks": 2,
    "width": 24,
    "trunk": "efficientnet",
    "dropout": 0.2,
    "loss": "wing",
    "wing_width": 0.04,
    "wing_curvature": 0.01,
    "epochs": 3,
}


def test_an_old_recipes_options_go_to_the_network_and_the_loss_that_had_them() -> None:
    assert checkpoint.translated(FLAT) == {
        "arch": "cascade",
        "networks": {"cascade": {"width": 24, "trunk": "efficientnet", "dropout": 0.2}},
        "loss": "wing",
        "losses": {"wing": {"width": 0.04, "curvature": 0.01}},
        "epochs": 3,
    }
    of_onet = checkpoint.translated(FLAT | {"arch": "onet", "loss": "l1"})
    assert (of_onet["networks"], of_onet["losses"]) == ({}, {})
    of_hourglass = checkpoint.translated(FLAT | {"arch": "hourglass"})
    assert of_hourglass["networks"] == {"hourglass": {"stacks": 2}}


def test_a_recipe_of_today_stays_as_it_is() -> None:
    today = checkpoint.translated(FLAT)
    assert checkpoint.translated(today) == today


def test_the_released_weights_have_the_options_that_they_were_trained_with() -> None:
    path = checkpoint.RELEASED / "cascade.pt"
    assert "width" in torch.load(path, weights_only=True)["recipe"]  # a flat one
    expected = cascade.Options(width=48, trunk="efficientnet", dropout=0.2)
    assert checkpoint.options(checkpoint.load(path)) == expected


def test_an_option_that_a_recipe_lacks_has_its_default() -> None:
    released = checkpoint.load(checkpoint.RELEASED / "cascade.pt")
    oldest = {"arch": "cascade", "loss": "wing", "epochs": 3}
    values = checkpoint.to_dict(released) | {"recipe": oldest}
    assert checkpoint.options(checkpoint.from_dict(values)) == cascade.Options()


def test_an_option_that_the_network_does_not_have_is_an_error() -> None:
    released = checkpoint.load(checkpoint.RELEASED / "cascade.pt")
    newer = {"networks": {"cascade": {"heads": 3}}}
    with pytest.raises(ModelError, match=r"another version: cascade has the options .'heads': 3"):
        checkpoint.build(dataclasses.replace(released, recipe=newer), torch.device("cpu"))
