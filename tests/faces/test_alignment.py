import cv2
import numpy as np
import pytest

from facealign import Aligner
from facealign.core.errors import InputError
from facealign.core.geometry import Affine
from facealign.core.points import select
from facealign.faces import alignment

SIZE = 112


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_turned_scaled_and_shifted_template_is_put_back(count: int) -> None:
    moved = Affine.translation(300, -40) @ Affine.similarity(2.5, 200)
    five = moved(alignment.template(SIZE))
    back = alignment.to_template(five, count, SIZE)
    np.testing.assert_allclose(back(five), alignment.template(SIZE), atol=1e-9)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("factor", [0, 1e-310, 1e300])
def test_points_that_coincide_or_are_far_away_are_refused(count: int, factor: float) -> None:
    with pytest.raises(InputError, match="pixels apart cannot be aligned"):
        alignment.to_template(alignment.template(SIZE) * factor, count, SIZE)


def test_two_points_fit_exactly_and_five_as_well_as_they_can() -> None:
    five = alignment.template(SIZE) + np.array([[0, 0], [0, 0], [9.0, 0], [0, 0], [0, 0]])
    target = alignment.template(SIZE)
    by_eyes, by_all = (alignment.to_template(five, count, SIZE)(five) for count in (2, 5))
    np.testing.assert_allclose(by_eyes[:2], target[:2], atol=1e-9)
    assert by_eyes[2, 0] - target[2, 0] == pytest.approx(9)
    assert np.square(by_all - target).sum() < np.square(by_eyes - target).sum()
    assert not np.allclose(by_all[:2], target[:2], atol=0.1)


def test_the_template_is_symmetric_and_shows_the_whole_face() -> None:
    five = alignment.template(100)
    np.testing.assert_allclose(five[[1, 0, 2, 4, 3]] * (-1, 1) + (99, 0), five, atol=1e-9)
    assert five[1, 0] - five[0, 0] == pytest.approx(30)
    assert five[0, 1] == pytest.approx(41.5)
    assert 55 < five[2, 1] < five[3, 1] < 85


def test_a_turned_picture_gives_the_same_crop(astronaut: np.ndarray) -> None:
    (face,) = Aligner(threads=1).predict(astronaut)
    turn = Affine.translation(160, -70) @ Affine.similarity(1.2, 25)
    turned = cv2.warpAffine(astronaut, turn.matrix, (700, 700), flags=cv2.INTER_CUBIC)
    plain = alignment.align(astronaut, face.points, 5, SIZE).astype(float)
    same = alignment.align(turned, turn(select(face.points, 5)), 5, SIZE).astype(float)
    assert plain.shape == (SIZE, SIZE, 3)
    assert np.abs(plain - same).mean() < 3
