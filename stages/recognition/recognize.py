"""Train a recogniser on aligned faces, and identify the people on the validation pictures."""

from dataclasses import asdict
from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.recognition import aligned_faces, learning
from facealign.recognition.learning import Recognize
from facealign.recognition.recipe import CURVE, GUESSES, NETWORK


def main(aligned: Path, loss: Path, network: Path) -> None:
    faces = aligned_faces.load(aligned)
    learnt = learning.train(faces, str(loss), config.load("recognition.recognize", Recognize))
    learning.save(learnt.embedder, faces.stats, aligned.name, network / NETWORK)
    for name, rows in ((GUESSES, learnt.guesses), (CURVE, learnt.curve)):
        lines = [asdict(row) for row in rows]
        tables.write_rows(network / name, tuple(lines[0]), [tuple(it.values()) for it in lines])


if __name__ == "__main__":
    run(main)
