"""PIPNet (Jin et al. 2021): on a coarse grid, in which cell a point is, and where in the cell.

The trunk is ResNet-18, as in the paper. There the grid has stride 32 of 256 pixels and a point is
also sought from its neighbours' cells; here its coarse maps are merged into stride 8, which leaves
less to the offsets and does without the neighbours.
"""

import torch
from torch import nn

from facealign.models.parts.layers import Pyramid, ResNet18, Shape, need_multiple

CODEC = "pixel_in_pixel"
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
    need_multiple("pipnet", shape.size, 32)
    return PipNet(shape.points)
