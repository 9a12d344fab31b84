"""PIPNet (Jin et al. 2021): on a coarse grid, the cell that a point is in, and its offset there.

The trunk is ResNet-18, as in the paper. The paper's grid has stride 32 at 256 pixels, and a point
is also regressed from the cells of its neighbours. Here coarse maps are merged into stride 8:
offsets are small, and neighbours are not needed.
"""

import torch
from torch import nn

from facealign.models.parts.layers import Pyramid, ResNet18, Shape, Size

CODEC = "pixel_in_pixel"
SIZE = Size(least=32, step=32)
WIDTH = 128


class PipNet(nn.Module):
    def __init__(self, points: int) -> None:
        super().__init__()
        self.trunk = ResNet18()
        self.pyramid = Pyramid(ResNet18.WIDTHS[1:], WIDTH)
        self.head = nn.Conv2d(WIDTH, 3 * points, 1)  # score, x and y offset

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.head(self.pyramid(self.trunk(images)[1:]))
        return maps


def build(shape: Shape) -> nn.Module:
    return PipNet(shape.points)
