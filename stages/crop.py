"""Cut the network's crops out of the pictures."""

from pathlib import Path

from facealign import config, tables
from facealign.cropping import Crop, Located, make_crops
from facealign.geometry import Box
from stages import run


def main(faces: Path, index: Path, boxes: Path, crops: Path) -> None:
    found = tables.read(boxes)
    truth = tables.read(index)
    points = truth.points()[truth.rows(found["image"])]
    corners = found.numbers("left", "top", "right", "bottom").tolist()
    located = [
        Located(image, Box(*box), face)
        for image, box, face in zip(found["image"], corners, points, strict=True)
    ]
    make_crops(faces, located, config.load("crop", Crop), crops)


if __name__ == "__main__":
    run(main)
