"""Find each annotated face with a detector."""

from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.faces import Faces
from facealign.core.schemes import files
from facealign.faces import detection
from facealign.faces.detection import Detect


def main(faces: Path, index: Path, scheme: Path, boxes: Path, undetected: Path) -> None:
    files.adopt(scheme)
    found = detection.detect(faces, Faces.read(index), config.load("detect", Detect))
    found.faces.write(boxes, "box", "roll", "source")
    tables.write_rows(undetected, ("image", "rectangles_elsewhere"), found.lost)
    print("\n".join(f"{what}: {count}" for what, count in sorted(found.counts.items())))


if __name__ == "__main__":
    run(main)
