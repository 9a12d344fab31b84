"""Make a trained recogniser the bundled one: quantise it to int8.

python -m facealign.recognition.release data/recognition/networks/5-arcface \\
    data/recognition/aligned/5

Then `facealign.recognition.measure` stores what it is worth on photographs.
"""

from pathlib import Path

import numpy as np

from facealign.core.command import run
from facealign.export import quantisation
from facealign.recognition import aligned_faces
from facealign.recognition.recipe import NETWORK, TRAIN
from facealign.recognition.recogniser import RELEASED

_CALIBRATION = 256  # crops for the calibration of int8


def main(network: Path, aligned: Path) -> None:
    faces = aligned_faces.load(aligned)
    learnt = faces.rows(TRAIN)
    some = learnt[np.linspace(0, len(learnt) - 1, _CALIBRATION).astype(int)]
    quantisation.quantise(network / NETWORK, RELEASED, faces.inputs(some))
    print(f"{RELEASED}: {RELEASED.stat().st_size / 1e6:.1f} MB, not measured yet")


if __name__ == "__main__":
    run(main)
