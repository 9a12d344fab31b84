import numpy as np
import pytest

from facealign.core.points import COUNT, MIRROR, OUTER_EYE_CORNERS, REGIONS, mirror, select


def test_mirroring_twice_gives_every_point_its_own_name_back() -> None:
    assert sorted(MIRROR) == list(range(COUNT))
    assert MIRROR[MIRROR].tolist() == list(range(COUNT))


def test_points_on_the_axis_of_the_face_keep_their_names() -> None:
    axis = [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
    assert np.flatnonzero(np.arange(COUNT) == MIRROR).tolist() == axis


def test_a_symmetric_face_mirrored_and_renamed_is_the_same_face(face: np.ndarray) -> None:
    mirrored = face * (-1, 1)
    np.testing.assert_allclose(mirrored[MIRROR], face, atol=1e-12)
    assert not np.allclose(mirrored, face)


def test_regions_cover_every_point_once() -> None:
    covered = [point for region in REGIONS.values() for point in range(COUNT)[region]]
    assert sorted(covered) == list(range(COUNT))


def test_mirroring_stays_within_a_region() -> None:
    for region in REGIONS.values():
        points = np.arange(COUNT)[region]
        assert set(MIRROR[points]) == set(points)


def test_the_outer_eye_corners_are_the_outermost_points_of_the_eyes(face: np.ndarray) -> None:
    eyes = face[REGIONS["eyes"], 0]
    left, right = OUTER_EYE_CORNERS
    assert face[left, 0] == eyes.min()
    assert face[right, 0] == eyes.max()


def test_five_points_are_eyes_nose_and_mouth(face: np.ndarray) -> None:
    five = select(face[None], 5)[0]
    np.testing.assert_allclose(
        five, [(-37, -25.5), (37, -25.5), (0, 12), (-30, 50), (30, 50)], atol=1
    )
    np.testing.assert_array_equal(five[2:], face[[30, 48, 54]])
    np.testing.assert_array_equal(five[0], face[36:42].mean(axis=0))
    assert select(face, 68) is face
    assert select(five, 5) is five


@pytest.mark.parametrize("count", [68, 5])
def test_five_points_of_the_mirrored_face_are_the_mirrored_five(
    face: np.ndarray, count: int
) -> None:
    face = face + np.random.default_rng(0).normal(0, 5, face.shape)
    flipped = face * (-1, 1)
    np.testing.assert_allclose(
        select(flipped[MIRROR], count), select(flipped, count)[mirror(count)]
    )
