"""ResNet-18 (He et al. 2016), whose pooled features give the coordinates."""

import torch
from torch import nn

from facealign.models.parts.layers import ResNet18, Shape, need_least, regression_head

CODEC = "coordinates"


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
    need_least("resnet18", shape.size, 64)  # the last map then has four cells
    return Regressor(shape.points)
