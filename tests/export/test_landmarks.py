import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from facealign.core.errors import ModelError
from facealign.core.points import mirror
from facealign.export import landmarks
from facealign.faces.cropping import Crops, Stats
from facealign.models.parts.codecs import make_codec, unflipped
from facealign.training.prediction import crop_points

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
    model = landmarks.FromCrops(FirstPixel(), CODEC, STATS)
    (points,) = model(torch.from_numpy(crops_of((100, 0, 0), (120, 99, 3))))
    # blue's deviation counts as 1, as in training; a share of 1 is 8 pixels
    assert points.tolist() == [[[2, 3]], [[2 + 2 * 8, 3 + 3 * 8]]]


def test_the_file_takes_any_number_of_crops_and_says_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    module = landmarks.FromCrops(FirstPixel(), CODEC, STATS)
    landmarks.to_onnx(module, path)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    (crops,), (points,) = model.graph.input, model.graph.output
    assert (crops.name, points.name) == ("crops", "points")
    assert crops.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    sides = [side.dim_param or side.dim_value for side in crops.type.tensor_type.shape.dim]
    assert sides == ["faces", 8, 8, 3]
    for count in (1, 3):
        pictures = crops_of(*[(120, 0, 7 * number) for number in range(count)])
        assert landmarks.difference(path, module, pictures) < 1e-5


def test_another_networks_file_differs(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    landmarks.to_onnx(landmarks.FromCrops(FirstPixel(), CODEC, STATS), path)
    other = make_codec("coordinates", STATS.size, MEAN_FACE + torch.tensor([0.0, 1.5]))
    crops = crops_of((1, 2, 3))
    module = landmarks.FromCrops(FirstPixel(), other, STATS)
    assert landmarks.difference(path, module, crops) == pytest.approx(1.5)


def test_the_mean_of_two_networks(tmp_path: Path) -> None:
    other = make_codec("coordinates", STATS.size, MEAN_FACE + torch.tensor([1.0, -4.0]))
    # colours may be normalised differently, crops must be cut the same
    darker = dataclasses.replace(STATS, mean=(80.0, 50.0, 0.0))
    module = landmarks.Mean(
        [
            landmarks.FromCrops(FirstPixel(), CODEC, STATS),
            landmarks.FromCrops(FirstPixel(), other, darker),
        ]
    )
    crops = crops_of((100, 0, 0), (120, 99, 3))
    (points,) = module(torch.from_numpy(crops))
    assert points.tolist() == [[[2.5 + 8, 1]], [[2.5 + 3 * 8, 1 + 3 * 8]]]
    path = tmp_path / "model.onnx"
    landmarks.to_onnx(module, path)
    assert landmarks.difference(path, module, crops) < 1e-5
    wider = landmarks.FromCrops(FirstPixel(), CODEC, dataclasses.replace(STATS, margin=0.2))
    with pytest.raises(ModelError, match=r"the same crops, not \(8, 0.1, 2\) and \(8, 0.2, 2\)"):
        landmarks.Mean([landmarks.FromCrops(FirstPixel(), CODEC, STATS), wider])


def test_flip_augmentation_is_that_of_the_pipeline(tmp_path: Path) -> None:
    """The file's points are those of `predict.flip`, and scores are swapped with their points."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)
    stats = Stats(8, 0.1, 2, (128.0,) * 3, (64.0,) * 3)
    mean_face = torch.tensor(rng.uniform(0, 8, (5, 2)), dtype=torch.float32)
    codec = make_codec("coordinates", stats.size, mean_face)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 15), nn.Unflatten(1, (5, 3))).eval()
    crops = Crops(
        images=[f"a/test/{number}.png" for number in range(3)],
        pixels=pixels,
        maps=np.repeat(np.eye(2, 3)[None], 3, axis=0),
        points=np.zeros((3, 5, 2)),
        normalisers=np.ones(3),
        weights=np.ones(3),
        sources=["upsample 0"] * 3,
        stats=stats,
    )
    rows = np.arange(3)
    expected = crop_points(network, codec, crops, rows, torch.device("cpu"), flip=True)
    module = landmarks.FromCrops(network, codec, stats, flip=True)
    inner = np.ascontiguousarray(pixels[:, 2:10, 2:10])
    points, scores = module(torch.from_numpy(inner))
    np.testing.assert_allclose(points.detach().numpy(), expected, atol=1e-4)
    # the flipped crop has the flipped points and their scores
    other_points, other_scores = module(torch.from_numpy(inner[:, :, ::-1].copy()))
    assert torch.allclose(other_scores, scores[:, mirror(5)], atol=1e-6)
    assert torch.allclose(unflipped(other_points, stats.size), points, atol=1e-4)
    path = tmp_path / "model.onnx"
    landmarks.to_onnx(module, path)
    for count in (1, 3):
        assert landmarks.difference(path, module, inner[:count]) < 1e-4
