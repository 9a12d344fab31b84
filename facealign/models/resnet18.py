"""ResNet-18 (He et al. 2016), with the coordinates regressed from its pooled features."""

import torch
from torch import nn

from facealign.models.parts.layers import ResNet18, Shape, Size, regression_head

CODEC = "coordinates"
SIZE = Size(least=64)  # the last map then has four cells


class Regressor(nn.Module):
    def __init__(self, points: int) -> None:
        super().__init__()
        self.trunk = ResNet18()
        self.head = regression_head(ResNet18.WIDTHS[-1], points)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        # a mean, and not AdaptiveAvgPool2d, whose gradient is not deterministic on a GPU
        points: torch.Tensor = self.head(self.trunk(images)[-1].mean((2, 3)))
        return points


def build(shape: Shape) -> nn.Module:
    return Regressor(shape.points)
