"""The flagship: a first estimate of all points, refined twice from features sampled around each.

The trunk is a small residual network or the beginning of EfficientNet-Lite0, which can start from
ImageNet weights. Its last map, coarse but with the whole face in view, gives the first estimate.
Each refinement samples a finer map around every point of the estimate before it, exchanges messages
between the points, and moves them. The last one also predicts each point's error.

The attributes' names are keys of the released weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Annotated, Literal

import torch
from torch import nn

from facealign.core.config import Range, Share
from facealign.core.errors import ConfigError
from facealign.models.parts import efficientnet
from facealign.models.parts.layers import (
    Pyramid,
    ResidualBlock,
    Scale,
    Shape,
    Size,
    conv_unit,
    sample,
)

CODEC = "coordinates"
STRIDES = (4, 8, 16)
SIZE = Size(least=STRIDES[-1], step=STRIDES[-1])
BLOCKS = (1, 2, 2)  # residual blocks at each stride
REFINEMENTS = 2
PATCH = 3  # cells along each side of the patch sampled around a point
EMBEDDING = 32  # length of the learnt vector that identifies a point
FEATURES = 128  # length of the vector that describes a point's patch
MESSAGE = 16  # length of the message that a point sends to the others

Trunk = tuple[nn.Module, nn.ModuleList, tuple[int, ...]]  # stem, stages and their channels


@dataclass(frozen=True)
class Options:
    """train.networks.cascade, explained in params.yaml."""

    width: Annotated[int, Range(16, 256)] = 48  # the stem has half; oneDNN crashes on fewer than 8
    trunk: Literal["residual", "efficientnet"] = "residual"
    dropout: Share = 0.0


class Refinement(nn.Module):
    patch: torch.Tensor
    mean_face: torch.Tensor

    def __init__(self, shape: Shape, options: Options, predicts_error: bool) -> None:
        super().__init__()
        count, size = shape.points, shape.size
        self.size = size
        places = torch.arange(PATCH) - PATCH // 2
        steps = torch.stack(torch.meshgrid(places, places, indexing="xy"), -1).reshape(-1, 2)
        # in the unit of `grid_sample`, where the crop's side is 2
        self.register_buffer("patch", steps * STRIDES[0] * 2 / size, persistent=False)
        self.register_buffer("mean_face", shape.mean_face.clone(), persistent=False)
        self.known = nn.Parameter(0.1 * torch.randn(count, EMBEDDING))
        self.see = nn.Linear(options.width * PATCH**2 + EMBEDDING, FEATURES)
        self.forget = nn.Dropout(options.dropout)
        self.tell = nn.Linear(FEATURES, MESSAGE)
        self.confer = nn.Sequential(
            nn.Linear(count * MESSAGE, 256), nn.ReLU(), nn.Linear(256, count * MESSAGE), nn.ReLU()
        )
        step = nn.Linear(FEATURES + MESSAGE, 2)
        nn.init.normal_(step.weight, std=0.01)  # an untrained refinement hardly moves a point
        nn.init.zeros_(step.bias)
        self.move = nn.Sequential(step, Scale(0.03))
        self.doubt = (
            nn.Sequential(nn.Linear(FEATURES + MESSAGE, 32), nn.ReLU(), nn.Linear(32, 1))
            if predicts_error
            else None
        )

    def forward(self, maps: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Offsets (N, K, 2) from the mean face, as shares of the side -> refined ones, with the
        logarithm of each point's expected error as a third number if `predicts_error`."""
        # the centre of the first pixel lies half a pixel behind -1, see `geometry`
        points = (offsets + (self.mean_face + 0.5) / self.size) * 2 - 1
        patches = sample(maps, points[:, :, None] + self.patch).transpose(1, 2).flatten(2)
        known = self.known.expand(maps.shape[0], -1, -1)
        seen = self.forget(torch.relu(self.see(torch.cat([patches, known], -1))))
        told = self.confer(torch.relu(self.tell(seen)).flatten(1)).unflatten(1, (-1, MESSAGE))
        features = torch.cat([seen, told], -1).float()
        moved = offsets + self.move(features)
        if self.doubt is None:
            return moved
        # detached: learning to predict the error must not change the points
        return torch.cat([moved, self.doubt(features.detach())], -1)


def residual(width: int) -> Trunk:
    """Dense 3x3 convolutions, `width` channels at the finest stride."""
    widths = tuple(width * stride // STRIDES[0] for stride in STRIDES)
    stem = nn.Sequential(conv_unit(3, width // 2, 3, 2), conv_unit(width // 2, width, 3, 2))
    before = (width, *widths)
    stages = nn.ModuleList(
        nn.Sequential(
            ResidualBlock(before[i], own, 1 if i == 0 else 2),
            *(ResidualBlock(own, own, 1) for _ in range(BLOCKS[i] - 1)),
        )
        for i, own in enumerate(widths)
    )
    return stem, stages, widths


def pretrained(_: int) -> Trunk:
    """The first blocks of EfficientNet-Lite0, as wide as it was published."""
    stem = nn.Sequential(efficientnet.Unit(3, efficientnet.STEM, 3, 2), nn.ReLU6(inplace=True))
    blocks = efficientnet.blocks()
    taps = list(efficientnet.TAPS)[: len(STRIDES)]
    lengths = (after - before for before, after in pairwise((-1, *taps)))
    stages = nn.ModuleList(nn.Sequential(*islice(blocks, length)) for length in lengths)
    return stem, stages, tuple(efficientnet.TAPS[tap] for tap in taps)


TRUNKS: dict[str, Callable[[int], Trunk]] = {"residual": residual, "efficientnet": pretrained}


class Cascade(nn.Module):
    def __init__(self, shape: Shape, options: Options) -> None:
        super().__init__()
        width = options.width
        self.stem, self.stages, widths = TRUNKS[options.trunk](width)
        self.pyramid = Pyramid(widths, width)
        cells = (shape.size // STRIDES[-1]) ** 2
        self.narrow = conv_unit(widths[-1], width, 1)
        self.forget = nn.Dropout(options.dropout)
        self.first = nn.Sequential(
            nn.Flatten(), nn.Linear(width * cells, 2 * shape.points), Scale(0.01)
        )
        self.looks = nn.ModuleList(
            Refinement(shape, options, predicts_error=number == REFINEMENTS - 1)
            for number in range(REFINEMENTS)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        maps = [self.stem(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        first = self.first(self.forget(self.narrow(maps[-1])))
        estimates = [first.float().unflatten(1, (-1, 2))]
        fine = self.pyramid(maps[1:]).float()
        for refinement in self.looks:
            # detached: a refinement learns to correct the estimate before it, not to change it
            estimates.append(refinement(fine, estimates[-1].detach()))
        return tuple(estimates) if self.training else estimates[-1]


def build(shape: Shape, options: Options) -> nn.Module:
    return Cascade(shape, options)


def load_imagenet(network: nn.Module) -> None:
    assert isinstance(network, Cascade)
    first, *_ = network.stem.children()
    if not isinstance(first, efficientnet.Unit):
        raise ConfigError(
            "train.init: the cascade has ImageNet weights for one trunk only: "
            "train.networks.cascade.trunk=efficientnet"
        )
    efficientnet.fill(first, (block for stage in network.stages for block in stage.children()))
