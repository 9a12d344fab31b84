import numpy as np

from facealign.core.faces import Face
from facealign.core.geometry import Box
from facealign.faces.drawing import draw, draw_points
from tests.helpers import as_wflw


def test_points_far_outside_are_not_seen() -> None:
    picture = np.zeros((9, 9, 3), np.uint8)
    draw_points(picture, np.array([[4.0, 4.0], [1e300, 4.0], [-1e12, -1e12]]), (1, 2, 3), 0.5)
    assert picture[4, 4].tolist() == [1, 2, 3] and picture.any(axis=-1).sum() <= 9


def test_lines_are_drawn_if_they_are_wanted(face: np.ndarray) -> None:
    picture, where = np.zeros((300, 300, 3), np.uint8), Box(100, 100, 200, 200)
    for points in (face + (150, 150), as_wflw(face) + (150, 150)):
        plain, joined = (draw(picture, [Face(where, points)], lines) for lines in (False, True))
        x, y = points[:2].mean(axis=0).round().astype(int)  # on the jaw
        assert joined[y, x].any()
        assert (joined != plain).any(axis=-1).sum() > 300
