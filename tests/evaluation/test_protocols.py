"""The protocols of published data sets, by numbers that are worked out by hand."""

import numpy as np
import pytest

from facealign.core.errors import InputError
from facealign.core.faces import Faces
from facealign.core.schemes.published import SCHEMES
from facealign.evaluation import metrics, protocols, scoring
from facealign.evaluation.scoring import Ced

CONFIG = Ced(resamples=100, seed=1)


def shapes(count: int) -> np.ndarray:
    """Two faces whose points lie in a box of 300 x 400 and one of half that."""
    points = np.zeros((count, 2))
    points[0], points[-1] = (0, 0), (300, 400)
    left, right = (list(row) for row in SCHEMES[count].eyes)
    points[left], points[right] = (100, 100), (180, 160)  # 100 apart
    return np.stack([points, points / 2])


def measured(points: np.ndarray, shift: float, **columns: list[str]) -> scoring.Tested:
    names = [f"a/test/{number}.jpg" for number in range(len(points))]
    faces = Faces.of(names, points=points, attributes=[""] * len(points)).with_columns(**columns)
    return scoring.Tested(faces, points + [shift, 0], np.full(points.shape[:2], shift))


@pytest.mark.parametrize(
    ("norm", "count", "lengths"),
    [
        ("eyes", 98, [100, 50]),
        ("eyes", 68, [100, 50]),
        ("diagonal", 68, [500, 250]),
        ("points", 68, [np.sqrt(120_000), np.sqrt(30_000)]),
    ],
)
def test_what_errors_are_divided_by(norm: str, count: int, lengths: list[float]) -> None:
    np.testing.assert_allclose(protocols.NORMS[norm].lengths(shapes(count)), lengths)


def test_the_eyes_of_wflw_are_its_points_60_and_72() -> None:
    points = np.zeros((1, 98, 2))
    points[0, 72] = (3, 4)
    assert protocols.NORMS["eyes"].lengths(points).tolist() == [5]


def test_pupils_are_means_of_the_eyelids_or_points_of_their_own() -> None:
    points = np.zeros((1, 68, 2))
    points[0, 42:48] = (6, 8)
    points[0, 42] += (6, 0)
    assert protocols.NORMS["pupils"].lengths(points) == pytest.approx(np.hypot(7, 8))
    points = np.zeros((1, 29, 2))
    points[0, 17] = (3, 4)
    assert protocols.NORMS["pupils"].lengths(points).tolist() == [5]


def test_figures_for_all_and_for_each_attribute() -> None:
    one = measured(shapes(98), 6.0, attributes=["pose;blur", "blur"])  # 0.06 and 0.12
    gone = Faces.of(["a/test/9.jpg"], points=shapes(98)[:1], attributes=["blur;occlusion"])
    results = protocols.measure("wflw", {"model": one}, gone, CONFIG)
    assert list(results) == ["a"]  # the only data set is not repeated as all
    assert list(results["a"]) == ["all", "blur", "pose", "occlusion"]
    everyone = results["a"]["all"]["eyes"]["model"]
    assert everyone["nme"] == pytest.approx(0.09)
    assert everyone["fr"] == 0.5
    assert everyone["auc"] == pytest.approx(0.4 / 2)
    assert everyone["fr_all"] == pytest.approx(2 / 3)
    assert everyone["auc_all"] == pytest.approx(0.4 / 3)
    assert (everyone["images"], everyone["undetected"]) == (2, 1)
    assert everyone["nme_ci95"] == pytest.approx([0.06, 0.12])
    assert everyone["fr_ci95"] == [0, 1] and everyone["auc_ci95"] == pytest.approx([0, 0.4])
    assert results["a"]["blur"]["eyes"]["model"] == everyone
    pose = results["a"]["pose"]["eyes"]["model"]
    assert pose["nme"] == pytest.approx(0.06) and pose["images"] == 1 and pose["undetected"] == 0
    lost = results["a"]["occlusion"]["eyes"]["model"]
    assert lost["nme"] is None and lost["auc"] is None and lost["nme_ci95"] is None
    assert (lost["images"], lost["undetected"], lost["fr_all"], lost["auc_all"]) == (0, 1, 1, 0)


def test_several_data_sets_are_given_together_too() -> None:
    one = measured(shapes(68), 2.0, dataset=["a", "b"])
    results = protocols.measure("300w", {"model": one}, one.faces.subset(slice(0)), CONFIG)
    assert list(results) == ["a", "b", "all"]
    counts = [its["all"]["eyes"]["model"]["images"] for its in results.values()]
    assert counts == [1, 1, 2]


def test_errors_of_the_curve_are_those_of_the_norm() -> None:
    one = measured(shapes(68), 5.0)
    curve = protocols.normalised({"model": one}, "diagonal")["model"]
    np.testing.assert_allclose(curve.errors, [0.01, 0.02])
    assert metrics.auc(curve.errors, protocols.PROTOCOLS["menpo"].limit) == pytest.approx(0.5)


@pytest.mark.parametrize("name", protocols.PROTOCOLS)
def test_faces_of_other_points_are_refused(name: str) -> None:
    wanted = protocols.PROTOCOLS[name].count
    protocols.require(name, Faces.of(["a"], points=np.zeros((1, wanted, 2))))
    with pytest.raises(InputError) as refused:
        protocols.require(name, Faces.of(["a"], points=np.zeros((1, 5, 2))))
    said = f"--protocol {name} is defined by {wanted} points ({SCHEMES[wanted].name}), "
    assert str(refused.value) == said + "the faces have 5 (eyes, nose, mouth)"
