from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from facealign.core import tables
from facealign.core.errors import InputError
from facealign.core.faces import TRUTH, Faces
from facealign.core.points import scheme_of, select
from facealign.core.schemes.scheme import Scheme
from facealign.evaluation import scoring, subgroups
from facealign.evaluation.scoring import Ced
from tests.helpers import as_wflw

CED = Ced(resamples=100, seed=1)
TESTED = ["Menpo/test/a.jpg", "300W/test/b.jpg", "300W/test/a.jpg"]
LOST = "300W/test/lost.jpg"


def shifted(face: np.ndarray, *distances: float) -> np.ndarray:
    """A face for each distance, all its points moved by it to the right."""
    return np.array([face + (distance, 0) for distance in distances])


@pytest.fixture
def truth(face: np.ndarray) -> Faces:
    images = ["300W/test/a.jpg", "300W/train/a.jpg", "300W/test/b.jpg", LOST, "Menpo/test/a.jpg"]
    return Faces.of(images, points=shifted(face, 100, 200, 300, 400, 500))


@pytest.fixture
def boxes() -> Faces:
    """Of sizes 60, 40 and 100, in the order of TESTED, and one of a train picture between them."""
    corners = [[10.0, 10, 50, 100], [0, 0, 1, 1], [0, 0, 40, 40], [-50, 5, 50, 105]]
    return Faces.of([TESTED[0], "300W/train/a.jpg", *TESTED[1:]], box=np.array(corners))


@pytest.fixture
def boxed(truth: Faces, boxes: Faces) -> Faces:
    return boxes.join(truth).where(split="test")


@pytest.fixture
def predicted(face: np.ndarray) -> Faces:
    """Off by 4, 3 and 2 px, in an order that no other table has."""
    images = [TESTED[1], TESTED[2], TESTED[0]]
    return Faces.of(images, points=shifted(face, 304, 103, 502))


def measured(faces: Faces, predicted: Faces) -> scoring.Tested:
    return scoring.measure(faces, {"model": predicted})["model"]


def test_the_folder_of_baselines_names_the_methods(tmp_path: Path, predicted: Faces) -> None:
    for name in ("model", "others/dlib-trained", "others/dlib"):
        predicted.write(tmp_path / f"{name}.csv", "points")
    found = scoring.predictions(tmp_path / "model.csv", tmp_path / "others")
    assert list(found) == ["model", "dlib", "dlib-trained"]
    assert found["dlib"].images == predicted.images


def test_errors_are_matched_by_name_and_divided_by_their_own_box(
    boxed: Faces, predicted: Faces
) -> None:
    scored = scoring.by_dataset({"model": measured(boxed, predicted)})
    assert list(scored) == ["300W", "Menpo", "all"]
    assert scored["300W"]["model"] == pytest.approx([4 / 40, 3 / 100])
    assert scored["Menpo"]["model"] == pytest.approx([2 / 60])
    assert scored["all"]["model"] == pytest.approx([2 / 60, 4 / 40, 3 / 100])


def test_errors_are_also_divided_by_the_true_eyes_distance(boxed: Faces, predicted: Faces) -> None:
    # the corners are 100 px apart
    assert measured(boxed, predicted).interocular == pytest.approx([0.02, 0.04, 0.03])


def test_the_parts_of_a_face_have_errors_of_their_own(boxed: Faces, face: np.ndarray) -> None:
    off = shifted(face, 300)
    off[0, scheme_of(68).regions["mouth"]] += (0, 5)
    one = boxed.subset(slice(1, 2)).with_columns(box=np.array([[0.0, 0, 40, 90]]))
    parts = scoring.by_region(measured(one, one.with_columns(points=off)))
    assert parts.pop("mouth") == pytest.approx([5 / 60])
    assert parts.keys() == {"jaw", "brows", "nose", "eyes"}
    assert all(errors == pytest.approx([0]) for errors in parts.values())


