"""Write a trained network to where `facealign` looks for it, under a name. No stage."""

import tempfile
from pathlib import Path

import numpy as np
import torch

from facealign import checkpoint, cropping, export, quantisation
from stages import run

SHOWN = 200  # crops to learn from, which show what values the bytes must hold


def main(model: Path, name: Path, crops_folder: Path) -> None:
    trained = checkpoint.load(model)
    weights = (checkpoint.RELEASED / name).with_suffix(".pt")
    checkpoint.save(checkpoint.halved(trained), weights)
    network, codec = checkpoint.build(trained, torch.device("cpu"))
    runnable = weights.with_suffix(".onnx")
    crops = cropping.load_crops(crops_folder)
    rows = crops.rows("train")
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / runnable.name
        export.to_onnx(network, codec, trained.stats, whole)
        some = rows[:: -(-len(rows) // SHOWN)]
        inner = slice(crops.stats.border, crops.stats.border + crops.stats.size)
        quantisation.quantise(whole, runnable, np.asarray(crops.pixels[some])[:, inner, inner])
    for file in (weights, runnable):
        print(f"{file}: {file.stat().st_size / 1e6:.1f} MB, epoch {trained.epoch}")


if __name__ == "__main__":
    run(main)
