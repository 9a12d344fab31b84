"""Predict the points of the test faces with dlib's own model, on the same rectangles."""

from pathlib import Path

from facealign import config, dlib_baseline, tables
from facealign.dlib_baseline import Dlib, Located
from facealign.geometry import Box
from stages import run


def main(faces: Path, boxes: Path, points: Path) -> None:
    found = tables.read(boxes)
    corners = found.numbers("left", "top", "right", "bottom").tolist()
    test = [
        Located(image, Box(*box))
        for image, box in zip(found["image"], corners, strict=True)
        if tables.dataset_and_split(image)[1] == "test"
    ]
    model = dlib_baseline.predictor_file(config.load("dlib", Dlib))
    predicted = dlib_baseline.predict_all(faces, test, model)
    tables.write(points, {"image": [face.image for face in test]}, predicted)


if __name__ == "__main__":
    run(main)
