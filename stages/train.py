"""Train the network that params.yaml describes."""

from dataclasses import asdict
from pathlib import Path

from facealign import checkpoint, config, cropping, tables, training
from facealign.recipe import Train
from stages import run


def main(crops: Path, model: Path, curve: Path) -> None:
    best, epochs = training.train(cropping.load_crops(crops), config.load("train", Train))
    checkpoint.save(best, model)
    tables.write_rows(curve, tuple(asdict(epochs[0])), [tuple(asdict(e).values()) for e in epochs])
    print(f"best epoch {best.epoch}: validation NME {best.validation_nme:.4f}")


if __name__ == "__main__":
    run(main)
