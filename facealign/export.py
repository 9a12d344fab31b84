"""A network as one ONNX file, from the bytes of a crop to its points.

Normalisation and codec are inside, so that no other program can get them wrong.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from facealign.codecs import Codec
from facealign.cropping import Stats
from facealign.files import replacing
from facealign.timing import median_ms


class FromCrops(nn.Module):
    """(N, size, size, 3) uint8 RGB crops -> (N, K, 2) points in input pixels; on the CPU."""

    def __init__(self, network: nn.Module, codec: Codec, stats: Stats) -> None:
        super().__init__()
        self.network = network
        self.codec = codec
        self.mean = torch.tensor(stats.mean, dtype=torch.float32)[:, None, None]
        self.std = torch.tensor(stats.std, dtype=torch.float32)[:, None, None].clamp(min=1.0)
        self.eval()

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        pictures = (crops.permute(0, 3, 1, 2).float() - self.mean) / self.std
        return self.codec.decode(self.network(pictures))


def to_onnx(network: nn.Module, codec: Codec, stats: Stats, path: Path) -> None:
    """The file's input `crops` is what `FromCrops` takes, of any number; its output is `points`."""
    # of two crops: the exporter would take a batch of one for the only one there is
    crops = torch.zeros(2, stats.size, stats.size, 3, dtype=torch.uint8)
    # it tells of each torchvision operator that it cannot have, and torchvision is not needed
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch about torch
        program = torch.onnx.export(
            FromCrops(network, codec, stats),
            (crops,),
            input_names=["crops"],
            output_names=["points"],
            dynamic_shapes=({0: torch.export.Dim("faces")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    with replacing(path) as part:
        program.save(part, external_data=False)


def milliseconds(path: Path, runs: int = 50) -> float:
    """Of one face on one core, the median."""
    import onnxruntime  # takes long to import, and few need it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (crops,) = session.get_inputs()
    face = {"crops": np.zeros((1, *crops.shape[1:]), np.uint8)}
    return median_ms(lambda: session.run(["points"], face), runs)


def difference(
    path: Path, network: nn.Module, codec: Codec, stats: Stats, crops: np.ndarray
) -> float:
    """By how many pixels a coordinate differs at most between the file and torch."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (exported,) = session.run(["points"], {"crops": crops})
    with torch.inference_mode():
        expected = FromCrops(network, codec, stats)(torch.from_numpy(crops)).numpy()
    return float(np.abs(exported - expected).max())
