import dataclasses
import itertools
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml

from facealign.core import config
from facealign.core.errors import ConfigError
from facealign.data.filtering import Data
from facealign.evaluation.scoring import Ced
from facealign.faces.cropping import Crop
from facealign.faces.detection import Detect
from facealign.faces.dlib_predictor import Dlib
from facealign.faces.validation import Validation
from facealign.recognition.learning import Recognize
from facealign.recognition.people import Examine, Identities
from facealign.recognition.verification import Verify
from facealign.training.recipe import Train
from stages.demo import Demo
from tests.helpers import PARAMS

KINDS: dict[str, type] = {
    "data": Data,
    "detect": Detect,
    "crop": Crop,
    "train": Train,
    "dlib": Dlib,
    "ced": Ced,
}


def changed(folder: Path, section: str, **values: Any) -> Path:
    """The project's params with some values of a section replaced, or left out if None."""
    params = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    params[section] |= values
    params[section] = {name: value for name, value in params[section].items() if value is not None}
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    return path


@pytest.mark.parametrize("section", KINDS)
def test_the_projects_own_params_load(section: str) -> None:
    loaded = dataclasses.asdict(config.load(section, KINDS[section], PARAMS))
    written = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))[section]
    for name, value in written.items():
        found = loaded[name]
        assert found == (type(found)(value) if isinstance(value, list) else value)


def test_of_a_part_of_a_section_only_its_own_values_are_read(tmp_path: Path) -> None:
    path = changed(tmp_path, "train", epochs="many", unknown=1, fold=2, extra=["ytf"])
    assert config.load_part("train", Validation, path) == Validation(0.15, 2, ["ytf"])
    path = changed(tmp_path, "train", fold=None)
    with pytest.raises(ConfigError, match=r"missing parameters: train\.fold"):
        config.load_part("train", Validation, path)
    path = changed(tmp_path, "train", fold=-1)
    with pytest.raises(ConfigError, match=r"train\.fold is -1, expected a number from 0 to 1000"):
        config.load_part("train", Validation, path)


@pytest.mark.parametrize("kind", [*KINDS.values(), Demo, Recognize, Examine, Identities, Verify])
def test_every_number_has_limits(kind: type) -> None:
    """So that a slip of the finger is an error, not hours or a full memory."""
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if hint in (int, float):
            pytest.fail(f"{name} has no limits")
        for limits in getattr(hint, "__metadata__", ()):
            assert isinstance(limits, config.Named) or math.isfinite(limits.high), name


@pytest.mark.parametrize("names", [[], ["Menpo"], ["Menpo", "300W", "Menpo"]])
def test_a_list_that_may_be_empty_is_a_set(tmp_path: Path, names: list[str]) -> None:
    loaded = config.load("data", Data, changed(tmp_path, "data", test_only=names))
    assert loaded.test_only == frozenset(names)


def test_a_whole_number_for_a_real_one_is_converted(tmp_path: Path) -> None:
    train = config.load("train", Train, changed(tmp_path, "train", rotation=20))
    assert isinstance(train.rotation, float)


def test_a_mistyped_key_is_answered_with_the_nearest_and_all_valid_ones(tmp_path: Path) -> None:
    path = changed(tmp_path, "crop", sise=48)
    with pytest.raises(ConfigError) as error:
        config.load("crop", Crop, path)
    message = str(error.value)
    assert message.startswith(str(path))
    assert "crop: unknown parameter 'sise', did you mean size?" in message
    assert message.endswith("Valid: region, size, margin, context")


