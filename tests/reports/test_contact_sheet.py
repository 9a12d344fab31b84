import numpy as np

from facealign.core.geometry import Box
from facealign.reports.contact_sheet import COLUMNS, TILE, TRUTH, Tile, sheet


def test_a_point_is_drawn_where_it_is_and_tiles_fill_rows() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    middle = np.array([[100.0, 100.0]])
    page = sheet([Tile(grey, Box(60, 60, 140, 140), [(middle, TRUTH)], "")] * (COLUMNS + 1))
    assert page.shape == (2 * TILE, COLUMNS * TILE, 3)
    green = page[..., 1].astype(int) - page[..., 0] > 60
    rows, columns = np.nonzero(green[:TILE, :TILE])
    assert abs(rows.mean() - (TILE - 1) / 2) < 0.3 and abs(columns.mean() - (TILE - 1) / 2) < 0.3
    assert (page[TILE:, TILE:] == 255).all()
