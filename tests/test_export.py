from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from facealign import export
from facealign.codecs import make_codec
from facealign.cropping import Stats

STATS = Stats(8, 0.1, 2, (100.0, 50.0, 0.0), (10.0, 20.0, 0.5))
MEAN_FACE = torch.tensor([[2.0, 3.0]])
CODEC = make_codec("coordinates", STATS.size, MEAN_FACE)


class FirstPixel(nn.Module):
    """The two coordinates are red and blue of the upper left pixel, as they reach the network."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, ::2, 0, 0]


def crops_of(*colours: tuple[int, int, int]) -> np.ndarray:
    crops = np.zeros((len(colours), 8, 8, 3), np.uint8)
    crops[:, 0, 0] = colours
    return crops


def test_bytes_are_normalised_and_points_decoded() -> None:
    model = export.FromCrops(FirstPixel(), CODEC, STATS)
    (points,) = model(torch.from_numpy(crops_of((100, 0, 0), (120, 99, 3))))
    # blue's deviation counts as 1, as in training; a share of 1 is 8 pixels
    assert points.tolist() == [[[2, 3]], [[2 + 2 * 8, 3 + 3 * 8]]]


def test_the_file_takes_any_number_of_crops_and_says_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export.to_onnx(FirstPixel(), CODEC, STATS, path)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    (crops,), (points,) = model.graph.input, model.graph.output
    assert (crops.name, points.name) == ("crops", "points")
    assert crops.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    sides = [side.dim_param or side.dim_value for side in crops.type.tensor_type.shape.dim]
    assert sides == ["faces", 8, 8, 3]
    for count in (1, 3):
        pictures = crops_of(*[(120, 0, 7 * number) for number in range(count)])
        assert export.difference(path, FirstPixel(), CODEC, STATS, pictures) < 1e-5


def test_another_networks_file_differs(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export.to_onnx(FirstPixel(), CODEC, STATS, path)
    other = make_codec("coordinates", STATS.size, MEAN_FACE + torch.tensor([0.0, 1.5]))
    crops = crops_of((1, 2, 3))
    assert export.difference(path, FirstPixel(), other, STATS, crops) == pytest.approx(1.5)