def test_an_unknown_section_is_answered_with_the_nearest_and_all_valid_ones(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("trian: {}\n")
    with pytest.raises(ConfigError, match=r"'trian', did you mean train\? Valid: data, demo"):
        config.load("train", Train, path)


@pytest.mark.parametrize(
    ("section", "name", "value", "expected"),
    [
        ("crop", "size", True, "crop.size is True, expected an integer"),
        ("crop", "size", 48.5, "crop.size is 48.5, expected an integer"),
        ("crop", "size", "48", "crop.size is '48', expected an integer"),
        ("crop", "size", 8, "crop.size is 8, expected a number from 16 to 1024"),
        ("crop", "size", 1025, "crop.size is 1025, expected a number from 16 to 1024"),
        ("crop", "margin", "wide", "crop.margin is 'wide', expected a number"),
        ("crop", "margin", True, "crop.margin is True, expected a number"),
        ("crop", "margin", [0.1], "crop.margin is [0.1], expected a number"),
        ("crop", "margin", math.nan, "crop.margin is nan, expected a number"),
        ("train", "epochs", 0, "train.epochs is 0, expected a number from 1 to"),
        ("train", "flip", 1.5, "train.flip is 1.5, expected a number from 0 to 1"),
        ("train", "loss", 1, "train.loss is 1, expected a string"),
        ("train", "networks", None, "missing parameters: train.networks"),
        ("train", "networks", {}, "missing parameters: train.networks.cascade, train.networks.h"),
        ("detect", "undetected", "forget", "is 'forget', expected one of skip, truth"),
        ("detect", "upsample", [], "detect.upsample is [], expected a list of at least one"),
        ("detect", "upsample", 1, "detect.upsample is 1, expected a list of at least one"),
        ("detect", "upsample", [0, 4], "detect.upsample[1] is 4, expected a number from 0 to 3"),
        ("data", "datasets", ["300W", 3], "data.datasets[1] is 3, expected a string"),
        ("data", "datasets", [], "data.datasets is [], expected a list of at least one value"),
        ("data", "test_only", "ytf", "data.test_only is 'ytf', expected a list"),
        ("data", "test_only", [3], "data.test_only[0] is 3, expected a string"),
        ("ced", "seed", -1, "ced.seed is -1, expected a number from 0 to"),
        ("ced", "seed", None, "missing parameters: ced.seed"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    tmp_path: Path, section: str, name: str, value: Any, expected: str
) -> None:
    path = changed(tmp_path, section, **{name: value})
    with pytest.raises(ConfigError) as error:
        config.load(section, KINDS[section], path)
    assert str(error.value).startswith(f"{path}: ")
    assert expected in str(error.value)


def test_the_ends_of_a_range_belong_to_it(tmp_path: Path) -> None:
    assert config.load("crop", Crop, changed(tmp_path, "crop", size=16, margin=2)).size == 16
    assert config.load("crop", Crop, changed(tmp_path, "crop", size=1024, margin=-0.25))


@pytest.mark.parametrize("written", ["1e-3", "1.0e-3", "0.001", "1E-3"])
def test_scientific_notation_counts_as_a_number_with_and_without_a_dot(
    tmp_path: Path, written: str
) -> None:
    text = PARAMS.read_text(encoding="utf-8").replace("rate: 0.002", f"rate: {written}")
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    assert config.load("train", Train, path).learning_rate == 0.001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data: {}\n", "missing section: crop"),
        ("crop: 3\n", "crop is 3, expected a mapping of region, size, margin, context"),
        ("", "the whole file is None, expected a mapping of data, demo"),
        ("- crop\n", "expected a mapping of data, demo"),
        ("crop: [1\n", "not YAML"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        config.load("crop", Crop, path)
    assert expected in str(error.value)


BOMB = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in itertools.pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"crop:\n  size: 48\n  size: 64\n", "params.yaml:3: not YAML: duplicate key 'size'"),
        (BOMB.encode(), "not YAML: more than 100,000 values"),
        (b"crop: &a {size: *a}", "not YAML: more than 100,000 values"),
        (b"[" * 5000, "nested too deeply"),
        (b"crop: " + b"9" * 5000, "params.yaml: Exceeds the limit"),
        (b"crop: 2026-13-45", "params.yaml: month must be in 1..12"),
        (b"crop: \xe9", "not YAML: 'utf-8' codec can't decode byte 0xe9"),
        (b"crop: !!python/object:os.system {}", "params.yaml:1: not YAML: could not determine"),
    ],
)
def test_hostile_yaml_is_an_error_of_one_line(tmp_path: Path, text: bytes, expected: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(text)
    with pytest.raises(ConfigError) as error:
        config.load_all(path)
    assert expected in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_aliases_and_merged_mappings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n")
    assert config.load_yaml(path) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file; run from the project's top folder"):
        config.load_all(tmp_path / "params.yaml")


def test_an_unlike_name_gets_no_suggestion() -> None:
    message = config.unknown_name("network", "xyz", ["onet"])
    assert "did you mean" not in message
    assert message.endswith("Valid: onet")


def test_nested_names_are_joined_by_dots() -> None:
    assert config.flatten({"a": {"b": 1, "c": {"d": 2}}, "e": 3}) == {
        "a.b": 1,
        "a.c.d": 2,
        "e": 3,
    }


@dataclass(frozen=True)
class _Open:
    either: int | str
    named: dict[str, list[str]]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"either": 68, "named": {}}, None),
        ({"either": "x", "named": {"a": ["b"], "c": []}}, None),
        ({"either": True, "named": {}}, "x.either is True, expected an integer or a string"),
        ({"either": 1.0, "named": {}}, "x.either is 1.0, expected an integer or a string"),
        ({"either": 1, "named": {5: []}}, "x.named is {5: []}, expected a mapping"),
        ({"either": 1, "named": {"a": "b"}}, "x.named.a is 'b', expected a list"),
    ],
)
def test_mappings_and_alternatives_are_checked(values: dict[str, Any], words: str | None) -> None:
    path = Path("p.yaml")
    if words is None:
        assert vars(config.convert(values, _Open, "x", path)) == values
        return
    with pytest.raises(ConfigError, match=rf"^p\.yaml: {re.escape(words)}"):
        config.convert(values, _Open, "x", path)
