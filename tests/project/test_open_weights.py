"""The networks for products: what they learnt from, by the recipes that are shipped."""

import json
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WEIGHTS = ROOT / "facealign/weights"
RECIPES = sorted(WEIGHTS.glob("open*.json"))


def test_there_are_such_networks() -> None:
    assert {path.stem for path in RECIPES} == {"open", "open-small"}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_only_generated_faces_are_behind_them(path: Path) -> None:
    for network in json.loads(path.read_text(encoding="utf-8"))["networks"].values():
        params = network["params"]
        assert params["data.archive"] == "data/demo.tgz"
        assert params["label.datasets"] == [] and params["train.extra"] == []
        assert params["train.init"] == "none"
        assert params["train.networks.cascade.trunk"] == "residual"  # the other knows ImageNet
        splits = [split for its in network["pictures"].values() for split in its.values()]
        pictures = sum(split["kept"] + split["dropped"] for split in splits)
        assert pictures == params["demo.pictures"] >= 100_000


def test_their_list_is_what_they_were_trained_with() -> None:
    listed = yaml.safe_load((ROOT / "experiments/open.yaml").read_text(encoding="utf-8"))
    for path in RECIPES:
        networks = json.loads(path.read_text(encoding="utf-8"))["networks"]
        assert path.stem in networks
        for name, network in networks.items():
            assert listed[name]["train"]["epochs"] == network["params"]["train.epochs"]
            for section in ("demo", "crop"):
                for key, value in listed["all"][section].items():
                    assert network["params"][f"{section}.{key}"] == value


def test_the_terms_name_them_apart() -> None:
    terms = (ROOT / "LICENSE-WEIGHTS").read_text(encoding="utf-8")
    free, _, restricted = terms.partition("2. The other weights: research only")
    assert "facealign/weights/open.*, open-small.*" in free
    assert "facealign/weights/cascade.*, small.*" in restricted
    known = {"cascade", "small", "open", "open-small"}
    assert {path.stem for path in WEIGHTS.glob("*.onnx")} <= known
