"""What the networks share: the shape they are built for, and parts that several are made of."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from facealign.errors import FacealignError


@dataclass(frozen=True)
class Shape:
    size: int  # side of the square input, pixels
    mean_face: torch.Tensor  # (K, 2), input pixels
    stacks: int = 2  # of the hourglass

    @property
    def points(self) -> int:
        return len(self.mean_face)


def need_least(arch: str, size: int, least: int) -> None:
    if size < least:
        raise FacealignError(f"crop.size: {arch} needs at least {least} pixels, not {size}")


def flat_width(features: nn.Module, size: int) -> int:
    """How many numbers `features`, which ends flat, makes of a picture."""
    # batch norm must not count the trial
    training = features.training
    with torch.no_grad():
        width: int = features.eval()(torch.zeros(1, 3, size, size)).shape[1]
    features.train(training)
    return width
