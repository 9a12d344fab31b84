from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from facealign.core import points, tables
from facealign.core.errors import FacealignError
from facealign.core.tables import Table
from facealign.evaluation import scoring
from facealign.evaluation.scoring import Ced

CED = Ced(resamples=100, seed=1)
TESTED = ["Menpo/test/a.jpg", "300W/test/b.jpg", "300W/test/a.jpg"]
LOST = "300W/test/lost.jpg"


def stored(
    path: Path, columns: dict[str, list[str] | list[float]], points: np.ndarray | None = None
) -> Table:
    tables.write(path, columns, points)
    return tables.read(path)


def shifted(face: np.ndarray, *distances: float) -> np.ndarray:
    """A face for each distance, all its points moved by it to the right."""
    return np.array([face + (distance, 0) for distance in distances])


@pytest.fixture
def truth(tmp_path: Path, face: np.ndarray) -> Table:
    images = ["300W/test/a.jpg", "300W/train/a.jpg", "300W/test/b.jpg", LOST, "Menpo/test/a.jpg"]
    columns: dict[str, list[str] | list[float]] = {
        "image": images,
        "dataset": [image.split("/")[0] for image in images],
        "split": [image.split("/")[1] for image in images],
    }
    return stored(tmp_path / "index.csv", columns, shifted(face, 100, 200, 300, 400, 500))


@pytest.fixture
def boxes(tmp_path: Path) -> Table:
    """Of sizes 60, 40 and 100, in the order of TESTED, and one of a train picture between them."""
    images = [TESTED[0], "300W/train/a.jpg", *TESTED[1:]]
    columns: dict[str, list[str] | list[float]] = {
        "image": images,
        "left": [10.0, 0.0, 0.0, -50.0],
        "top": [10.0, 0.0, 0.0, 5.0],
        "right": [50.0, 1.0, 40.0, 50.0],
        "bottom": [100.0, 1.0, 40.0, 105.0],
    }
    return stored(tmp_path / "boxes.csv", columns)


@pytest.fixture
def predicted(tmp_path: Path, face: np.ndarray) -> Table:
    """Off by 4, 3 and 2 px, in an order that no other table has."""
    columns: dict[str, list[str] | list[float]] = {"image": [TESTED[1], TESTED[2], TESTED[0]]}
    return stored(tmp_path / "model.csv", columns, shifted(face, 304, 103, 502))


def test_errors_are_matched_by_name_and_divided_by_their_own_box(
    truth: Table, boxes: Table, predicted: Table
) -> None:
    scored = scoring.score(scoring.measure(truth, boxes, predicted))
    assert list(scored) == ["300W", "Menpo", "all"]
    assert scored["300W"].errors == pytest.approx([4 / 40, 3 / 100])
    assert scored["Menpo"].errors == pytest.approx([2 / 60])
    assert scored["all"].errors == pytest.approx([2 / 60, 4 / 40, 3 / 100])


def test_errors_are_also_divided_by_the_true_eyes_distance(
    truth: Table, boxes: Table, predicted: Table
) -> None:
    scored = scoring.score(scoring.measure(truth, boxes, predicted))
    assert scored["300W"].interocular == pytest.approx([0.04, 0.03])  # the corners are 100 px apart
    assert scored["all"].interocular == pytest.approx([0.02, 0.04, 0.03])


def test_the_parts_of_a_face_have_errors_of_their_own(
    tmp_path: Path, face: np.ndarray, truth: Table, boxes: Table
) -> None:
    off = shifted(face, 300)
    off[0, points.REGIONS["mouth"]] += (0, 5)
    table = stored(tmp_path / "mouth.csv", {"image": TESTED[1:2]}, off)
    one = stored(
        tmp_path / "box.csv",
        {"image": TESTED[1:2], "left": [0.0], "top": [0.0], "right": [40.0], "bottom": [90.0]},
    )
    parts = scoring.by_region(scoring.measure(truth, one, table))
    assert parts.pop("mouth") == pytest.approx([5 / 60])
    assert parts.keys() == {"jaw", "brows", "nose", "eyes"}
    assert all(errors == pytest.approx([0]) for errors in parts.values())


def test_five_points_have_no_parts(
    tmp_path: Path, face: np.ndarray, truth: Table, boxes: Table
) -> None:
    table = stored(tmp_path / "five.csv", {"image": TESTED}, shifted(face, 500, 300, 100)[:, :5])
    assert scoring.by_region(scoring.measure(truth, boxes, table)) == {}


def test_a_missing_prediction_is_an_error(
    tmp_path: Path, face: np.ndarray, truth: Table, boxes: Table
) -> None:
    few = stored(tmp_path / "few.csv", {"image": TESTED[:1]}, shifted(face, 500))
    with pytest.raises(FacealignError, match=r"few\.csv: no row for 300W/test/b\.jpg and 1 more"):
        scoring.score(scoring.measure(truth, boxes, few))


def test_test_images_without_a_box_are_counted_per_data_set(truth: Table, boxes: Table) -> None:
    assert scoring.undetected(truth, boxes) == {"300W": 1, "Menpo": 0}


def test_the_summary_has_each_data_set_and_all_for_each_method(
    truth: Table, boxes: Table, predicted: Table
) -> None:
    model = scoring.score(scoring.measure(truth, boxes, predicted))
    exact = scoring.score(scoring.measure(truth, boxes, truth))
    lost = scoring.undetected(truth, boxes)
    summary = scoring.summarise({"model": model, "exact": exact}, lost, CED)
    assert {name: list(methods) for name, methods in summary.items()} == {
        "300W": ["model", "exact"],
        "Menpo": ["model", "exact"],
        "all": ["model", "exact"],
    }
    of_300w, of_all = summary["300W"]["model"], summary["all"]["model"]
    assert of_300w["nme"] == pytest.approx(0.065)
    assert of_300w["auc_08"] == pytest.approx(0.625 / 2)  # 0.03 leaves 5/8 of 0.08, 0.1 nothing
    assert of_300w["auc_08_all"] == pytest.approx(0.625 / 3)
    assert of_300w["fr_08"] == 0.5
    assert (of_300w["images"], of_300w["undetected"]) == (2, 1)
    assert (of_all["images"], of_all["undetected"]) == (3, 1)
    assert of_all["nme_interocular"] == pytest.approx(0.03)
    assert summary["all"]["exact"]["auc_08"] == 1


def test_a_data_set_without_any_rectangle_is_summed_up_as_a_failure() -> None:
    nothing = scoring.Scored(np.empty(0), np.empty(0))
    summary = scoring.summarise({"model": {"all": nothing}}, Counter({"Menpo": 4}), CED)
    for dataset in ("Menpo", "all"):
        figures = summary[dataset]["model"]
        assert (figures["nme"], figures["undetected"], figures["auc_08_all"]) == (None, 4, 0)
