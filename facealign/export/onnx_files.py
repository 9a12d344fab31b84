"""Networks as ONNX files that take a crop's bytes and say how crops are cut."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from torch import nn

from facealign.core.files import atomic_write
from facealign.faces.cropping import Stats


class Normalised(nn.Module):
    """Crops (N, size, size, 3) of bytes as a network has learnt to see them, (N, 3, size, size)."""

    def __init__(self, stats: Stats) -> None:
        super().__init__()
        # of a whole row of pixels: ONNX Runtime is slow at the three numbers of each
        self.mean = torch.tensor(stats.mean, dtype=torch.float32).repeat(stats.size)
        self.std = torch.tensor(stats.std, dtype=torch.float32).clamp(min=1.0).repeat(stats.size)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        rows = (crops.flatten(2).float() - self.mean) / self.std
        return rows.reshape(crops.shape).permute(0, 3, 1, 2)


def write(
    module: nn.Module, size: int, outputs: Sequence[str], facts: Mapping[str, str], path: Path
) -> None:
    """Any module of crops as an ONNX file, with facts that its user must know."""
    # it tells of each torchvision operator that it cannot have, and torchvision is not needed
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch about torch
        program = torch.onnx.export(
            module,
            (two_crops(size),),
            input_names=["crops"],
            output_names=list(outputs),
            dynamic_shapes=({0: torch.export.Dim("faces")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    # the exporter notes where in the code each node came from: paths of this machine, in every file
    for part in (model.graph, *model.graph.node, *model.graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.helper.set_model_props(model, {f"facealign.{key}": fact for key, fact in facts.items()})
    with atomic_write(path) as part:
        onnx.save(model, part)


def two_crops(size: int) -> torch.Tensor:
    """The exporter would take a batch of one for the only one there is."""
    return torch.zeros(2, size, size, 3, dtype=torch.uint8)
