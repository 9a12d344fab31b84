"""Measure the networks that come along and write the figures into the model card. No stage.

`faces` is laid out as data/faces: DATASET/test/, a .pts beside each picture.
"""

from pathlib import Path

from facealign import checkpoint, config, dlib_baseline, model_card
from facealign.dlib_baseline import Dlib
from facealign.files import write_text
from stages import run


def main(faces: Path, card: Path) -> None:
    text = card.read_text(encoding="utf-8")
    model_card.replaced(text, "", card)  # its error, before minutes of work
    runnables = sorted(checkpoint.RELEASED.glob("*.onnx"))
    baseline = dlib_baseline.predictor_file(config.load("dlib", Dlib))
    figures = model_card.tables(runnables, faces, baseline)
    write_text(card, model_card.replaced(text, figures, card))


if __name__ == "__main__":
    run(main)
