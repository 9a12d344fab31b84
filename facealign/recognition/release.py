"""Make a trained recogniser the one that comes along: products in bytes, and how far to trust it.
No stage."""

import json
from pathlib import Path

import numpy as np
import onnx

from facealign.core.command import run
from facealign.core.files import atomic_write
from facealign.export import quantisation
from facealign.recognition import crops
from facealign.recognition.embedding import RELEASED
from facealign.recognition.recipe import NETWORK, TRAIN

_SHOWN = 256  # crops that show which values to expect


def main(network: Path, aligned: Path, figures: Path, details: Path) -> None:
    points, loss = network.name.split("-")
    variant = json.loads(details.read_text(encoding="utf-8"))["variants"][network.name]
    measured = {
        "threshold": variant["threshold_1e-2"],
        "accepted": json.loads(figures.read_text(encoding="utf-8"))[points][loss]["tar_1e-2"],
        "people": variant["unseen_people"],
    }
    faces = crops.load(aligned)
    learnt = faces.rows(TRAIN)
    shown = learnt[np.linspace(0, len(learnt) - 1, _SHOWN).astype(int)]
    with atomic_write(RELEASED) as part:
        quantisation.quantise(network / NETWORK, part, faces.inputs(shown))
        model = onnx.load(part)
        fact = model.metadata_props.add()
        fact.key, fact.value = "facealign.measured", json.dumps(measured)
        onnx.save(model, part)
    print(f"{RELEASED}: {RELEASED.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main)