def test_where_a_method_has_five_points_all_are_measured_on_five(
    boxed: Faces, predicted: Faces, face: np.ndarray
) -> None:
    five = boxed.with_columns(points=select(boxed.points, 5) + (0, 6))
    both = scoring.measure(boxed, {"five": five, "all": predicted})
    assert scoring.by_region(both["five"]) == scoring.by_region(both["all"]) == {}
    assert both["five"].errors == pytest.approx([6 / 60, 6 / 40, 6 / 100])
    assert both["all"].errors == pytest.approx([2 / 60, 4 / 40, 3 / 100])


def test_a_missing_prediction_is_an_error(boxed: Faces, predicted: Faces) -> None:
    with pytest.raises(InputError, match=r"no row for 300W/test/b\.jpg and 1 more"):
        scoring.measure(boxed, {"model": predicted.subset(slice(2, 3))})


def test_test_images_without_a_box_are_counted_per_data_set(truth: Faces, boxes: Faces) -> None:
    assert scoring.undetected(truth, boxes) == {"300W": 1, "Menpo": 0}


def test_what_the_detector_missed_is_counted_per_data_set_and_split(
    truth: Faces, boxes: Faces
) -> None:
    sources = [TRUTH if "train" in image else "upsample 0" for image in boxes.images]
    assert scoring.detection(truth, boxes.with_columns(source=sources)) == {
        "300W": {
            "test": {"faces": 3, "found": 2, "missed": 1, "box_from_points": 0},
            "train": {"faces": 1, "found": 0, "missed": 1, "box_from_points": 1},
        },
        "Menpo": {"test": {"faces": 1, "found": 1, "missed": 0, "box_from_points": 0}},
    }


