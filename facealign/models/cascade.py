"""The flagship: a net whose estimate of the points is corrected by a second and a third look.

Its trunk, which makes maps of a picture, is a small residual net, or the beginning of
EfficientNet-Lite0, which can start from what it learnt of ImageNet's pictures.

The last map, coarse but aware of the whole face, gives all points at once. Each look then samples a
finer map around every point of the estimate before, lets the points tell each other what they see,
and moves them.

The last look also says how far off it expects each point to be.
"""

from __future__ import annotations

from itertools import islice, pairwise

import torch
from torch import nn

from facealign.core.errors import FacealignError
from facealign.models.parts import efficientnet
from facealign.models.parts.layers import (
    Pyramid,
    ResidualBlock,
    Scale,
    Shape,
    conv_unit,
    need_multiple,
    sample,
)

CODEC = "coordinates"
STRIDES = (4, 8, 16)
BLOCKS = (1, 2, 2)  # residual blocks at each stride
LOOKS = 2
PATCH = 3  # cells along each side of what is sampled around a point
KNOWN = 32  # numbers learnt for each point: which one it is
SEEN = 128  # numbers that describe what a point sees
TOLD = 16  # numbers that it tells the others


class Look(nn.Module):
    patch: torch.Tensor
    mean_face: torch.Tensor

    def __init__(self, shape: Shape, spread: bool) -> None:
        super().__init__()
        count, size = shape.points, shape.size
        self.size = size
        places = torch.arange(PATCH) - PATCH // 2
        steps = torch.stack(torch.meshgrid(places, places, indexing="xy"), -1).reshape(-1, 2)
        # in the unit of `grid_sample`, where the crop's side is 2
        self.register_buffer("patch", steps * STRIDES[0] * 2 / size, persistent=False)
        self.register_buffer("mean_face", shape.mean_face.clone(), persistent=False)
        self.known = nn.Parameter(0.1 * torch.randn(count, KNOWN))
        self.see = nn.Linear(shape.width * PATCH**2 + KNOWN, SEEN)
        self.forget = nn.Dropout(shape.dropout)
        self.tell = nn.Linear(SEEN, TOLD)
        self.confer = nn.Sequential(
            nn.Linear(count * TOLD, 256), nn.ReLU(), nn.Linear(256, count * TOLD), nn.ReLU()
        )
        step = nn.Linear(SEEN + TOLD, 2)
        nn.init.normal_(step.weight, std=0.01)  # at first a look changes next to nothing
        nn.init.zeros_(step.bias)
        self.move = nn.Sequential(step, Scale(0.03))
        self.doubt = (
            nn.Sequential(nn.Linear(SEEN + TOLD, 32), nn.ReLU(), nn.Linear(32, 1))
            if spread
            else None
        )

    def forward(self, maps: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Offsets (N, K, 2) from the mean face, as shares of the side -> better ones; with the
        logarithm of each one's expected error as a third number in the last look."""
        # the centre of the first pixel lies half a pixel behind -1, see `geometry`
        points = (offsets + (self.mean_face + 0.5) / self.size) * 2 - 1
        patches = sample(maps, points[:, :, None] + self.patch).transpose(1, 2).flatten(2)
        known = self.known.expand(maps.shape[0], -1, -1)
        seen = self.forget(torch.relu(self.see(torch.cat([patches, known], -1))))
        told = self.confer(torch.relu(self.tell(seen)).flatten(1)).unflatten(1, (-1, TOLD))
        view = torch.cat([seen, told], -1).float()
        moved = offsets + self.move(view)
        if self.doubt is None:
            return moved
        # detached: to judge the points must not change them
        return torch.cat([moved, self.doubt(view.detach())], -1)


def residual(width: int) -> tuple[nn.Module, nn.ModuleList, tuple[int, ...]]:
    """What gives maps at the strides, one stage after the other, and the channels of each."""
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


def pretrained(_: int) -> tuple[nn.Module, nn.ModuleList, tuple[int, ...]]:
    """The same of EfficientNet-Lite0, as wide as it was published."""
    stem = nn.Sequential(efficientnet.Unit(3, efficientnet.STEM, 3, 2), nn.ReLU6(inplace=True))
    blocks = efficientnet.blocks()
    taps = list(efficientnet.TAPS)[: len(STRIDES)]
    lengths = (after - before for before, after in pairwise((-1, *taps)))
    stages = nn.ModuleList(nn.Sequential(*islice(blocks, length)) for length in lengths)
    return stem, stages, tuple(efficientnet.TAPS[tap] for tap in taps)


TRUNKS = {"residual": residual, "efficientnet": pretrained}


class Cascade(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.stem, self.stages, widths = TRUNKS[shape.trunk](width)
        self.pyramid = Pyramid(widths, width)
        cells = (shape.size // STRIDES[-1]) ** 2
        self.narrow = conv_unit(widths[-1], width, 1)
        self.forget = nn.Dropout(shape.dropout)
        self.first = nn.Sequential(
            nn.Flatten(), nn.Linear(width * cells, 2 * shape.points), Scale(0.01)
        )
        self.looks = nn.ModuleList(Look(shape, look == LOOKS - 1) for look in range(LOOKS))

    def forward(self, images: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        maps = [self.stem(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        first = self.first(self.forget(self.narrow(maps[-1])))
        estimates = [first.float().unflatten(1, (-1, 2))]
        fine = self.pyramid(maps[1:]).float()
        for look in self.looks:
            # detached: each look learns to correct the one before, not to have been that one
            estimates.append(look(fine, estimates[-1].detach()))
        return tuple(estimates) if self.training else estimates[-1]


def build(shape: Shape) -> nn.Module:
    need_multiple("cascade", shape.size, STRIDES[-1])
    return Cascade(shape)


def load_imagenet(network: nn.Module) -> None:
    assert isinstance(network, Cascade)
    first, *_ = network.stem.children()
    if not isinstance(first, efficientnet.Unit):
        raise FacealignError(
            "train.init: of the cascade's trunks only one has weights of ImageNet: "
            "train.trunk=efficientnet"
        )
    efficientnet.fill(first, (block for stage in network.stages for block in stage.children()))
