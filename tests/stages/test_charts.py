"""The charts of `dvc plots`, drawn by the real dvc from the files of the stage `ced`."""

import json
import shutil
from typing import Any

import numpy as np
import pytest
import yaml

from facealign.core.faces import DLIB_TRAINED, METHOD_NAMES, Faces
from facealign.evaluation import scoring
from tests.helpers import ROOT, Project

pytestmark = pytest.mark.slow
CHARTS = ["CED 300W", "CED Menpo", "CED all", "Error by region"]
NAMES = ["300W/test/a.png", "300W/test/b.png", "Menpo/test/c.png"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Of the charts and their templates only."""
    folder = tmp_path_factory.mktemp("charts")
    made = Project(folder)
    made.run("git", "init", "-q")
    made.run("dvc", "init", "-q")
    shutil.copytree(ROOT / ".dvc" / "plots", folder / ".dvc" / "plots", dirs_exist_ok=True)
    every = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["plots"]
    own = [chart for chart in every if not isinstance(chart, str) and {*chart} & {*CHARTS}]
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"plots": own}), encoding="utf-8")
    return made


def drawn(repository: Project, face: np.ndarray, off: dict[str, int]) -> dict[str, Any]:
    """What dvc draws of methods whose points are off by so many pixels; it warns of nothing."""
    plots = repository.folder / "plots"
    shutil.rmtree(plots, ignore_errors=True)
    points = np.stack([face + 100] * len(NAMES))
    faces = Faces.of(NAMES, box=np.full((len(NAMES), 4), (0.0, 0, 180, 180)), points=points)
    predicted = {name: faces.with_columns(points=points + (by, 0)) for name, by in off.items()}
    tested = scoring.measure(faces, predicted)
    scoring.write(tested, repository.folder / "errors.csv", plots / "ced", plots / "regions")
    said = repository.run("dvc", "plots", "show", "--json")
    assert "failed" not in said and "WARNING" not in said
    charts = json.loads(said)["data"]
    assert sorted(charts) == sorted(CHARTS)
    return {name: chart["content"] for name, [chart] in charts.items()}


def methods(chart: Any) -> set[str]:
    return {point["filename"] for point in chart["data"]["values"]}


def test_dlib_trained_here_is_a_curve_of_its_own_in_each_chart(
    repository: Project, face: np.ndarray
) -> None:
    two = drawn(repository, face, {"model": 2, "dlib": 3})
    three = drawn(repository, face, {"model": 2, "dlib": 3, DLIB_TRAINED: 5})
    for name in CHARTS:
        before, after = methods(two[name]), methods(three[name])
        assert len(before) == 2 and len(after) == 3
        [curve] = after - before
        assert DLIB_TRAINED in curve
        mark = three[name]["encoding"].get("strokeDash") or three[name]["encoding"]["shape"]
        assert len(mark["scale"]["range"]) == len(scoring.CHARTED)
        assert f"'{DLIB_TRAINED}', '{METHOD_NAMES[DLIB_TRAINED]}'" in mark["legend"]["labelExpr"]
        # the two others are drawn as before
        kept = [one for one in three[name]["data"]["values"] if one["filename"] in before]
        assert kept == two[name]["data"]["values"]
        assert three[name]["encoding"] == two[name]["encoding"]
