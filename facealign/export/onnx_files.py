"""Networks as ONNX files that take a crop's bytes and have metadata on how crops are cut."""

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
    """Crops (N, size, size, 3) of bytes -> normalised inputs of a network, (N, 3, size, size)."""

    def __init__(self, stats: Stats) -> None:
        super().__init__()
        # repeated for a whole row of pixels: ONNX Runtime is slow with an axis of three
        self.mean = torch.tensor(stats.mean, dtype=torch.float32).repeat(stats.size)
        self.std = torch.tensor(stats.std, dtype=torch.float32).clamp(min=1.0).repeat(stats.size)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        rows = (crops.flatten(2).float() - self.mean) / self.std
        return rows.reshape(crops.shape).permute(0, 3, 1, 2)


def write(
    module: nn.Module, size: int, outputs: Sequence[str], metadata: Mapping[str, str], path: Path
) -> None:
    """Write a module that takes crops as an ONNX file."""
    # it warns of missing torchvision operators, which are not needed
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's own
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
    # the exporter stores source paths of this machine with each node
    for part in (model.graph, *model.graph.node, *model.graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.helper.set_model_props(
        model, {f"facealign.{key}": value for key, value in metadata.items()}
    )
    with atomic_write(path) as part:
        onnx.save(model, part)


def two_crops(size: int) -> torch.Tensor:
    """An example batch; with one crop the exporter would fix the batch's length to 1."""
    return torch.zeros(2, size, size, 3, dtype=torch.uint8)
