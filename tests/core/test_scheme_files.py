"""A user's scheme: its YAML file, and how stages and networks hand it on."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from facealign.core import points
from facealign.core.errors import ConfigError, ModelError
from facealign.core.points import count_named, eyes, mirror, scheme_of, select, source_of
from facealign.core.schemes import files
from tests.helpers import ROOT

EXAMPLE = ROOT / "schemes" / "example.yaml"
VALUES = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def no_other_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "_own", {})


def test_the_example_says_what_its_points_stand_for() -> None:
    scheme = files.find("schemes/example.yaml", Path("schemes"))
    assert scheme_of(8) is scheme and scheme.name == "corners"
    assert mirror(8).tolist() == [3, 2, 1, 0, 4, 6, 5, 7]
    assert scheme.regions == {"eyes": (0, 1, 2, 3), "mouth": (5, 6), "rest": (4, 7)}
    face = np.arange(16.0).reshape(8, 2)
    np.testing.assert_array_equal(eyes(face), face[[0, 3]])
    np.testing.assert_array_equal(select(face, 5)[0], face[:2].mean(axis=0))
    np.testing.assert_array_equal(select(face, 5)[1:], [(5, 6), (8, 9), (10, 11), (12, 13)])


@pytest.mark.parametrize("count", [68, 5, 98])
def test_a_published_scheme_is_found_by_its_number_and_handed_on(
    tmp_path: Path, count: int
) -> None:
    scheme = files.find(count, Path("schemes"))
    files.write(scheme, tmp_path / "scheme.json")
    assert files.adopt(tmp_path / "scheme.json") is scheme_of(count) is scheme


def test_a_users_scheme_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scheme = files.find("schemes/example.yaml", Path("schemes"))
    files.write(scheme, tmp_path / "scheme.json")
    text = json.dumps(source_of(8))
    # a network does not know the file, which lies elsewhere on another machine
    for read, file in ((files.adopt, scheme.file), (lambda path: files.of_text(text, path), "")):
        monkeypatch.setattr(points, "_own", {})
        again = read(tmp_path / "scheme.json")
        assert scheme_of(8) is again and again is not scheme
        assert vars(again) == vars(scheme) | {"file": file}
        assert again.source == VALUES


def test_a_scheme_is_known_by_its_file_whoever_else_knows_it(tmp_path: Path) -> None:
    words = r"train\.points is 'schemes/example\.yaml', expected a number of points or the file of"
    with pytest.raises(ConfigError, match=f"{words} data\\.points$"):
        count_named("schemes/example.yaml", "train.points")
    network = json.dumps(VALUES)
    files.of_text(network, Path("mine.onnx"))
    files.write(files.find("schemes/example.yaml", Path("schemes")), tmp_path / "scheme.json")
    files.adopt(tmp_path / "scheme.json")
    files.of_text(network, Path("mine.onnx"))
    assert count_named("schemes/example.yaml", "train.points") == 8
    assert count_named(68, "train.points") == 68
    with pytest.raises(ConfigError, match=r"data\.points, schemes/example\.yaml$"):
        count_named("schemes/mine.yaml", "train.points")


@pytest.mark.parametrize("wanted", [67, 0, "other/mine.yaml", "schemes/../mine.yaml", "mine"])
def test_a_scheme_that_is_not_there_is_refused(wanted: int | str) -> None:
    with pytest.raises(ConfigError, match=r"^params\.yaml: data\.points is .+schemes/$"):
        files.find(wanted, Path("schemes"))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^schemes/gone\.yaml: no such file"):
        files.find("schemes/gone.yaml", Path("schemes"))


Change = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda its: its.pop("eyes"), "missing parameters: scheme.eyes"),
        (lambda its: its.update(colour=1), "scheme: unknown parameter 'colour'"),
        (lambda its: its.update(name=5), "scheme.name is 5, expected a string"),
        (lambda its: its.update(points=[]), "scheme.points is [], expected a list of at least one"),
        (lambda its: its.update(points=["a"]), "scheme.points: 1 names, expected 2 to 999"),
        (lambda its: its["points"].append("chin"), "scheme.points: 'chin' is there twice"),
        (lambda its: its["points"].append("a\nb"), "scheme.points: 'a\\nb', expected up to 64"),
        (
            lambda its: (
                its.update(points=[f"p{i}" for i in range(68)], mirror=[], lines=[])
                or its.update(regions={}, eyes=[["p0"], ["p0"]], five=[])
            ),
            "scheme.points: corners: a scheme of 68 points, as iBUG is",
        ),
        (lambda its: its["mirror"][0].append("chin"), "scheme.mirror[0]: 3 points, expected 2"),
        (
            lambda its: its["mirror"].append(["chin", "left outer"]),
            "scheme.mirror: 'left outer' is there twice",
        ),
        (
            lambda its: its["mirror"].append(["chin", "chins"]),
            "scheme.mirror[3]: unknown point 'chins', did you mean chin?",
        ),
        (lambda its: its.update(regions=[]), "scheme.regions is [], expected a mapping"),
        (
            lambda its: its["regions"].update(nose=["nose"]),
            "scheme.regions: 'nose' is there twice",
        ),
        (
            lambda its: its["regions"].update(eyes="chin"),
            "scheme.regions.eyes is 'chin', expected a list",
        ),
        (lambda its: its["eyes"].pop(), "scheme.eyes: 1 lists, expected 2"),
        (
            lambda its: its["eyes"].reverse() or its["eyes"][0].append("nose"),
            "scheme.eyes: right outer, nose and left outer are no mirror images",
        ),
        (lambda its: its["five"].pop(), "scheme.five: 4 lists, expected 5"),
        (
            lambda its: its["five"].insert(0, its["five"].pop()),
            "scheme.five: right mouth and left outer, left inner are no mirror images",
        ),
        (
            lambda its: its["lines"].append(["chin", "brow"]),
            "scheme.lines[3]: unknown point 'brow'",
        ),
    ],
)
def test_a_damaged_file_is_an_error_that_names_the_file_and_the_key(
    tmp_path: Path, change: Change, words: str
) -> None:
    values = copy.deepcopy(VALUES)
    change(values)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        files.find(str(path), tmp_path)
    assert str(error.value).startswith(f"{path}: {words}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["{", "5", '{"name": 5}', "[" * 100_000])
def test_a_network_with_a_damaged_scheme_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"^odd\.onnx: its scheme: "):
        files.of_text(text, Path("odd.onnx"))
