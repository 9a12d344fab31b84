"""Detect the face of each picture, with its points, pose and sharpness."""

from collections import Counter
from pathlib import Path

import numpy as np

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.geometry import CORNERS
from facealign.faces import dlib_predictor
from facealign.faces.dlib_predictor import Dlib
from facealign.recognition import people
from facealign.recognition.people import Examine


def main(faces: Path, network: Path, table: Path) -> None:
    settings = config.load("recognition.examine", Examine)
    model = dlib_predictor.predictor_file(config.load("dlib", Dlib))
    pictures = people.find_pictures(faces, settings.datasets)
    examined = people.examine(faces, pictures, settings, network, model)
    boxes = np.array([one.box.corners for one in examined])
    columns: dict[str, tables.Column] = {tables.KEY: [one.image for one in examined]}
    columns |= {
        "person": [one.person for one in examined],
        "reason": [one.reason for one in examined],
    }
    columns |= {"detail": [one.detail for one in examined]}
    columns |= {side: boxes[:, i] for i, side in enumerate(CORNERS)}
    for name in ("yaw", "pitch", "sharpness"):
        columns[name] = [getattr(one, name) for one in examined]
    tables.write(table, columns, tables.stack([one.points for one in examined], 5))
    for reason, count in sorted(Counter(one.reason or "usable" for one in examined).items()):
        print(f"{reason}: {count}")


if __name__ == "__main__":
    run(main)
