"""Give points to the images without any that the network is to learn from."""

from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.core.schemes import files
from facealign.data.filtering import Data, write_outcome
from facealign.faces.detection import Detect
from facealign.inference import labelling
from facealign.inference.labelling import Label


def main(
    faces: Path, teacher: Path, scheme: Path, labels: Path, dropped: Path, summary: Path
) -> None:
    label, data = config.load("label", Label), config.load("data", Data)
    names = labelling.unlabelled_images(faces, label.datasets, data.test_only)
    detect, count = config.load("detect", Detect), files.adopt(scheme).count
    found, drops = labelling.label(faces, names, teacher, count, detect, label.spread)
    found.write(labels, "dataset", "split", "size", "box", "roll", "source", "points", "weight")
    write_outcome(found, drops, dropped, summary)


if __name__ == "__main__":
    run(main)
