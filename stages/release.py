"""Write a trained network to where `train.init=released` looks for it. No part of `dvc repro`."""

from pathlib import Path

from facealign import checkpoint
from stages import run


def main(model: Path) -> None:
    trained = checkpoint.load(model)
    target = checkpoint.RELEASED / f"{trained.arch}.pt"
    checkpoint.save(checkpoint.halved(trained), target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, {trained.arch}, epoch {trained.epoch}")


if __name__ == "__main__":
    run(main)
