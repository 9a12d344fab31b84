import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from facealign.core.errors import ConfigError
from facealign.experiments import sweep_list
from tests.helpers import ROOT

PARAMS: dict[str, Any] = {
    "data": {"datasets": ["300W", "Menpo"], "test_only": []},
    "crop": {"size": 48, "margin": 0.1},
    "train": {"arch": "onet", "epochs": 120, "learning_rate": 2e-3},
}


def load(folder: Path, text: str) -> dict[str, sweep_list.Values]:
    path = folder / "list.yaml"
    path.write_text(text, encoding="utf-8")
    return sweep_list.load(path)


def test_dotted_and_nested_names_are_the_same(tmp_path: Path) -> None:
    text = "a: {crop.size: 62, train: {arch: pipnet, epochs: 3}}\nb: {crop: {size: 62}}"
    assert load(tmp_path, text) == {
        "a": {"crop.size": 62, "train.arch": "pipnet", "train.epochs": 3},
        "b": {"crop.size": 62},
    }


def test_an_own_value_goes_before_that_for_all_and_the_order_stays(tmp_path: Path) -> None:
    text = "z: {train: {epochs: 3}}\nall: {train.epochs: 9, crop.size: 62}\na:\n"
    found = load(tmp_path, text)
    assert list(found) == ["z", "a"]
    assert found["z"] == {"train.epochs": 3, "crop.size": 62}
    assert found["a"] == {"train.epochs": 9, "crop.size": 62}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a mapping of names"),
        ("all: {crop.size: 4}", "at least one name"),
        ("- a", "expected a mapping of names"),
        ("a: [", "not YAML"),
        ("a: {crop.size: 1}\na: {crop.size: 2}", "duplicate key 'a'"),
        ("a: {crop: {size: 1, size: 2}}", "duplicate key 'size'"),
        ("a: {crop.size: 1, crop: {size: 2}}", "a: duplicate key crop.size"),
        ("a: 3", "a is 3, expected a mapping"),
        ("a: {crop.size: 2024-01-01}", "expected a number, text"),
        ("a: {crop: {}}", "expected a number, text"),
        ("a: {train.arch: '${crop.size}'}", "is not supported here"),
        ("48: {crop.size: 48}", "48 cannot name an experiment"),
        ("a/b: {crop.size: 48}", "'a/b' cannot name"),
        ("-n: {crop.size: 48}", "'-n' cannot name"),
        ("a..b: {crop.size: 48}", "'a..b' cannot name"),
        ("a.lock: {crop.size: 48}", "'a.lock' cannot name"),
    ],
)
def test_an_invalid_list_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        load(tmp_path, text)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: no such file"):
        sweep_list.load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"trian.epochs": 3}, "l.yaml: x: unknown section 'trian', did you mean train?"),
        ({"train.epoch": 3}, "l.yaml: x: train: unknown parameter 'epoch', did you mean epochs?"),
        ({"crop.size.side": 3}, "l.yaml: x: crop: unknown parameter 'size.side'"),
        ({"crop.size": "a"}, "l.yaml: x: crop.size is 'a', expected a number"),
        ({"train.arch": 3}, "l.yaml: x: train.arch is 3, expected a text"),
        ({"train.arch": None}, "l.yaml: x: train.arch is None, expected a text"),
        ({"data.datasets": "a"}, "l.yaml: x: data.datasets is 'a', expected a list"),
        ({"crop": 3}, "l.yaml: x: crop: expected a mapping of size, margin"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest_one(
    values: sweep_list.Values, said: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        sweep_list.check({"fine": {"crop.size": 3}, "x": values}, PARAMS, Path("l.yaml"))


VALUES = [
    62,
    -3,
    0.002,
    1e-5,
    True,
    False,
    None,
    "",
    "pipnet",
    "true",
    "null",
    "48",
    "a=b:c, {d} [e]",
    "it's",
    "back\\slash",
    "\\'",
    "\\",
    "data/ü é.tgz",
    [],
    ["300W", "ytf"],
    ["a,b", "it's", ""],
    [0, 1],
    [[1, 2.5], [None, True]],
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_dvc_reads_each_value_as_it_was_meant(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(PARAMS), encoding="utf-8")
    values = {"train.arch": value, "crop.size": 62}
    apply_overrides(path, sweep_list.overrides(values))
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert sweep_list.different(values, params) == []
    expected = (
        "1e-05" if value == 1e-5 and value is not True else value
    )  # as `config` reads it, too
    assert repr(params["train"]["arch"]) == repr(expected)
    assert params["data"] == PARAMS["data"]


def test_a_number_in_powers_of_ten_is_one(tmp_path: Path) -> None:
    text = "a: {train.learning_rate: 1e-3, train.arch: '1e', crop.margin: [2E+1]}"
    assert load(tmp_path, text)["a"] == {
        "train.learning_rate": 0.001,
        "train.arch": "1e",
        "crop.margin": [20.0],
    }


def test_other_values_of_an_experiment_are_named() -> None:
    values = {"crop.size": 48, "train.epochs": 3, "train.clip": 1.0, "ema.decay": 0.9}
    assert sweep_list.different(values, PARAMS) == ["train.epochs", "train.clip", "ema.decay"]


@pytest.mark.parametrize("name", ["zoo", "weights"])
def test_the_projects_lists_have_names_of_params_yaml_only(name: str) -> None:
    path = ROOT / "experiments" / f"{name}.yaml"
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    experiments = sweep_list.load(path)
    sweep_list.check(experiments, params, path)
    for values in experiments.values():
        assert values["data.archive"] in ("data/both.tgz", "data/translated.tgz")
        assert {"crop.size", "train.arch"} <= values.keys()


def test_some_of_a_list_are_chosen_by_name() -> None:
    entries: dict[str, sweep_list.Values] = {"one": {"a": 1}, "two": {"a": 2}, "three": {}}
    assert list(sweep_list.named(entries, ["three", "one"], Path("l.yaml"))) == ["three", "one"]
    assert sweep_list.named(entries, [], Path("l.yaml")) == entries
    with pytest.raises(ConfigError, match=r"l.yaml: unknown experiment 'tow', did you mean two"):
        sweep_list.named(entries, ["tow"], Path("l.yaml"))
