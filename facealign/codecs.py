"""How a network's output stands for points. `decode(encode(points))` gives the points back.

Each network's file names its codec; losses see encoded points, whose unit is the crop's side.
"""

from __future__ import annotations

from typing import Protocol

import torch

from facealign.errors import FacealignError
from facealign.points import COUNT


class Codec(Protocol):
    def encode(self, points: torch.Tensor) -> torch.Tensor: ...

    def decode(self, output: torch.Tensor) -> torch.Tensor: ...


class Coordinates:
    """The points' offsets from the mean face, as shares of the crop's side."""

    def __init__(self, size: int, mean_face: torch.Tensor) -> None:
        self.size = size
        self.mean_face = mean_face  # (68, 2), input pixels

    def encode(self, points: torch.Tensor) -> torch.Tensor:
        return ((points - self.mean_face) / self.size).flatten(1)

    def decode(self, output: torch.Tensor) -> torch.Tensor:
        return output.reshape(-1, COUNT, 2) * self.size + self.mean_face


def make_codec(name: str, size: int, mean_face: torch.Tensor) -> Codec:
    if name != "coordinates":
        raise FacealignError(f"unknown codec {name!r}. Valid: coordinates")
    return Coordinates(size, mean_face)
