"""What the networks share: input sizes, and layers that several of them use."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from facealign.core.errors import ConfigError


@dataclass(frozen=True, eq=False)
class Shape:
    """What every network is built for."""

    size: int  # side of the square input, pixels
    mean_face: torch.Tensor  # (K, 2), input pixels

    @property
    def points(self) -> int:
        return len(self.mean_face)


@dataclass(frozen=True)
class Size:
    """The inputs that a network takes: `least` pixels or more and, if it halves its maps and adds
    them up again at the finer strides, a multiple of `step`."""

    least: int
    step: int = 1

    def check(self, arch: str, size: int) -> None:
        if size < self.least or size % self.step:
            needs = f"a multiple of {self.step}" if self.step > 1 else f"at least {self.least}"
            raise ConfigError(f"crop.size: {arch} needs {needs} pixels, not {size}")


def flat_width(features: nn.Module, size: int) -> int:
    """The length of the vector that `features`, which ends with Flatten, makes of a picture."""
    # batch norm must not update its statistics
    training = features.training
    with torch.no_grad():
        width: int = features.eval()(torch.zeros(1, 3, size, size)).shape[1]
    features.train(training)
    return width


def conv_unit(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU; the map keeps its side, or 1 / `stride` of it."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Scale(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs * self.factor


def regression_head(inputs: int, points: int) -> nn.Sequential:
    """Coordinates from `inputs` features; an untrained one predicts nearly the mean face.

    A step of Adam moves each weight by the learning rate. At a rate of 0.002 a thousand inputs move
    a point by about a crop's side, but the points vary by a twentieth of it: the network would
    saturate and keep predicting the mean face. Scaling the output by 0.01 makes the step fit.
    """
    return nn.Sequential(nn.Linear(inputs, 2 * points), Scale(0.01))


class ResidualBlock(nn.Module):
    """He et al. 2016: two 3x3 convolutions whose result is added to the input."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_unit(inputs, outputs, 3, stride),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.skip: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.skip = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(inputs) + self.skip(inputs))


class ResNet18(nn.Module):
    """The convolutions of ResNet-18: its maps at the strides 4, 8, 16 and 32."""

    WIDTHS = (64, 128, 256, 512)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_unit(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1))
        before = (64, *self.WIDTHS)
        self.stages = nn.ModuleList(
            nn.Sequential(
                ResidualBlock(before[i], width, 1 if i == 0 else 2), ResidualBlock(width, width, 1)
            )
            for i, width in enumerate(self.WIDTHS)
        )

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        maps = [self.stem(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps[1:]


def doubled(maps: torch.Tensor) -> torch.Tensor:
    """Each cell twice as wide and high."""
    return nn.functional.interpolate(maps, scale_factor=2, mode="nearest")


class Pyramid(nn.Module):
    """Lin et al. 2017: coarse maps, which have more context, added to finer ones.

    Takes maps whose side halves from one to the next. Returns one map of `outputs` channels at the
    resolution of the first.
    """

    def __init__(self, widths: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.sideways = nn.ModuleList(nn.Conv2d(width, outputs, 1) for width in widths)
        self.blend = conv_unit(outputs, outputs)

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        narrow = [side(one) for side, one in zip(self.sideways, maps, strict=True)]
        merged = narrow.pop()
        while narrow:
            merged = narrow.pop() + doubled(merged)
        blended: torch.Tensor = self.blend(merged)
        return blended


def sample(maps: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Maps (N, C, h, w), interpolated at places (N, K, P, 2) from -1 to 1 -> (N, C, K, P).
    Places outside take the value at the edge."""
    if not torch.compiler.is_exporting():
        return nn.functional.grid_sample(maps, places, padding_mode="border", align_corners=False)
    # the same from basic operators: ONNX Runtime's GridSample is several times slower
    count, _, height, width = maps.shape
    sides = torch.tensor([width, height], dtype=maps.dtype)
    cells = torch.minimum((((places + 1) * sides - 1) / 2).clamp(min=0), sides - 1)
    corner = torch.minimum(cells.floor(), sides - 2)
    across, down = (cells - corner)[..., :1], (cells - corner)[..., 1:]
    column, row = corner.long().unbind(-1)
    face = torch.arange(count)[:, None, None]
    vectors = maps.permute(0, 2, 3, 1).flatten(0, 2)
    first = (face * height + row) * width + column
    above, above_right, below, below_right = (
        vectors[first + step] for step in (0, 1, width, width + 1)
    )
    above = above + (above_right - above) * across
    below = below + (below_right - below) * across
    return (above + (below - above) * down).permute(0, 3, 1, 2)
