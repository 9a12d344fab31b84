"""Predict the points of the test faces with dlib's models, on the same rectangles."""

from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.core.faces import DLIB_TRAINED, Faces
from facealign.core.schemes import files
from facealign.faces import dlib_predictor
from facealign.faces.dlib_predictor import Dlib


def main(
    faces: Path, index: Path, scheme: Path, boxes: Path, trained: Path, baselines: Path
) -> None:
    files.adopt(scheme)
    test = Faces.read(boxes).join(Faces.read(index)).where(split="test")
    models = {"dlib": dlib_predictor.predictor_file(config.load("dlib", Dlib))}
    if trained.stat().st_size:  # empty without `dlib.train`
        models[DLIB_TRAINED] = trained
    for name, model in models.items():
        predicted = dlib_predictor.predict_all(faces, test, model)
        test.with_columns(points=predicted).write(baselines / f"{name}.csv", "points")


if __name__ == "__main__":
    run(main)
