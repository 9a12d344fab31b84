"""EfficientNet-Lite0 with a feature pyramid down to stride 4."""

from __future__ import annotations

import torch
from torch import nn

from facealign.models.parts.efficientnet import TAPS, Trunk, fill
from facealign.models.parts.layers import Pyramid, Shape, Size

CODEC = "integral"
SIZE = Size(least=32, step=32)
WIDTH = 64  # of the pyramid


class EfficientNet(nn.Module):
    def __init__(self, points: int) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.pyramid = Pyramid(tuple(TAPS.values()), WIDTH)
        self.head = nn.Conv2d(WIDTH, points, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.pyramid(self.trunk(images)))
        return logits


def build(shape: Shape) -> nn.Module:
    return EfficientNet(shape.points)


def load_imagenet(network: nn.Module) -> None:
    assert isinstance(network, EfficientNet)
    fill(network.trunk.stem, network.trunk.blocks)
