import numpy as np
import pytest

from facealign.core.geometry import Affine, Box, box_sizes, crop_map, fitted_similarity, overlap

TURN = Affine.similarity(2, 90)


def random_map(rng: np.random.Generator) -> Affine:
    scale, degrees = rng.uniform(0.05, 20), rng.uniform(-180, 180)
    return Affine.similarity(scale, degrees) @ Affine.translation(*rng.uniform(-3000, 3000, 2))


def test_composition_applies_the_right_map_first() -> None:
    point = np.array([3.0, 4.0])
    shift = Affine.translation(10, 20)
    assert (shift @ TURN)(point) == pytest.approx([2, 26])  # turned: (-8, 6)
    assert (TURN @ shift)(point) == pytest.approx([-48, 26])  # shifted: (13, 24)


def test_positive_degrees_turn_x_towards_y() -> None:
    assert Affine.similarity(2, 30)(np.array([1.0, 0.0])) == pytest.approx([3**0.5, 1])


def test_a_map_moves_a_list_of_points_as_it_moves_each() -> None:
    points = np.array([[1.0, 0.0], [0.0, 1.0], [-2.0, 5.0]])
    np.testing.assert_allclose(TURN(points), [[0, 2], [-2, 0], [-10, -4]], atol=1e-12)


def test_the_identity_changes_nothing() -> None:
    np.testing.assert_array_equal((Affine.identity() @ TURN).matrix, TURN.matrix)


def test_the_inverse_leads_back_to_a_billionth_of_a_pixel() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        there, points = random_map(rng), rng.uniform(0, 4000, (68, 2))
        np.testing.assert_allclose(there.inverse()(there(points)), points, rtol=0, atol=1e-9)


def test_a_boxes_width_is_right_less_left() -> None:
    box = Box(10, 20, 49, 99)
    assert (box.width, box.height, box.centre) == (39, 79, (29.5, 59.5))


def test_a_box_holds_its_borders_and_nothing_beyond() -> None:
    box = Box(1, 2, 5, 8)
    points = np.array([[1, 2], [5, 8], [1, 8], [3, 5], [0.99, 5], [5.01, 5], [3, 1.99], [3, 8.01]])
    assert box.holds(points).tolist() == [True] * 4 + [False] * 4


def test_the_box_around_points_touches_the_outermost() -> None:
    assert Box.around(np.array([[3.0, 9.0], [-1.0, 4.0], [2.0, 5.0]])) == Box(-1, 4, 3, 9)


def test_the_boxes_centre_becomes_the_crops_centre() -> None:
    box = Box(100, 40, 180, 100)
    assert crop_map(box, 0.1, 48)(np.array(box.centre)) == pytest.approx([23.5, 23.5])


@pytest.mark.parametrize("box", [Box(100, 40, 180, 100), Box(100, 40, 160, 120)])
def test_the_boxes_longer_side_and_its_margins_fill_the_crop(box: Box) -> None:
    # 80 px and twice 25 % of them make 120 px, which become 60: two for one
    to_crop = crop_map(box, 0.25, 60)
    assert to_crop.matrix[:, :2] == pytest.approx(np.eye(2) / 2)
    corners = to_crop(np.array([[box.left, box.top], [box.right, box.bottom]]))
    assert np.ptp(corners, axis=0) == pytest.approx([box.width / 2, box.height / 2])


def test_a_crop_covers_its_pixels_to_their_outer_edges() -> None:
    # the box is 40 px from edge to edge about 39.5, so it covers the crop of 20 from -0.5 to 19.5
    to_crop = crop_map(Box(19.5, 19.5, 59.5, 59.5), 0, 20)
    edges = to_crop(np.array([[19.5, 19.5], [59.5, 59.5]]))
    np.testing.assert_allclose(edges, [[-0.5, -0.5], [19.5, 19.5]], atol=1e-12)


def test_to_the_crop_and_back_is_exact_to_a_billionth_of_a_pixel() -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        left, top, width, height = rng.uniform(20, 3300, 4)
        to_crop = crop_map(Box(left, top, left + width, top + height), rng.uniform(0, 0.5), 48)
        points = rng.uniform(0, 4000, (68, 2))
        np.testing.assert_allclose(to_crop.inverse()(to_crop(points)), points, rtol=0, atol=1e-9)


def test_the_size_of_a_box_is_the_root_of_its_area() -> None:
    boxes = np.array([[10.0, 20.0, 14.0, 29.0], [-3.0, 0.0, 5.0, 2.0]])
    assert box_sizes(boxes).tolist() == [6, 4]


def test_boxes_overlap_by_a_share_of_their_union() -> None:
    box = Box(0, 0, 10, 10)
    assert overlap(box, box) == 1
    assert overlap(box, Box(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert overlap(Box(5, 0, 15, 10), box) == pytest.approx(1 / 3)
    assert overlap(box, Box(10, 0, 20, 10)) == 0
    assert overlap(box, Box(20, 20, 30, 30)) == 0


def test_the_similarity_between_points_is_the_one_that_moved_them() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        moved, points = random_map(rng), rng.normal(size=(7, 2))
        found = fitted_similarity(points, moved(points))
        np.testing.assert_allclose(found.matrix, moved.matrix, rtol=1e-9, atol=1e-6)


def test_no_similarity_comes_closer_than_the_fitted_one() -> None:
    rng = np.random.default_rng(2)
    points, aims = rng.normal(size=(2, 7, 2))
    fitted = fitted_similarity(points, aims)
    best = np.square(fitted(points) - aims).sum()
    for degrees in (-1, 0, 1):
        for scale, step in ((0.99, (0, 0)), (1.01, (0, 0)), (1, (0.01, 0)), (1, (0, -0.01))):
            other = Affine.translation(*step) @ Affine.similarity(scale, degrees) @ fitted
            assert np.square(other(points) - aims).sum() > best
