"""Checkpoints of older versions, and files that are none."""

import dataclasses
from pathlib import Path

import pytest
import torch

from facealign.core.errors import InputError, ModelError
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
    expected = cascade.Options(width=48, trunk="efficientnet", dropout=0.2)
    assert checkpoint.options(checkpoint.load(path)) == expected


def test_an_option_that_a_recipe_lacks_has_its_default() -> None:
    released = checkpoint.load(checkpoint.RELEASED / "cascade.pt")
    oldest = {"arch": "cascade", "loss": "wing", "epochs": 3}
    values = checkpoint.to_dict(released) | {"recipe": oldest}
    assert checkpoint.options(checkpoint.from_dict(values, Path("old.pt"))) == cascade.Options()


def test_an_option_that_the_network_does_not_have_is_an_error() -> None:
    released = checkpoint.load(checkpoint.RELEASED / "cascade.pt")
    newer = {"networks": {"cascade": {"heads": 3}}}
    with pytest.raises(ModelError, match=r"another version: cascade has the options .'heads': 3"):
        checkpoint.build(dataclasses.replace(released, recipe=newer), torch.device("cpu"))


RELEASED = torch.load(checkpoint.RELEASED / "cascade.pt", weights_only=True)
WEIGHTS, STATS, RECIPE = (RELEASED[name] for name in ("weights", "stats", "recipe"))


def with_option(name: str, value: object) -> dict[str, object]:
    options = RECIPE["networks"]["cascade"] | {name: value}
    return {"recipe": RECIPE | {"networks": {"cascade": options}}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arch": 5}, "unknown network '5'"),
        ({"arch": "onet"}, "its weights are not those of onet"),
        ({"weights": {}}, "its weights are not those of cascade"),
        (
            {"weights": {name: torch.zeros(3) for name in WEIGHTS}},
            "finite numbers, as cascade has them",
        ),
        ({"weights": {name: value * torch.nan for name, value in WEIGHTS.items()}}, "finite"),
        ({"mean_face": torch.zeros(9, 2)}, "the points of a scheme, such as 68"),
        ({"mean_face": None}, "the points of a scheme, such as 68"),
        (with_option("width", 10**6), "width is 1000000, expected a number from 16 to"),
        (with_option("trunk", "x"), "trunk is 'x', expected one of residual"),
        ({"recipe": {"networks": 5}}, "a recipe without the options of its network"),
        ({"stats": STATS | {"size": 10**5}}, "stats.size is 100000, expected a number from 8"),
        ({"stats": STATS | {"border": torch.zeros(68, 2)}}, "expected an integer"),
        ({"stats": STATS | {"size": 100}}, "cascade needs a multiple of"),
        ({"stats": STATS | {"margin": float("nan")}}, "stats.margin is nan, expected a number"),
        ({"stats": STATS | {"mean": (1.0,)}}, "mean and std of three colours"),
    ],
)
def test_a_checkpoint_that_does_not_fit_its_network_is_refused(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    path = tmp_path / "model.pt"
    torch.save(RELEASED | changes, path)
    with pytest.raises(InputError) as error:
        checkpoint.load(path)
    assert str(error.value).startswith(f"{path}: ") and words in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) < 600


def test_weights_with_a_changed_bit_are_refused(tmp_path: Path) -> None:
    """A network with other weights gives other points, and torch loads it without a word."""
    data = bytearray((checkpoint.RELEASED / "cascade.pt").read_bytes())
    data[len(data) // 2] ^= 1
    path = tmp_path / "model.pt"
    path.write_bytes(data)
    torch.load(path, weights_only=True)
    with pytest.raises(ModelError, match=r"model\.pt: not a checkpoint of facealign, or damaged"):
        checkpoint.load(path)