def test_the_summary_has_each_data_set_and_all_for_each_method(
    truth: Faces, boxes: Faces, boxed: Faces, predicted: Faces
) -> None:
    methods = scoring.measure(boxed, {"model": predicted, "exact": truth})
    summary = scoring.summarise(methods, scoring.undetected(truth, boxes), CED)
    assert {name: list(its) for name, its in summary.items()} == {
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


def test_a_data_set_without_any_rectangle_is_summed_up_as_a_failure(
    boxed: Faces, predicted: Faces
) -> None:
    nothing = boxed.subset(slice(0))
    methods = scoring.measure(nothing, {"model": predicted})
    summary = scoring.summarise(methods, Counter({"Menpo": 4}), CED)
    for dataset in ("Menpo", "all"):
        figures = summary[dataset]["model"]
        assert (figures["nme"], figures["undetected"], figures["auc_08_all"]) == (None, 4, 0)
    board = scoring.leaderboard(methods, summary["all"], CED)
    assert board == {"model": {"rank": 1, "auc_08_all": 0, "against": {}}}


def test_the_leaderboard_has_the_best_first_and_each_against_those_behind_it(
    truth: Faces, boxes: Faces, boxed: Faces, predicted: Faces, face: np.ndarray
) -> None:
    lost = Faces.of([*TESTED], points=shifted(face, 700, 700, 700))
    methods = scoring.measure(boxed, {"model": predicted, "exact": truth, "lost": lost})
    summary = scoring.summarise(methods, scoring.undetected(truth, boxes), CED)
    board = scoring.leaderboard(methods, summary["all"], CED)
    assert list(board) == ["exact", "model", "lost"]
    assert [its["rank"] for its in board.values()] == [1, 2, 3]
    assert list(board["exact"]["against"]) == ["model", "lost"]
    ahead = board["exact"]["against"]["model"]
    behind = summary["all"]["model"]["auc_08"]
    assert behind is not None and ahead["auc_08"] == pytest.approx(1 - behind)
    assert ahead["ci95"][0] <= ahead["auc_08"] <= ahead["ci95"][1]
    assert board["lost"]["against"] == {}


def test_the_files_have_a_curve_for_each_data_set_and_no_regions_without_an_image(
    boxed: Faces, predicted: Faces, tmp_path: Path
) -> None:
    for name, faces in (("all", boxed), ("none", boxed.subset(slice(0)))):
        out = tmp_path / name
        methods = scoring.measure(faces, {"model": predicted})
        scoring.write(methods, out / "errors.csv", out / "ced", out / "regions")
    errors, curve, regions = (
        tables.read(tmp_path / "all" / name)
        for name in ("errors.csv", "ced/Menpo_model.csv", "regions/model.csv")
    )
    assert errors["image"] == TESTED
    assert errors.numbers("model")[:, 0] == pytest.approx([2 / 60, 4 / 40, 3 / 100])
    assert curve.numbers("share")[:, 0].tolist() == [0, 1, 1]
    assert regions["region"] == [*scheme_of(68).regions]
    curves = {f"all_{method}.csv" for method in scoring.CHARTED}
    assert {path.name for path in (tmp_path / "none" / "ced").iterdir()} == curves
    assert len(tables.read(tmp_path / "none" / "regions" / "model.csv")) == 0


def test_a_method_of_the_charts_that_was_not_tested_has_files_without_rows(
    boxed: Faces, predicted: Faces, tmp_path: Path
) -> None:
    methods = scoring.measure(boxed, {"model": predicted, "dlib": predicted})
    scoring.write(methods, tmp_path / "errors.csv", tmp_path / "ced", tmp_path / "regions")
    assert tables.read(tmp_path / "errors.csv").columns.keys() == {"image", "model", "dlib"}
    empty = {
        path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8")
        for path in tmp_path.rglob("*.csv")
        if not len(tables.read(path))
    }
    curves = [f"ced/{dataset}_dlib-trained.csv" for dataset in ("300W", "Menpo", "all")]
    expected = dict.fromkeys(curves, "error,share\n")
    assert empty == expected | {"regions/dlib-trained.csv": "region,error\n"}


def test_subgroups_have_the_figures_of_their_faces(boxed: Faces, predicted: Faces) -> None:
    methods = scoring.measure(boxed, {"model": predicted})
    groups = subgroups.summarise(methods, np.array([0.3, 0.1, 0.2]), CED)
    assert list(groups) == ["yaw", "sharpness", "size"]
    nmes = {name: its["model"]["nme"] for name, its in groups["sharpness"].items()}
    assert nmes == pytest.approx({"least": 4 / 40, "middle": 3 / 100, "most": 2 / 60})


def test_other_schemes_are_measured_in_the_richest_one_in_common(
    boxed: Faces, predicted: Faces
) -> None:
    """Truth and network have 98 points, dlib 68: both are measured as on 68 alone."""
    ibug = scoring.measure(boxed, {"model": predicted, "dlib": predicted})
    wide = [faces.with_columns(points=as_wflw(faces.points)) for faces in (boxed, predicted)]
    both = scoring.measure(wide[0], {"model": wide[1], "dlib": predicted})
    for name in ("model", "dlib"):
        np.testing.assert_array_equal(both[name].errors, ibug[name].errors)
        parts = scoring.by_region(both[name])
        assert all((parts[key] == its).all() for key, its in scoring.by_region(ibug[name]).items())
    alone = scoring.measure(wide[0], {"model": wide[1]})["model"]
    assert alone.distances.shape[1] == 98
    np.testing.assert_allclose(alone.interocular, ibug["model"].interocular)


def test_a_method_without_a_scheme_in_common_is_left_out_but_not_the_first(
    boxed: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "facealign.core.points._own", {3: Scheme("ears", (1, 0, 2), {}, ((0,), (1,)))}
    )
    ears = boxed.with_columns(points=np.ones((len(boxed), 3, 2)))
    assert list(scoring.measure(ears, {"model": ears, "dlib": boxed})) == ["model"]
    with pytest.raises(InputError, match=r"68 points \(iBUG\) and 3 points \(ears\) cannot be"):
        scoring.measure(boxed, {"model": ears, "dlib": boxed})
