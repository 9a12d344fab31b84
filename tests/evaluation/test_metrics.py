import numpy as np
import pytest

from facealign.evaluation import metrics

ERRORS = np.array([0.02, 0.04, 0.09, 0.06])
UNEVEN = np.random.default_rng(3).gamma(4, 0.012, 200)  # from 0.01 to 0.12, like real errors


def test_the_error_of_an_image_is_its_points_mean_distance() -> None:
    truth = np.zeros((2, 2, 2))
    predicted = np.array([[[3.0, 4.0], [0.0, 1.0]], [[-6.0, 8.0], [5.0, -12.0]]])
    assert metrics.mean_distances(predicted, truth).tolist() == [3, 11.5]
    assert metrics.mean_distances(predicted, predicted + (0, 2)).tolist() == [2, 2]


def test_the_interocular_distance_is_that_of_the_outer_eye_corners() -> None:
    truth = np.zeros((1, 68, 2))
    truth[0, 36], truth[0, 45] = (10, 10), (40, 50)
    assert metrics.interocular(truth).tolist() == [50]


def test_the_area_under_the_curve_is_what_each_error_leaves_of_the_limit() -> None:
    # 3/4, 1/2, nothing and 1/4 of the limit lie above the errors
    assert metrics.auc(ERRORS, 0.08) == pytest.approx(1.5 / 4)
    assert metrics.auc(np.zeros(3), 0.08) == 1
    assert metrics.auc(np.array([0.08, 5.0]), 0.08) == 0


@pytest.mark.parametrize("limit", [0.03, 0.08, 1.0])
def test_the_area_equals_that_of_the_drawn_curve(limit: float) -> None:
    at, share = metrics.ced(UNEVEN)
    middles = (np.arange(200_000) + 0.5) * limit / 200_000
    height = share[np.searchsorted(at, middles, side="right") - 1]
    assert metrics.auc(UNEVEN, limit) == pytest.approx(height.mean(), abs=1e-5)


def test_an_error_at_the_limit_is_a_failure() -> None:
    assert metrics.failure_rate(ERRORS, 0.08) == 0.25
    assert metrics.failure_rate(ERRORS, 0.06) == 0.5
    assert metrics.failure_rate(ERRORS, 0.1) == 0


def test_the_curve_rises_by_one_image_at_each_error() -> None:
    at, share = metrics.ced(ERRORS)
    assert at.tolist() == [0, 0.02, 0.04, 0.06, 0.09]
    assert share.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_the_curve_of_no_image_stays_at_zero() -> None:
    at, share = metrics.ced(np.empty(0))
    assert (at.tolist(), share.tolist()) == ([0], [0])


def test_the_interval_is_the_same_each_time_and_another_for_another_seed() -> None:
    assert metrics.bootstrap(UNEVEN, 300, 1) == metrics.bootstrap(UNEVEN, 300, 1)
    assert metrics.bootstrap(UNEVEN, 300, 1) != metrics.bootstrap(UNEVEN, 300, 2)


def test_the_interval_is_about_two_standard_errors_to_either_side_of_the_mean() -> None:
    low, high = metrics.bootstrap(UNEVEN, 2000, 1)
    error = UNEVEN.std() / len(UNEVEN) ** 0.5
    assert low == pytest.approx(UNEVEN.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(UNEVEN.mean() + 1.96 * error, abs=0.2 * error)


def test_the_interval_is_narrower_with_more_images() -> None:
    few, many = metrics.bootstrap(UNEVEN[:20], 500, 1), metrics.bootstrap(UNEVEN, 500, 1)
    assert many[1] - many[0] < 0.6 * (few[1] - few[0])


def test_images_that_agree_leave_no_doubt() -> None:
    assert metrics.bootstrap(np.full(9, 0.5), 100, 1) == [0.5, 0.5]


def test_a_method_compared_with_itself_shows_nothing() -> None:
    same = metrics.compare(ERRORS, ERRORS, resamples=200, seed=1)
    assert (same.value, same.ci95, same.p, same.real) == (0, (0, 0), 1, False)


def test_the_difference_is_that_of_the_areas() -> None:
    better, worse = np.array([0.02, 0.04, 0.2, 0.01]), np.array([0.04, 0.04, 0.1, 0.03])
    compared = metrics.compare(better, worse, resamples=200, seed=1)
    assert compared.value == pytest.approx((0.25 + 0 + 0 + 0.25) / 4)
    assert compared.ci95[0] < compared.value < compared.ci95[1]
    back = metrics.compare(worse, better, resamples=200, seed=1)
    assert (back.value, back.p) == pytest.approx((-compared.value, compared.p))


def test_small_gains_on_all_images_are_real_although_the_images_differ_widely() -> None:
    rng = np.random.default_rng(5)
    worse = rng.uniform(0.01, 0.07, 200)
    better = worse - rng.normal(0.001, 0.001, 200)
    assert metrics.compare(better, worse, resamples=2000, seed=1).p < 0.001


def test_chance_alone_seldom_looks_real() -> None:
    rng = np.random.default_rng(7)
    pairs = [rng.uniform(0.01, 0.07, (2, 60)) for _ in range(200)]
    found = sum(metrics.compare(one, two, resamples=300, seed=1).real for one, two in pairs)
    assert 2 <= found <= 20  # 10 expected


def test_the_curve_ends_at_the_limit() -> None:
    at, share = metrics.ced_to_limit(np.array([0.2, 0.01, 0.05]))
    assert at.tolist() == [0, 0.01, 0.05, metrics.LIMIT]
    assert share == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3])


def test_the_summary_holds_every_figure() -> None:
    summary = metrics.summarise(ERRORS, ERRORS * 2, undetected=2, resamples=200, seed=1)
    interval = summary["auc_08_ci95"]
    assert {name: value for name, value in summary.items() if value != interval} == pytest.approx(
        {
            "auc_08": 0.375,
            "auc_100": 0.9475,
            "fr_08": 0.25,
            "fr_100": 0,
            "nme": 0.0525,
            "nme_interocular": 0.105,
            "images": 4,
            "undetected": 2,
            "auc_08_all": 0.25,  # 1.5 shared by six faces
        }
    )
    assert interval is not None
    assert 0 <= interval[0] < 0.375 < interval[1] <= 0.75


@pytest.mark.parametrize(("undetected", "of_all"), [(0, None), (3, 0.0)])
def test_the_figures_of_no_image_are_null(undetected: int, of_all: float | None) -> None:
    empty = np.empty(0)
    summary = metrics.summarise(empty, empty, undetected, resamples=200, seed=1)
    full = metrics.summarise(ERRORS, ERRORS, 0, resamples=200, seed=1)
    assert summary.keys() == full.keys()
    assert {name: value for name, value in summary.items() if value is not None} == {
        "images": 0,
        "undetected": undetected,
    } | ({} if of_all is None else {"auc_08_all": of_all})
