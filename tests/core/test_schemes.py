"""The published schemes must agree with themselves and with each other."""

from itertools import pairwise

import numpy as np
import pytest

from facealign.core.points import mirror, select
from facealign.core.schemes.published import SCHEMES
from facealign.core.schemes.scheme import Scheme

ALL = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda its: its.name)
MAPS = [(scheme, count) for scheme in SCHEMES.values() for count in scheme.maps]
EACH_MAP = pytest.mark.parametrize(("scheme", "count"), MAPS)


def region_of(scheme: Scheme, point: int) -> str | None:
    return next((name for name, its in scheme.regions.items() if point in its), None)


def test_the_nine_schemes_are_told_apart_by_their_number_of_points() -> None:
    assert sorted(SCHEMES) == [5, 19, 21, 29, 68, 98, 106, 194, 478]
    assert all(scheme.count == count for count, scheme in SCHEMES.items())


@ALL
def test_mirroring_twice_gives_every_point_its_own_name_back(scheme: Scheme) -> None:
    assert [scheme.mirror[i] for i in scheme.mirror] == list(range(scheme.count))


@ALL
def test_regions_share_no_point_and_mirroring_stays_within_them(scheme: Scheme) -> None:
    points = [point for its in scheme.regions.values() for point in its]
    assert len(points) == len(set(points))
    for its in scheme.regions.values():
        assert {scheme.mirror[point] for point in its} == set(its)
    if scheme.count not in (5, 478):  # most points of the mesh are in no region
        assert sorted(points) == list(range(scheme.count))


@ALL
def test_the_ends_of_the_interocular_distance_are_each_others_mirror_image(scheme: Scheme) -> None:
    left, right = scheme.eyes
    assert {scheme.mirror[point] for point in left} == set(right)
    if scheme.regions:
        assert {region_of(scheme, point) for point in (*left, *right)} == {"eyes"}


@ALL
def test_lines_are_symmetric_and_stay_within_a_region(scheme: Scheme) -> None:
    steps = {frozenset(step) for its in scheme.lines for step in pairwise(its)}
    assert steps == {frozenset(scheme.mirror[point] for point in step) for step in steps}
    for step in steps:
        assert len(step) == 2 and len({region_of(scheme, point) for point in step}) == 1


@EACH_MAP
def test_converting_the_mirrored_face_gives_the_mirrored_conversion(
    scheme: Scheme, count: int
) -> None:
    points = np.random.default_rng(0).normal(size=(scheme.count, 2))
    np.testing.assert_allclose(
        select(points[mirror(scheme.count)], count), select(points, count)[mirror(count)]
    )


@EACH_MAP
def test_a_converted_point_comes_from_its_own_region(scheme: Scheme, count: int) -> None:
    assert len(scheme.maps[count]) == count
    regions = ["eyes", "eyes", "nose", "mouth", "mouth"]
    for i, row in enumerate(scheme.maps[count]):
        wanted = regions[i] if count == 5 else region_of(SCHEMES[count], i)
        # the published map of the mesh takes two points beside its brows
        assert {region_of(scheme, point) for point in row} <= {wanted, None}


@pytest.mark.parametrize(
    ("first", "then"), [(478, 68), (194, 68), (106, 98), (106, 68), (98, 68), (21, 19)]
)
def test_converting_in_two_steps_is_converting_in_one(first: int, then: int) -> None:
    points = np.random.default_rng(0).normal(size=(first, 2))
    for last in SCHEMES[then].maps:
        np.testing.assert_array_equal(select(select(points, then), last), select(points, last))


def test_the_map_of_the_mesh_is_the_one_that_is_published() -> None:
    rows = [point for (point,) in SCHEMES[478].maps[68]]
    assert rows[:4] == [162, 234, 93, 58] and rows[13:17] == [288, 323, 454, 389]
    assert rows[17:27] == [71, 63, 105, 66, 107, 336, 296, 334, 293, 301]
    assert rows[27:36] == [168, 197, 5, 4, 75, 97, 2, 326, 305]
    assert rows[36:48] == [33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380]
    assert rows[48:60] == [61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181]
    assert rows[60:] == [78, 82, 13, 312, 308, 317, 14, 87]


def test_the_meshs_halves_are_paired_as_in_its_published_contours() -> None:
    left = [33, 246, 161, 160, 159, 158, 157, 173, 133, 46, 53, 52, 65, 55, 127, 234, 132, 176, 61]
    right = [263, 466, 388, 387, 386, 385, 384, 398, 362, 276, 283, 282, 295, 285]
    assert mirror(478)[left].tolist() == [*right, 356, 454, 361, 400, 291]
    assert mirror(478)[[468, 469, 470]].tolist() == [473, 476, 475]
