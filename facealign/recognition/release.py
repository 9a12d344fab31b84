"""Make a trained recogniser the bundled one: quantise it to int8 and store its measured rates.

python -m facealign.recognition.release data/recognition/networks/5-arcface \\
    data/recognition/aligned/5 metrics/recognition.json data/recognition/verified.json
"""

import json
from pathlib import Path

import numpy as np
import onnx

from facealign.core.command import run
from facealign.core.files import atomic_write, read_json
from facealign.export import quantisation
from facealign.recognition import aligned_faces
from facealign.recognition.recipe import NETWORK, TRAIN
from facealign.recognition.recogniser import RELEASED

_CALIBRATION = 256  # crops for the calibration of int8


def main(network: Path, aligned: Path, figures: Path, details: Path) -> None:
    points, loss = network.name.split("-")
    variant = read_json(details)["variants"][network.name]
    measured = {
        "threshold": variant["threshold_1e-2"],
        "accepted": read_json(figures)[points][loss]["tar_1e-2"],
        "people": variant["unseen_people"],
    }
    faces = aligned_faces.load(aligned)
    learnt = faces.rows(TRAIN)
    some = learnt[np.linspace(0, len(learnt) - 1, _CALIBRATION).astype(int)]
    with atomic_write(RELEASED) as part:
        quantisation.quantise(network / NETWORK, part, faces.inputs(some))
        model = onnx.load(part)
        fact = model.metadata_props.add()
        fact.key, fact.value = "facealign.measured", json.dumps(measured)
        onnx.save(model, part)
    print(f"{RELEASED}: {RELEASED.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main)
