import cv2
import numpy as np
import pytest

from facealign.core.geometry import Box
from facealign.faces.quality import Group, between, in_thirds, sharpness, subgroups
from facealign.synthesis.head import NEUTRAL

FACE = Box(179, 83, 266, 170)  # of the astronaut


def groups(found: list[Group]) -> list[tuple[float, float, list[int]]]:
    return [(group.low, group.high, group.rows.tolist()) for group in found]


def test_blur_lowers_the_sharpness_more_and_more(astronaut: np.ndarray) -> None:
    blurred = [cv2.GaussianBlur(astronaut, (0, 0), sigma) for sigma in (1.0, 2.0, 4.0)]
    values = [sharpness(picture, FACE) for picture in (astronaut, *blurred)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] / 3


def test_a_face_of_few_pixels_is_no_sharper_for_being_small(astronaut: np.ndarray) -> None:
    small = cv2.resize(astronaut, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    box = Box(*(value / 4 for value in (FACE.left, FACE.top, FACE.right, FACE.bottom)))
    assert sharpness(small, box) < sharpness(astronaut, FACE)


def test_light_says_nothing(astronaut: np.ndarray) -> None:
    dim = (astronaut * 0.6 + 30).astype(np.uint8)
    assert sharpness(dim, FACE) == pytest.approx(sharpness(astronaut, FACE), rel=0.1)


def test_groups_lie_between_edges_and_empty_ones_are_left_out() -> None:
    values = np.array([5.0, 15.0, 50.0, 14.9])
    assert groups(between(values, [0, 15, 30, 40, 90])) == [
        (0, 15, [0, 3]),
        (15, 30, [1]),
        (40, 90, [2]),
    ]


def test_thirds_hold_about_as_many_each() -> None:
    values = np.array([9.0, 1, 8, 2, 7, 3, 6, 4, 5])
    found = in_thirds(values)
    assert [sorted(values[group.rows]) for group in found] == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_faces_are_grouped_by_what_makes_them_hard() -> None:
    turned = [pose_of(yaw) for yaw in (0, 20, -20, 50)]
    sharp, sizes = np.array([0.1, 0.2, 0.3, 0.4]), np.array([50.0, 60, 70, 80])
    found = subgroups(np.array(turned), sharp, sizes)
    rows = {
        respect: {name: group.rows.tolist() for name, group in its}
        for respect, its in found.items()
    }
    assert rows["yaw"] == {"0–15": [0], "15–30": [1, 2], "45–90": [3]}
    assert rows["sharpness"] == {"least": [0], "middle": [1], "most": [2, 3]}
    assert rows["size"] == {"50–60": [0], "60–70": [1], "70–80": [2, 3]}
    # five points do not tell which way a head is turned
    assert list(subgroups(np.zeros((4, 5, 2)), sharp, sizes)) == ["sharpness", "size"]


def pose_of(yaw: float) -> np.ndarray:
    """The average head's 68 points, turned and seen from far away."""
    turn, head = np.radians(yaw), NEUTRAL[:68]
    return np.stack([head @ (np.cos(turn), 0, np.sin(turn)), head[:, 1]], axis=1)


def test_equal_values_stay_together() -> None:
    assert groups(in_thirds(np.array([1.0, 1, 1, 1, 1, 2]))) == [(1, np.inf, [0, 1, 2, 3, 4, 5])]
    assert groups(in_thirds(np.array([1.0, 2, 2, 2, 2, 2]))) == [
        (1, 2, [0]),
        (2, np.inf, [1, 2, 3, 4, 5]),
    ]
    assert in_thirds(np.empty(0)) == []
