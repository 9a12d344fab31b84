"""Faces with points drawn on them, many on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facealign.core import images
from facealign.core.faces import Faces
from facealign.core.geometry import Box, crop_map
from facealign.core.text import printable
from facealign.faces.drawing import Colour, draw_points

TILE, COLUMNS, MARGIN = 192, 6, 0.25
TRUTH, PREDICTED = (60, 220, 60), (255, 80, 40)  # red, green, blue


@dataclass(frozen=True, eq=False)
class Tile:
    image: np.ndarray
    box: Box
    points: Sequence[tuple[np.ndarray, Colour]]  # drawn in order
    caption: str


def best_to_worst(
    root: Path, faces: Faces, predicted: np.ndarray, errors: np.ndarray, count: int = 24
) -> np.ndarray:
    """A sheet of `count` of the faces below `root`, evenly from the smallest error to the largest:
    true points and predicted ones (N, K, 2)."""
    ranks = np.linspace(0, len(faces) - 1, min(count, len(faces))).round().astype(int)
    shown = np.argsort(errors, kind="stable")[ranks]
    paths = [root / image for image in faces.images]
    return sheet(
        [
            Tile(
                images.read(paths[row]),
                faces.box(row),
                [(faces.points[row], TRUTH), (predicted[row], PREDICTED)],
                f"{faces.datasets[row]} {errors[row]:.4f}",
            )
            for row in shown
        ]
    )


def sheet(tiles: Sequence[Tile]) -> np.ndarray:
    """One RGB picture of all tiles, COLUMNS in a row, in reading order."""
    return page([draw(tile) for tile in tiles])


def page(drawn: Sequence[np.ndarray]) -> np.ndarray:
    """The same, of tiles that are drawn already."""
    rows = max(1, -(-len(drawn) // COLUMNS))
    page = np.full((rows * TILE, COLUMNS * TILE, 3), 255, np.uint8)
    for number, tile in enumerate(drawn):
        y, x = divmod(number, COLUMNS)
        page[y * TILE : (y + 1) * TILE, x * TILE : (x + 1) * TILE] = tile
    return page


def draw(tile: Tile) -> np.ndarray:
    """A picture of TILE x TILE pixels."""
    scale = 2  # drawn at twice the size: points then keep their fractions of a pixel
    to_tile = crop_map(tile.box, MARGIN, scale * TILE)
    picture = images.warp(tile.image, to_tile, scale * TILE)
    for points, colour in tile.points:
        draw_points(picture, to_tile(points), colour, radius=3)
    picture = cv2.resize(picture, (TILE, TILE), interpolation=cv2.INTER_AREA)
    place, font = (6, TILE - 8), cv2.FONT_HERSHEY_SIMPLEX
    caption = printable(tile.caption)  # a byte that is not UTF-8 would end the process
    cv2.putText(picture, caption, place, font, 0.42, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, caption, place, font, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return picture
