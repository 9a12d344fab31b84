"""Train dlib's predictor on the faces that the network is trained on, as a second baseline."""

from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.core.faces import Faces
from facealign.core.files import atomic_write
from facealign.core.schemes import files
from facealign.faces import dlib_training
from facealign.faces.dlib_predictor import Dlib
from facealign.faces.validation import Validation, held_back


def main(faces: Path, index: Path, scheme: Path, boxes: Path, labels: Path, model: Path) -> None:
    dlib, validation = config.load("dlib", Dlib), config.load_part("train", Validation)
    if not dlib.train:
        with atomic_write(model) as part:
            part.touch()
        return
    files.adopt(scheme)
    found = Faces.read(boxes).join(Faces.read(index))
    every = found.and_those_of(Faces.read(labels), "box", "source", "points")
    train = every.where(split="train")
    held = held_back(train.images, train["source"].tolist(), validation)
    dlib_training.train(faces, train.subset(~held), dlib, model)


if __name__ == "__main__":
    run(main)
