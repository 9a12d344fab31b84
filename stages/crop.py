"""Cut the network's crops out of the pictures."""

from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.core.faces import Faces
from facealign.faces.cropping import Crop, make_crops


def main(faces: Path, index: Path, boxes: Path, crops: Path) -> None:
    found = Faces.read(boxes, "roll").join(Faces.read(index))
    make_crops(faces, found, config.load("crop", Crop), crops)


if __name__ == "__main__":
    run(main)
