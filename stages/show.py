"""Draw test faces from the best predicted to the worst: truth in green, prediction in red."""

from pathlib import Path

from facealign.core import images
from facealign.core.command import run
from facealign.core.faces import Faces
from facealign.core.schemes import files
from facealign.evaluation import scoring
from facealign.reports import contact_sheet


def main(faces: Path, index: Path, scheme: Path, boxes: Path, points: Path, page: Path) -> None:
    files.adopt(scheme)
    test = Faces.read(boxes).join(Faces.read(index)).where(split="test")
    tested = scoring.measure(test, {"model": Faces.read(points)})["model"]
    sheet = contact_sheet.best_to_worst(faces, test, tested.points, tested.errors)
    images.write(page, sheet)


if __name__ == "__main__":
    run(main)
