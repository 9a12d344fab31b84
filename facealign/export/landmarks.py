"""A network as one ONNX file, from the bytes of a crop to its points.

Normalisation and decoding are part of the graph, so that users of the file need not repeat them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from facealign.core.errors import ModelError
from facealign.core.files import atomic_write
from facealign.core.points import mirror, source_of
from facealign.export.onnx_files import Normalised, two_crops, write
from facealign.faces.cropping import Stats
from facealign.models.parts.codecs import Codec, unflipped
from facealign.training import checkpoint

AGREEMENT = 1e-3  # pixels of the input: the tolerance between ONNX Runtime and torch
HALF = 0.02  # the expected error with a score of 0.5, as a share of the face's rectangle


class FromCrops(nn.Module):
    """(N, size, size, 3) uint8 RGB crops -> (N, K, 2) points in input pixels; on the CPU.

    Also scores (N, K) from 0 to 1, if the network predicts its errors. With `flip` test-time
    augmentation both are averaged over the crop and the flipped crop.
    """

    def __init__(self, network: nn.Module, codec: Codec, stats: Stats, flip: bool = False) -> None:
        super().__init__()
        self.network = network
        self.codec = codec
        self.inputs = Normalised(stats)
        self.stats, self.flip = stats, flip
        # the crop shows the rectangle widened by the margin on each side
        self.unit = HALF * stats.size / (1 + 2 * stats.margin)
        self.eval()

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, ...]:
        inputs = self.inputs(crops)
        if self.flip:  # each crop, followed by the flipped one
            inputs = torch.stack([inputs, inputs.flip(3)], 1).flatten(0, 1)
        output = self.network(inputs)
        points, errors = self.codec.decode(output), self.codec.expected_errors(output)
        if self.flip:
            points = (points[::2] + unflipped(points[1::2], self.stats.size)) / 2
            if errors is not None:
                errors = (errors[::2] + errors[1::2][:, mirror(errors.shape[1])]) / 2
        return (points,) if errors is None else (points, torch.exp2(-errors / self.unit))


class Mean(nn.Module):
    """An ensemble: the outputs of several networks, averaged."""

    def __init__(self, members: Sequence[FromCrops]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.stats = members[0].stats
        for member in members:
            if cut(member.stats) != cut(self.stats):
                raise ModelError(
                    "the networks of an ensemble need the same crops, not "
                    f"{cut(self.stats)} and {cut(member.stats)} (size, margin, rim)"
                )
        self.eval()

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, ...]:
        outputs = [member(crops) for member in self.members]
        # not strict: scores only if all members have them
        return tuple(torch.stack(its).mean(dim=0) for its in zip(*outputs, strict=False))


def cut(stats: Stats) -> tuple[int, float, int]:
    """Size, margin and rim, which decide how a crop is cut; colours are normalised later."""
    return stats.size, stats.margin, stats.border


def to_onnx(module: FromCrops | Mean, path: Path) -> None:
    """Write an ONNX file with the input `crops`, any number of them, and the outputs `points` and
    `scores`. Its metadata says how crops are cut, and has a user's scheme."""
    stats = module.stats
    with torch.inference_mode():
        outputs = module(two_crops(stats.size))
    metadata = {"margin": repr(stats.margin), "rim": str(stats.border)}
    if own := source_of(outputs[0].shape[1]):
        metadata["scheme"] = json.dumps(own)
    write(module, stats.size, ["points", "scores"][: len(outputs)], metadata, path)


def export_checked(source: Path, path: Path, flip: bool = False) -> float:
    """Write the checkpoint `source` as ONNX; returns the largest difference to torch, in pixels."""
    trained = checkpoint.load(source)
    network, codec = checkpoint.build(trained, torch.device("cpu"))
    size = trained.stats.size
    noise = np.random.default_rng(0).integers(0, 256, (4, size, size, 3), dtype=np.uint8)
    with atomic_write(path) as part:
        module = FromCrops(network, codec, trained.stats, flip)
        to_onnx(module, part)
        off = difference(part, module, noise)
        if off > AGREEMENT:
            raise ModelError(
                f"{source}: a coordinate in ONNX Runtime differs from torch's by {off:.2g} px, "
                f"expected at most {AGREEMENT:g}; {path} was not written"
            )
    return off


def difference(path: Path, module: FromCrops | Mean, crops: np.ndarray) -> float:
    """The largest difference of a coordinate between the file and torch, in pixels."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (exported,) = session.run(["points"], {"crops": crops})
    with torch.inference_mode():
        expected, *_ = module(torch.from_numpy(crops))
    return float(np.abs(exported - expected.numpy()).max())
