import dataclasses

import numpy as np
import pytest

from facealign.core.points import select
from facealign.training.augment import Strength, draw, move_points
from tests.helpers import as_wflw

STRENGTH = Strength(
    flip=0.5,
    rotation=20,
    scale=0.12,
    shift=0.06,
    colour=0.3,
    grey=0.2,
    blur=0.02,
    cover=0.4,
    light=0.3,
    noise=0.1,
    style=0.5,
)
NONE = Strength(flip=0, rotation=0, scale=0, shift=0, colour=0)
SIZE = 48
COUNT = 2000


def in_crop(face: np.ndarray) -> np.ndarray:
    """One face in the middle of the crop, as a batch."""
    return (face * 0.2 + 23.5)[None]


def test_the_same_generator_draws_the_same_faces() -> None:
    first, same, other = (
        draw(np.random.default_rng(seed), 5, SIZE, STRENGTH) for seed in (1, 1, 2)
    )
    for name, value in vars(first).items():
        np.testing.assert_array_equal(value, getattr(same, name))
    assert not np.allclose(first.maps, other.maps)


def test_no_strength_changes_nothing(face: np.ndarray) -> None:
    chosen = draw(np.random.default_rng(0), 1, SIZE, NONE)
    np.testing.assert_array_equal(chosen.maps, [np.eye(2, 3)])
    np.testing.assert_array_equal(chosen.gain, np.ones((1, 3)))
    np.testing.assert_array_equal(chosen.offset, np.zeros((1, 3)))
    assert not chosen.grey.any() and not chosen.blur.any()
    left, top, right, bottom = chosen.cover[0]
    assert left == right and top == bottom
    assert not chosen.light.any() and not chosen.noise.any() and not chosen.style.any()
    np.testing.assert_array_equal(move_points(in_crop(face), chosen), in_crop(face))


def test_a_mirrored_symmetric_face_is_the_same_face(face: np.ndarray) -> None:
    always = Strength(flip=1, rotation=0, scale=0, shift=0, colour=0)
    chosen = draw(np.random.default_rng(0), 1, SIZE, always)
    np.testing.assert_allclose(move_points(in_crop(face), chosen), in_crop(face), atol=1e-12)


def test_a_mirrored_faces_left_eye_is_where_the_right_one_was(face: np.ndarray) -> None:
    always = Strength(flip=1, rotation=0, scale=0, shift=0, colour=0)
    face[45] += (20, 8)  # the right eye's outer corner, away from where symmetry has it
    points = in_crop(face)
    moved = move_points(points, draw(np.random.default_rng(0), 1, SIZE, always))
    x, y = points[0, 45]
    np.testing.assert_allclose(moved[0, 36], [SIZE - 1 - x, y])


def test_the_draws_keep_to_their_limits_and_reach_them() -> None:
    chosen = draw(np.random.default_rng(0), COUNT, SIZE, STRENGTH)
    linear = chosen.maps[:, :, :2]
    determinant = np.linalg.det(linear)
    np.testing.assert_array_equal(determinant < 0, chosen.flipped)
    assert chosen.flipped.mean() == pytest.approx(0.5, abs=0.04)
    scales = np.sqrt(np.abs(determinant))
    assert (scales.min(), scales.max()) == pytest.approx((1 / 1.12, 1.12), rel=1e-3)
    degrees = np.degrees(np.arctan2(-linear[:, 0, 1], linear[:, 1, 1]))
    assert (degrees.min(), degrees.max()) == pytest.approx((-20, 20), abs=0.1)
    middle = np.full((COUNT, 68, 2), (SIZE - 1) / 2)
    shifts = move_points(middle, chosen)[:, 0] - middle[:, 0]
    limit = 0.06 * SIZE
    assert np.abs(shifts).max() <= limit
    assert (shifts.min(), shifts.max()) == pytest.approx((-limit, limit), rel=0.01)


def test_colours_change_about_one_and_light_alike_for_all_three() -> None:
    chosen = draw(np.random.default_rng(0), COUNT, SIZE, STRENGTH)
    assert chosen.gain.mean() == pytest.approx(1, abs=0.02)
    assert chosen.gain.min() >= 0.7 * 0.9
    assert chosen.gain.max() <= 1.3 * 1.1
    assert np.ptp(chosen.gain, axis=1).max() > 0.1
    assert np.abs(chosen.offset).max() == pytest.approx(0.3, abs=0.01)
    assert (np.ptp(chosen.offset, axis=1) == 0).all()


def test_grey_blurred_and_covered_faces_are_as_many_and_as_much_as_asked() -> None:
    chosen = draw(np.random.default_rng(0), COUNT, SIZE, STRENGTH)
    assert chosen.grey.mean() == pytest.approx(0.2, abs=0.04)
    assert (chosen.blur > 0).mean() == pytest.approx(0.5, abs=0.04)
    assert chosen.blur.max() == pytest.approx(0.02 * SIZE, rel=0.02)
    sides = chosen.cover[:, 2:] - chosen.cover[:, :2]
    hidden = (sides > 0).all(axis=1)
    assert hidden.mean() == pytest.approx(0.4, abs=0.04)
    assert sides[hidden].min() == round(0.1 * SIZE) and sides[hidden].max() == round(0.45 * SIZE)
    assert chosen.cover.min() >= 0 and chosen.cover.max() <= SIZE


def test_light_noise_and_style_are_as_strong_as_asked_and_change_nothing_else() -> None:
    chosen = draw(np.random.default_rng(0), COUNT, SIZE, STRENGTH)
    slopes = np.linalg.norm(chosen.light, axis=1)
    assert slopes.max() == pytest.approx(0.3, rel=0.01) and slopes.mean() == pytest.approx(
        0.15, 0.1
    )
    assert np.abs(chosen.light.mean(axis=0)).max() < 0.02  # from all sides
    assert (chosen.noise > 0).mean() == pytest.approx(0.5, abs=0.04)
    assert chosen.noise.max() == pytest.approx(25.5, rel=0.02)
    assert chosen.place.min() == 0 and chosen.place.max() == SIZE - 1
    assert (chosen.style > 0).mean() == pytest.approx(0.5, abs=0.04)
    assert chosen.style[chosen.style > 0].mean() == pytest.approx(0.5, abs=0.04)
    rng = np.random.default_rng(0)
    without = draw(rng, COUNT, SIZE, dataclasses.replace(STRENGTH, light=0, noise=0, style=0))
    for name in ("maps", "gain", "grey", "blur", "cover", "paint"):
        np.testing.assert_array_equal(getattr(without, name), getattr(chosen, name))


def test_each_face_is_moved_by_its_own_map(face: np.ndarray) -> None:
    chosen = draw(np.random.default_rng(4), 6, SIZE, Strength(0, 20, 0.12, 0.06, 0))
    moved = move_points(np.repeat(in_crop(face), 6, axis=0), chosen)
    for points, matrix in zip(moved, chosen.maps, strict=True):
        x, y = in_crop(face)[0, 30]
        np.testing.assert_allclose(points[30], matrix @ (x, y, 1))


def test_points_of_another_scheme_are_flipped_by_its_own_pairs(face: np.ndarray) -> None:
    points = np.repeat(in_crop(face), 50, axis=0)
    chosen = draw(np.random.default_rng(0), 50, SIZE, STRENGTH)
    assert 0 < chosen.flipped.sum() < 50
    moved = move_points(as_wflw(points), chosen)
    np.testing.assert_allclose(select(moved, 68), move_points(points, chosen))
    np.testing.assert_allclose(moved, as_wflw(move_points(points, chosen)))
