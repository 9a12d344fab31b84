"""Write a trained network to where `facealign` looks for it, under a name. No stage."""

from pathlib import Path

import torch

from facealign import checkpoint, export
from stages import run


def main(model: Path, name: Path) -> None:
    trained = checkpoint.load(model)
    weights = (checkpoint.RELEASED / name).with_suffix(".pt")
    checkpoint.save(checkpoint.halved(trained), weights)
    network, codec = checkpoint.build(trained, torch.device("cpu"))
    runnable = weights.with_suffix(".onnx")
    export.to_onnx(network, codec, trained.stats, runnable, halved=True)
    for file in (weights, runnable):
        print(f"{file}: {file.stat().st_size / 1e6:.1f} MB, epoch {trained.epoch}")


if __name__ == "__main__":
    run(main)
