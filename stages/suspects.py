"""Rank labelled faces by how likely their labels are wrong."""

from collections import Counter
from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.core.faces import Faces
from facealign.core.schemes import files
from facealign.faces.detection import Detect
from facealign.inference.suspects import ranking
from facealign.inference.suspects.ranking import Suspects


def main(faces: Path, index: Path, scheme: Path, boxes: Path, folder: Path, suspects: Path) -> None:
    files.adopt(scheme)
    named = config.load("suspects", Suspects).networks
    found = Faces.read(boxes, "roll")
    ranked = ranking.rank(
        faces, Faces.read(index), found, named, folder, config.load("detect", Detect)
    )
    ranked.write(suspects, *ranking.COLUMNS)
    print("\n".join(f"{kind}: {count}" for kind, count in Counter(ranked["kind"]).most_common()))


if __name__ == "__main__":
    run(main)
