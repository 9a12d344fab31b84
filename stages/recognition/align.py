"""Cut the chosen people's faces out, aligned by none, two, three or five points."""

from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.recognition import crops
from facealign.recognition.crops import Align


def main(faces: Path, people: Path, points: Path, aligned: Path) -> None:
    chosen = crops.read_people(people)
    crops.make(faces, chosen, str(points), config.load("recognition.align", Align), aligned)


if __name__ == "__main__":
    run(main)
