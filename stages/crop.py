"""Cut the network's crops out of the pictures."""

from pathlib import Path

import numpy as np

from facealign.core import config
from facealign.core.command import run
from facealign.core.faces import Faces
from facealign.core.schemes import files
from facealign.faces.cropping import Crop, make_crops


def main(faces: Path, index: Path, scheme: Path, boxes: Path, labels: Path, crops: Path) -> None:
    files.adopt(scheme)
    found = Faces.read(boxes, "roll").join(Faces.read(index))
    annotated = found.with_columns(weight=np.ones(len(found)))
    columns = "dataset", "split", "size", "box", "roll", "source", "points", "weight"
    every = annotated.and_those_of(Faces.read(labels, "roll", "weight"), *columns)
    make_crops(faces, every, config.load("crop", Crop), crops)


if __name__ == "__main__":
    run(main)
