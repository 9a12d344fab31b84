"""Devices: ONNX Runtime's execution providers."""

import pickle
import re
from typing import Any

import numpy as np
import onnxruntime
import pytest

from facealign import Aligner, ConfigError, DependencyError
from facealign.inference import providers
from facealign.inference.weights import released
from facealign.recognition.recogniser import RELEASED, Recogniser

PACKAGES = {
    "cuda": "install onnxruntime-gpu in place of onnxruntime",
    "cuda:1": "install onnxruntime-gpu in place of onnxruntime",
    "coreml": "onnxruntime has CoreML on macOS only",
    "openvino": "install onnxruntime-openvino in place of onnxruntime",
}


def is_offered(device: str) -> bool:
    return providers.find(device).name in onnxruntime.get_available_providers()


@pytest.mark.parametrize(
    "device",
    ["gpu", 3, None, "", "cuda:-1", "cuda:", "cuda:1\n", "cpu:0", "openvino:1", "CPU", ["cpu"]],
)
def test_any_other_device_is_an_error(device: Any) -> None:
    said = f"device: {device!r}, expected auto, cpu, cuda, cuda:N, coreml or openvino"
    with pytest.raises(ConfigError, match=f"^{re.escape(said)}$"):
        Aligner("small", device=device)


def test_a_long_name_is_cut() -> None:
    with pytest.raises(ConfigError, match=r"^device: 'x{199}, expected auto"):
        Aligner("small", device="x" * 1000)


@pytest.mark.parametrize("device", [one for one in PACKAGES if not is_offered(one)])
def test_a_device_that_onnxruntime_lacks_is_an_error(device: str) -> None:
    said = (
        f"device {device}: the installed onnxruntime offers only {', '.join(providers.offered())}: "
        f"{PACKAGES[device]}"
    )
    with pytest.raises(DependencyError, match=f"^{re.escape(said)}$"):
        Aligner("small", device=device)


@pytest.mark.skipif(is_offered("cuda"), reason="it would start")
@pytest.mark.filterwarnings("ignore:Specified provider 'CUDAExecutionProvider'")
def test_the_cpu_takes_over_from_a_device_that_cannot_start_only_with_auto(
    monkeypatch: pytest.MonkeyPatch, astronaut: np.ndarray
) -> None:
    names = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None, raising=False)
    with pytest.raises(DependencyError, match="device cuda: ONNX Runtime could not start CUDA"):
        Aligner("small", device="cuda")
    aligner = Aligner("small", device="auto", threads=1)
    assert aligner.device == "cpu"
    (face,), (expected,) = (one.predict(astronaut) for one in (aligner, Aligner("small")))
    np.testing.assert_array_equal(face.points, expected.points)


@pytest.mark.parametrize("model", released())
@pytest.mark.parametrize("device", ["auto", *providers.offered()])
def test_each_device_finds_the_points_of_the_cpu(
    device: str, model: str, astronaut: np.ndarray
) -> None:
    aligner, by_cpu = Aligner(model, device=device, threads=1), Aligner(model, threads=1)
    assert aligner.device == (providers.offered()[0] if device == "auto" else device)
    boxes = [one.box for one in by_cpu.detect(astronaut)]
    faces, expected = (
        one.predict_batch([astronaut, astronaut[::-1], astronaut], [boxes, [], boxes])
        for one in (aligner, by_cpu)
    )
    assert list(map(len, faces)) == list(map(len, expected)) == [len(boxes), 0, len(boxes)]
    for face, same in zip(faces[0] + faces[2], expected[0] + expected[2], strict=True):
        off = np.linalg.norm(face.points - same.points, axis=1).mean() / same.box.width
        assert off < (1e-9 if aligner.device == "cpu" else 0.003)
    assert aligner.predict(astronaut, []) == []


def test_an_aligner_is_pickled_with_the_device_that_it_took() -> None:
    aligner = Aligner("small", device="auto", upsample=(0,), threads=1)
    copy = pickle.loads(pickle.dumps(aligner))
    assert copy.device == copy.network.device == aligner.device == providers.offered()[0]
    assert aligner.__reduce__()[1][2] == aligner.device


@pytest.mark.parametrize("device", ["auto", *providers.offered()])
def test_each_device_runs_the_recogniser(device: str) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    found, expected = (Recogniser(RELEASED, 1, one).of_crops(crops) for one in (device, "cpu"))
    assert ((found * expected).sum(axis=1) > 0.99).all()
