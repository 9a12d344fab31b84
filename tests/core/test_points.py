import numpy as np
import pytest

from facealign.core.errors import ConfigError, InputError
from facealign.core.points import (
    COUNT,
    MIRROR,
    can_become,
    common_count,
    eyes,
    mirror,
    scheme_of,
    select,
    use,
)
from facealign.core.schemes.scheme import Scheme
from facealign.faces.mean_face import MEAN_FACE
from tests.helpers import as_helen, as_wflw


def test_points_on_the_axis_of_the_face_keep_their_names() -> None:
    axis = [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
    assert np.flatnonzero(np.arange(COUNT) == MIRROR).tolist() == axis


def test_a_symmetric_face_mirrored_and_renamed_is_the_same_face(face: np.ndarray) -> None:
    for its in (face, as_wflw(face)):
        mirrored = its * (-1, 1)
        np.testing.assert_allclose(mirrored[mirror(len(its))], its, atol=1e-12)
        assert not np.allclose(mirrored, its)


def test_the_outer_eye_corners_are_the_outermost_points_of_the_eyes(face: np.ndarray) -> None:
    for its in (face, as_wflw(face)):
        across = its[list(scheme_of(len(its)).regions["eyes"]), 0]
        assert eyes(its)[:, 0].tolist() == [across.min(), across.max()]


def test_five_points_are_eyes_nose_and_mouth(face: np.ndarray) -> None:
    five = select(face[None], 5)[0]
    np.testing.assert_allclose(
        five, [(-37, -25.5), (37, -25.5), (0, 12), (-30, 50), (30, 50)], atol=1
    )
    np.testing.assert_array_equal(five[2:], face[[30, 48, 54]])
    np.testing.assert_array_equal(five[0], face[36:42].mean(axis=0))
    assert select(face, 68) is face
    assert select(five, 5) is five
    np.testing.assert_array_equal(eyes(five), five[:2])


def test_98_points_give_back_the_68_that_they_were_made_of(face: np.ndarray) -> None:
    faces = face + np.random.default_rng(0).normal(0, 5, (4, *face.shape))
    np.testing.assert_array_equal(select(as_wflw(faces), 68), faces)
    np.testing.assert_array_equal(select(as_wflw(faces), 5), select(faces, 5))


def test_194_points_give_back_the_68_of_an_average_face_to_half_a_step_of_its_contours(
    face: np.ndarray,
) -> None:
    average = MEAN_FACE[:, :2]
    for its in (average, average @ np.array([[0.9, 0.2], [-0.2, 0.9]]) + (300, 200)):
        off = np.linalg.norm(select(as_helen(its), 68) - its, axis=1)
        # millimetres: a step is 7.5 on the jaw, 5 on a brow, and less elsewhere
        assert off[:17].max() < 3.75 and off[17:27].max() < 2.5 and off[27:].max() < 1.8
        np.testing.assert_allclose(select(as_helen(its), 5)[2:], its[[30, 48, 54]])
    off = np.linalg.norm(select(as_helen(face), 68) - face, axis=1)  # of other proportions
    assert off.max() < 10 and off.mean() < 2


@pytest.mark.parametrize("count", [68, 5])
def test_five_points_of_the_mirrored_face_are_the_mirrored_five(
    face: np.ndarray, count: int
) -> None:
    face = face + np.random.default_rng(0).normal(0, 5, face.shape)
    flipped = face * (-1, 1)
    np.testing.assert_allclose(
        select(flipped[MIRROR], count), select(flipped, count)[mirror(count)]
    )


def test_the_richest_common_scheme_is_found() -> None:
    assert common_count([98, 68]) == common_count([478, 106, 68]) == 68
    assert common_count([106, 98]) == 98
    assert common_count([21, 98, 68]) == 5
    assert common_count([21, 19]) == 19
    assert common_count([68]) == 68 and common_count([194]) == 194
    assert common_count([194, 98]) == 68
    assert can_become(98, 68) and can_become(5, 5) and not can_become(68, 98)
    assert not can_become(7, 7)


def test_points_without_a_map_or_a_scheme_are_refused() -> None:
    with pytest.raises(InputError, match=r"^29 points \(COFW\) cannot become 68, only 5, 29$"):
        select(np.zeros((3, 29, 2)), 68)
    with pytest.raises(InputError, match=r"^67 points: no scheme has so many\. Known: 5, 19, 21,"):
        select(np.zeros((67, 2)), 68)


def test_a_users_scheme_is_known_by_its_number_of_points() -> None:
    own = Scheme("ears", (1, 0, 2), {}, ((0,), (1,)), source={"name": "ears"})
    use(own)
    use(own)
    assert scheme_of(3) is own and mirror(3).tolist() == [1, 0, 2]
    assert common_count([3, 68]) is None
    for count in (3, 68):
        other = Scheme("noses", tuple(range(count)), {}, ((0,), (1,)), source={"name": "noses"})
        with pytest.raises(ConfigError, match=f"^noses: a scheme of {count} points, as "):
            use(other)
