"""Train a recogniser on aligned faces, and let it say who is on the validation pictures."""

from dataclasses import asdict
from pathlib import Path

from facealign import config, tables
from facealign.recognition import crops, learning
from facealign.recognition.learning import Recognize
from stages import run


def main(aligned: Path, loss: Path, network: Path) -> None:
    faces = crops.load(aligned)
    learnt = learning.train(faces, str(loss), config.load("recognition.recognize", Recognize))
    learning.save(learnt.embedder, faces.stats, aligned.name, network / learning.NETWORK)
    for name, rows in ((learning.GUESSES, learnt.guesses), (learning.CURVE, learnt.curve)):
        lines = [asdict(row) for row in rows]
        tables.write_rows(network / name, tuple(lines[0]), [tuple(it.values()) for it in lines])


if __name__ == "__main__":
    run(main)
