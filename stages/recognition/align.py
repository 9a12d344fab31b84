"""Crop the selected faces, aligned by none, two, three or five points."""

from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.recognition import aligned_faces
from facealign.recognition.aligned_faces import Align


def main(faces: Path, people: Path, points: Path, aligned: Path) -> None:
    settings = config.load("recognition.align", Align)
    aligned_faces.write(faces, tables.read(people), str(points), settings, aligned)


if __name__ == "__main__":
    run(main)
