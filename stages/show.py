"""Draw test faces from the best predicted to the worst: truth in green, prediction in red."""

from pathlib import Path

import numpy as np

from facealign import contact_sheet, evaluation, images, tables
from facealign.contact_sheet import PREDICTED, TRUTH, Tile
from facealign.geometry import Box
from stages import run

TILES = 24


def main(faces: Path, index: Path, boxes: Path, points: Path, page: Path) -> None:
    truth, found, predicted = tables.read(index), tables.read(boxes), tables.read(points)
    tested = evaluation.measure(truth, found, predicted)
    count = len(tested.images)
    ranks = np.linspace(0, count - 1, min(TILES, count)).round().astype(int)
    shown = np.argsort(tested.errors, kind="stable")[ranks]
    names = [tested.images[i] for i in shown]
    corners = found.numbers("left", "top", "right", "bottom")[found.rows(names)]
    guessed = predicted.points()[predicted.rows(names)]
    tiles = [
        Tile(
            images.read(faces / name),
            Box(*corners[i].tolist()),
            [(tested.truth[rank], TRUTH), (guessed[i], PREDICTED)],
            f"{name.split('/')[0]} {tested.errors[rank]:.4f}",
        )
        for i, (name, rank) in enumerate(zip(names, shown, strict=True))
    ]
    images.write(page, contact_sheet.sheet(tiles))


if __name__ == "__main__":
    run(main)
