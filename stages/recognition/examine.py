"""Find the face of each person's picture, its points, and how well it can be seen."""

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


def main(faces: Path, network: Path, examined: Path) -> None:
    settings = config.load("recognition.examine", Examine)
    model = dlib_predictor.predictor_file(config.load("dlib", Dlib))
    pictures = people.find_pictures(faces, settings.datasets)
    seen = people.examine(faces, pictures, settings, network, model)
    boxes = np.array([one.box.corners for one in seen])
    columns: dict[str, tables.Column] = {tables.KEY: [one.image for one in seen]}
    columns |= {"person": [one.person for one in seen], "reason": [one.reason for one in seen]}
    columns |= {"detail": [one.detail for one in seen]}
    columns |= {side: boxes[:, i] for i, side in enumerate(CORNERS)}
    for name in ("yaw", "pitch", "sharpness"):
        columns[name] = [getattr(one, name) for one in seen]
    tables.write(examined, columns, tables.stack([one.points for one in seen], 5))
    for reason, count in sorted(Counter(one.reason or "usable" for one in seen).items()):
        print(f"{reason}: {count}")


if __name__ == "__main__":
    run(main)
