"""Stacked hourglass (Newell et al. 2016): heatmaps, each stack refining the one before.

The layout is the paper's, with 128 channels for its 256 and the stem's pooling moved before its
first block, so that a CPU can train it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import nn

from facealign.core.config import Range
from facealign.models.parts.layers import Shape, Size, conv_unit, doubled

CODEC = "heatmap"
SIZE = Size(least=32, step=32)
WIDTH = 128


@dataclass(frozen=True)
class Options:
    """train.networks.hourglass, explained in params.yaml."""

    stacks: Annotated[int, Range(1, 8)] = 2


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution, each after batch norm and ReLU, added to the input."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        inner = outputs // 2
        self.body = nn.Sequential(
            *_normed(inputs, nn.Conv2d(inputs, inner, 1, bias=False)),
            *_normed(inner, nn.Conv2d(inner, inner, 3, padding=1, bias=False)),
            *_normed(inner, nn.Conv2d(inner, outputs, 1)),
        )
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = self.body(inputs) + self.skip(inputs)
        return total


class Hourglass(nn.Module):
    """Halve the map `depth` times and double it again, with a skip connection at each size."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.beside = Bottleneck(WIDTH, WIDTH)
        inside = Hourglass(depth - 1) if depth > 1 else Bottleneck(WIDTH, WIDTH)
        self.below = nn.Sequential(
            nn.MaxPool2d(2, 2), Bottleneck(WIDTH, WIDTH), inside, Bottleneck(WIDTH, WIDTH)
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = self.beside(inputs) + doubled(self.below(inputs))
        return total


class Stacked(nn.Module):
    def __init__(self, depth: int, stacks: int, points: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            conv_unit(3, 64, 7, 2),
            nn.MaxPool2d(2, 2),
            Bottleneck(64, WIDTH),
            Bottleneck(WIDTH, WIDTH),
        )
        self.stacks = nn.ModuleList(
            nn.Sequential(Hourglass(depth), Bottleneck(WIDTH, WIDTH), conv_unit(WIDTH, WIDTH, 1))
            for _ in range(stacks)
        )
        self.heads = nn.ModuleList(nn.Conv2d(WIDTH, points, 1) for _ in range(stacks))
        # inputs of the next stack: the features and heatmaps of this one
        self.features_on = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 1) for _ in range(stacks - 1))
        self.heatmaps_on = nn.ModuleList(nn.Conv2d(points, WIDTH, 1) for _ in range(stacks - 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        trail = self.stem(images)
        estimates: list[torch.Tensor] = []
        for number, (stack, head) in enumerate(zip(self.stacks, self.heads, strict=True)):
            features = stack(trail)
            estimates.append(head(features))
            if number < len(self.features_on):
                passed_on = self.features_on[number](features)
                trail = trail + passed_on + self.heatmaps_on[number](estimates[-1])
        return tuple(estimates) if self.training else estimates[-1]


def build(shape: Shape, options: Options) -> nn.Module:
    # the paper's coarsest map has 4 x 4 cells, of 256 pixels
    depth = 4 if shape.size >= 256 and shape.size % 64 == 0 else 3
    return Stacked(depth, options.stacks, shape.points)


def _normed(inputs: int, convolution: nn.Conv2d) -> list[nn.Module]:
    return [nn.BatchNorm2d(inputs), nn.ReLU(inplace=True), convolution]
