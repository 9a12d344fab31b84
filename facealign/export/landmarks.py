"""A network as one ONNX file, from the bytes of a crop to its points.

Normalisation and codec are inside, so that no other program can get them wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from facealign.core.errors import FacealignError
from facealign.core.files import atomic_write
from facealign.core.points import mirror
from facealign.export.onnx_files import Normalised, two_crops, write
from facealign.faces.cropping import Stats
from facealign.models.parts.codecs import Codec, unmirrored
from facealign.training import checkpoint

AGREEMENT = 1e-3  # pixels of the input: more than this is a fault
HALF = 0.02  # an expected error of this share of the face's rectangle has a score of one half


class FromCrops(nn.Module):
    """(N, size, size, 3) uint8 RGB crops -> (N, K, 2) points in input pixels; on the CPU.

    And, of a network that doubts, scores (N, K) from 0 to 1. If `mirrored`, it looks twice,
    the second time at the mirror image, and what it says is the mean.
    """

    def __init__(
        self, network: nn.Module, codec: Codec, stats: Stats, mirrored: bool = False
    ) -> None:
        super().__init__()
        self.network = network
        self.codec = codec
        self.inputs = Normalised(stats)
        self.stats, self.mirrored = stats, mirrored
        # the crop shows the rectangle widened by the margin on each side
        self.unit = HALF * stats.size / (1 + 2 * stats.margin)
        self.eval()

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, ...]:
        inputs = self.inputs(crops)
        if self.mirrored:  # each crop, then its mirror image
            inputs = torch.stack([inputs, inputs.flip(3)], 1).flatten(0, 1)
        output = self.network(inputs)
        points, errors = self.codec.decode(output), self.codec.expected_errors(output)
        if self.mirrored:
            points = (points[::2] + unmirrored(points[1::2], self.stats.size)) / 2
            if errors is not None:
                errors = (errors[::2] + errors[1::2][:, mirror(errors.shape[1])]) / 2
        return (points,) if errors is None else (points, torch.exp2(-errors / self.unit))


class Mean(nn.Module):
    """What several networks say of the same crops, averaged: those trained apart err apart."""

    def __init__(self, members: Sequence[FromCrops]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.stats = members[0].stats
        for member in members:
            if cut(member.stats) != cut(self.stats):
                raise FacealignError(
                    "networks that are averaged see the same crops, not "
                    f"{cut(self.stats)} and {cut(member.stats)} (size, margin, rim)"
                )
        self.eval()

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, ...]:
        said = [member(crops) for member in self.members]
        # scores only if all of them doubt
        return tuple(torch.stack(its).mean(dim=0) for its in zip(*said, strict=False))


def cut(stats: Stats) -> tuple[int, float, int]:
    """What of them decides the crop's pixels; the colours' mean and deviation come after."""
    return stats.size, stats.margin, stats.border


def to_onnx(module: FromCrops | Mean, path: Path) -> None:
    """The file's input `crops` is what `module` takes, of any number; its outputs are `points`
    and `scores`. It says itself how crops are cut."""
    stats = module.stats
    with torch.inference_mode():
        outputs = len(module(two_crops(stats.size)))
    facts = {"margin": repr(stats.margin), "rim": str(stats.border)}
    write(module, stats.size, ["points", "scores"][:outputs], facts, path)


def export_checked(source: Path, path: Path, mirrored: bool = False) -> float:
    """Write the checkpoint `source` as ONNX; by how many pixels its points are off torch's."""
    trained = checkpoint.load(source)
    network, codec = checkpoint.build(trained, torch.device("cpu"))
    size = trained.stats.size
    noise = np.random.default_rng(0).integers(0, 256, (4, size, size, 3), dtype=np.uint8)
    with atomic_write(path) as part:
        module = FromCrops(network, codec, trained.stats, mirrored)
        to_onnx(module, part)
        off = difference(part, module, noise)
        if off > AGREEMENT:
            raise FacealignError(
                f"{source}: a coordinate in ONNX Runtime is {off:.2g} px off torch's, expected at "
                f"most {AGREEMENT:g}; {path} was not written"
            )
    return off


def difference(path: Path, module: FromCrops | Mean, crops: np.ndarray) -> float:
    """By how many pixels a coordinate differs at most between the file and torch."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (exported,) = session.run(["points"], {"crops": crops})
    with torch.inference_mode():
        expected, *_ = module(torch.from_numpy(crops))
    return float(np.abs(exported - expected.numpy()).max())
