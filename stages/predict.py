"""Predict the points of the test faces with the trained network."""

from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.core.faces import Faces
from facealign.faces import cropping
from facealign.training import checkpoint, prediction
from facealign.training.prediction import Predict


def main(crops: Path, model: Path, points: Path) -> None:
    loaded = cropping.load_crops(crops)
    rows = loaded.rows("test")
    predicted = prediction.predict(
        checkpoint.load(model), loaded, rows, config.load("predict", Predict)
    )
    Faces.of([loaded.images[row] for row in rows], points=predicted).write(points, "points")


if __name__ == "__main__":
    run(main)
