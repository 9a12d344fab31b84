"""Predict the points of the test faces with dlib's own model, on the same rectangles."""

from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.core.faces import Faces
from facealign.core.schemes import files
from facealign.faces import dlib_predictor
from facealign.faces.dlib_predictor import Dlib


def main(faces: Path, index: Path, scheme: Path, boxes: Path, points: Path) -> None:
    files.adopt(scheme)
    test = Faces.read(boxes).join(Faces.read(index)).where(split="test")
    model = dlib_predictor.predictor_file(config.load("dlib", Dlib))
    predicted = dlib_predictor.predict_all(faces, test, model)
    test.with_columns(points=predicted).write(points, "points")


if __name__ == "__main__":
    run(main)
