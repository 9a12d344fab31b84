import numpy as np

from facealign.faces.drawing import draw_points


def test_points_far_outside_are_not_seen() -> None:
    picture = np.zeros((9, 9, 3), np.uint8)
    draw_points(picture, np.array([[4.0, 4.0], [1e300, 4.0], [-1e12, -1e12]]), (1, 2, 3), 0.5)
    assert picture[4, 4].tolist() == [1, 2, 3] and picture.any(axis=-1).sum() <= 9
