"""Print the table of the networks for docs/NETWORKS.md. No part of `dvc repro`."""

import torch

from facealign import cost, models
from facealign.codecs import make_codec
from facealign.layers import Shape
from facealign.points import COUNT
from stages import run

SIZES = {  # what each is used at
    "onet": 48,
    "onet62": 62,
    "yinnet": 128,
    "resnet18": 128,
    "hourglass": 128,
    "pipnet": 128,
    "efficientnet": 128,
    "cascade": 128,
}
HEADER = ("network", "input, px", "codec", "parameters, M", "MFLOPs")
TO_MEASURE = ("CPU, ms a face", "training, faces a second", "AUC@0.08")  # filled in by hand


def main() -> None:
    rows = [(*HEADER, *TO_MEASURE), ("---",) * (len(HEADER) + len(TO_MEASURE))]
    for name in sorted(models.names(), key=list(SIZES).index):
        size = SIZES[name]
        mean_face = torch.zeros(COUNT, 2)
        network, codec = models.build(name, Shape(size, mean_face))
        make_codec(codec, size, mean_face)  # refuses a size that its maps do not fit
        millions = cost.parameters(network) / 1e6, cost.operations(network, size) / 1e6
        figures = (f"{millions[0]:.2f}", f"{millions[1]:.0f}")
        rows.append((f"`{name}`", str(size), codec, *figures, *("—",) * len(TO_MEASURE)))
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    run(main)
