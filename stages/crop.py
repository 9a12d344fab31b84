"""Cut the network's crops out of the pictures."""

from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.geometry import Box
from facealign.faces.cropping import Crop, Located, make_crops


def main(faces: Path, index: Path, boxes: Path, crops: Path) -> None:
    found = tables.read(boxes)
    truth = tables.read(index)
    rows = truth.rows(found["image"])
    points, sizes = truth.points()[rows], truth.numbers("width", "height")[rows].tolist()
    corners = found.numbers("left", "top", "right", "bottom").tolist()
    located = [
        Located(image, Box(*box), face, Box.of_picture(width, height))
        for image, box, face, (width, height) in zip(
            found["image"], corners, points, sizes, strict=True
        )
    ]
    make_crops(faces, located, config.load("crop", Crop), crops)


if __name__ == "__main__":
    run(main)
