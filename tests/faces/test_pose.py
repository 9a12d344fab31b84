import numpy as np
import pytest

from facealign.core.points import MIRROR
from facealign.faces import pose
from facealign.synthesis import pictures
from facealign.synthesis.head import NEUTRAL, rotation
from facealign.synthesis.pictures import plan_pictures
from tests.helpers import as_wflw


@pytest.mark.parametrize("yaw", [-35, 0, 20])
@pytest.mark.parametrize("pitch", [-15, 0, 25])
@pytest.mark.parametrize("roll", [-100, 0, 30])
def test_the_average_heads_pose_is_found_exactly(yaw: float, pitch: float, roll: float) -> None:
    turned = NEUTRAL[:68] @ rotation(yaw, pitch, roll).T
    found = pose.estimate(1.7 * turned[:, :2] + (300, 20))
    assert list(vars(found).values()) == pytest.approx([yaw, pitch, roll], abs=1e-6)


def test_a_face_that_looks_to_the_right_edge_has_a_positive_yaw() -> None:
    points = (NEUTRAL[:68] @ rotation(25, 0, 0).T)[:, :2]
    nose, left, right = points[30], points[36], points[45]
    assert right[0] - nose[0] < nose[0] - left[0]
    mirrored = points[MIRROR] * (-1, 1)
    assert pose.estimate(mirrored).yaw == pytest.approx(-25, abs=1e-6)


def test_on_generated_faces_yaw_is_right_to_a_few_degrees() -> None:
    plans = [plan for plan in plan_pictures(120, 5) if plan.kind == "plain"][:40]
    errors = [
        pose.estimate(points).yaw - plan.yaw
        for plan in plans
        for _, points in [pictures.render(plan)]
    ]
    assert np.median(np.abs(errors)) < 4
    assert abs(np.mean(errors)) < 2


def test_other_schemes_have_the_pose_of_their_68_points() -> None:
    points = (NEUTRAL[:68] @ rotation(25, 10, 5).T)[:, :2]
    assert pose.estimate(as_wflw(points)) == pose.estimate(points)
