"""Predict the points of the test faces with dlib's own model, on the same rectangles."""

from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.geometry import Box
from facealign.faces import dlib_predictor
from facealign.faces.dlib_predictor import Dlib, Located


def main(faces: Path, boxes: Path, points: Path) -> None:
    found = tables.read(boxes)
    corners = found.numbers("left", "top", "right", "bottom").tolist()
    test = [
        Located(image, Box(*box))
        for image, box in zip(found["image"], corners, strict=True)
        if tables.dataset_and_split(image)[1] == "test"
    ]
    model = dlib_predictor.predictor_file(config.load("dlib", Dlib))
    predicted = dlib_predictor.predict_all(faces, test, model)
    tables.write(points, {"image": [face.image for face in test]}, predicted)


if __name__ == "__main__":
    run(main)
