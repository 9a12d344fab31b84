from pathlib import Path

import numpy as np
import torch

from facealign import checkpoint, export, images, landmarks, quantisation
from facealign.detection import find_faces
from facealign.geometry import crop_map


def test_bytes_find_the_points_that_floats_find(tmp_path: Path, astronaut: np.ndarray) -> None:
    trained = checkpoint.load(checkpoint.RELEASED / "cascade.pt")
    network, codec = checkpoint.build(trained, torch.device("cpu"))
    whole, small = tmp_path / "whole.onnx", tmp_path / "small.onnx"
    export.to_onnx(export.FromCrops(network, codec, trained.stats), whole)
    stats = trained.stats
    (box,) = find_faces(astronaut, 0)
    crops = [
        images.warp(picture, crop_map(box, stats.margin, stats.size), stats.size)
        for picture in (astronaut, astronaut // 2, 255 - (255 - astronaut) // 2)
    ]
    quantisation.quantise(whole, small, np.stack(crops))
    assert small.stat().st_size < 0.3 * whole.stat().st_size
    (by_floats, of_floats), (by_bytes, of_bytes) = (
        landmarks.Network(path)(astronaut, [box]) for path in (whole, small)
    )
    assert of_floats is not None and of_bytes is not None
    assert np.linalg.norm(by_bytes - by_floats, axis=-1).mean() < 0.005 * box.width
    assert np.abs(of_bytes - of_floats).max() < 0.1
    assert not (by_bytes == by_floats).all()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["small.onnx", "whole.onnx"]
