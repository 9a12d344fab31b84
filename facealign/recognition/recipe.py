"""What `make recognition` compares, and names that its stages share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TRAIN, VALIDATE, UNSEEN = "train", "validate", "unseen"  # what a picture is used for
NETWORK, GUESSES, CURVE = "recogniser.onnx", "validated.csv", "training.csv"  # of each variant
LED = ("top1", "tar_1e-2")  # figures in which variants are compared

Points = Literal["none", 2, 3, 5]
Loss = Literal["ce", "arcface"]


@dataclass(frozen=True)
class Variants:
    """The section `recognition.compare` of params.yaml."""

    points: tuple[Points, ...]
    losses: tuple[Loss, ...]

    def names(self) -> list[tuple[str, str]]:
        return [(str(points), loss) for points in self.points for loss in self.losses]
