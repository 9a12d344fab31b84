import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from facealign import models
from facealign.core import images
from facealign.core.geometry import crop_map
from facealign.detectors.hog import find_faces
from facealign.export import landmarks, quantisation
from facealign.inference.network import Network
from facealign.models.parts.codecs import make_codec
from facealign.models.parts.layers import Shape
from facealign.training import checkpoint


@pytest.mark.slow
def test_int8_finds_the_points_of_float32(tmp_path: Path, astronaut: np.ndarray) -> None:
    trained = checkpoint.load(checkpoint.RELEASED / "cascade.pt")
    network, codec = checkpoint.build(trained, torch.device("cpu"))
    whole, small = tmp_path / "whole.onnx", tmp_path / "small.onnx"
    landmarks.to_onnx(landmarks.FromCrops(network, codec, trained.stats), whole)
    stats = trained.stats
    box = find_faces(astronaut, 0)[0].box
    crops = [
        images.warp(picture, crop_map(box, stats.margin, stats.size), stats.size)
        for picture in (astronaut, astronaut // 2, 255 - (255 - astronaut) // 2)
    ]
    quantisation.quantise(whole, small, np.stack(crops))
    assert small.stat().st_size < 0.3 * whole.stat().st_size
    (by_float32, of_float32), (by_int8, of_int8) = (
        Network(path)(astronaut, [box]) for path in (whole, small)
    )
    assert of_float32 is not None and of_int8 is not None
    assert np.linalg.norm(by_int8 - by_float32, axis=-1).mean() < 0.005 * box.width
    assert np.abs(of_int8 - of_float32).max() < 0.1
    assert not (by_int8 == by_float32).all()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["small.onnx", "whole.onnx"]


@pytest.mark.slow
def test_depthwise_convolutions_the_first_and_dense_outputs_stay_float32(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = checkpoint.load(checkpoint.RELEASED / "cascade.pt")
    shape = Shape(trained.stats.size, trained.mean_face)
    options = dataclasses.replace(checkpoint.options(trained), width=16)
    network, codec = models.build("cascade", shape, options)
    made = make_codec(codec, shape.size, shape.mean_face)
    whole, small = tmp_path / "whole.onnx", tmp_path / "small.onnx"
    landmarks.to_onnx(landmarks.FromCrops(network, made, trained.stats), whole)
    noise = np.random.default_rng(0).integers(0, 256, (2, shape.size, shape.size, 3), np.uint8)
    quantisation.quantise(whole, small, noise)
    graph = onnx.load(small).graph
    in_int8 = {
        out for node in graph.node if node.op_type == "DequantizeLinear" for out in node.output
    }
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    kept = [node for node in convolutions if node.input[1] not in in_int8]
    assert len(kept) == 1 + 11  # of as many blocks
    assert len(convolutions) > 2 * len(kept)
    assert kept[0] is convolutions[0]
    dense = {
        out for node in graph.node if node.op_type in quantisation.DENSE for out in node.output
    }
    rounded = {node.input[0] for node in graph.node if node.op_type == "QuantizeLinear"}
    assert len(dense) == 13 and not dense & rounded
    assert capsys.readouterr().out == ""
