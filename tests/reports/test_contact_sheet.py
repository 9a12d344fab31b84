from pathlib import Path

import numpy as np

from facealign.core import images
from facealign.core.faces import Faces
from facealign.core.geometry import Box
from facealign.reports.contact_sheet import COLUMNS, TILE, TRUTH, Tile, best_to_worst, sheet


def test_a_point_is_drawn_where_it_is_and_tiles_fill_rows() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    middle = np.array([[100.0, 100.0]])
    page = sheet([Tile(grey, Box(60, 60, 140, 140), [(middle, TRUTH)], "")] * (COLUMNS + 1))
    assert page.shape == (2 * TILE, COLUMNS * TILE, 3)
    green = page[..., 1].astype(int) - page[..., 0] > 60
    rows, columns = np.nonzero(green[:TILE, :TILE])
    assert abs(rows.mean() - (TILE - 1) / 2) < 0.3 and abs(columns.mean() - (TILE - 1) / 2) < 0.3
    assert (page[TILE:, TILE:] == 255).all()


def test_faces_are_shown_from_the_smallest_error_to_the_largest(tmp_path: Path) -> None:
    greys = {"300W/test/a.png": 40, "300W/test/b.png": 120, "300W/test/c.png": 200}
    for name, grey in greys.items():
        images.write(tmp_path / name, np.full((50, 50, 3), grey, np.uint8))
    boxes, points = np.array([[10.0, 10, 40, 40]] * 3), np.full((3, 68, 2), 25.0)
    faces = Faces.of([*greys], box=boxes, points=points)
    for count, shown in ((24, [200, 40, 120]), (2, [200, 120])):
        page = best_to_worst(tmp_path, faces, points, np.array([0.02, 0.05, 0.01]), count)
        corners = page[5, 5::TILE, 0].tolist()
        assert corners == [*shown, *[255] * (COLUMNS - len(shown))]
