"""A network in an ONNX file, run by ONNX Runtime: no torch, no training."""

from __future__ import annotations

import math
import re
import sys
import threading
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from facealign.core import images
from facealign.core.errors import ConfigError, DependencyError, ModelError
from facealign.core.faces import Detection, as_detection
from facealign.core.geometry import Box, crop_map
from facealign.core.points import COUNTS

LARGEST = 1024  # side of a crop, as in params.yaml
FARTHEST = 1e6  # pixels of the crop: a coordinate beyond is no point of a face
PATIENCE = 60.0  # seconds for a network's first crop, which takes milliseconds


def open_session(path: Path, kind: str, threads: int | None, device: str) -> Any:
    """An ONNX Runtime session. `kind` is what error messages call the file, `threads` None means
    all cores."""
    if threads is not None and (type(threads) is not int or threads < 1):
        raise ConfigError(f"threads: {threads!r}, expected None or a positive integer")
    name, provider_options = _provider(device)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # errors only
    try:
        # its bytes, not its path: then ONNX Runtime opens no file that it names as its weights
        session = onnxruntime.InferenceSession(
            path.read_bytes(), options, [(name, provider_options)], enable_fallback=0
        )
    except Exception as error:  # ONNX Runtime's own errors share no base but Exception
        reason = _first_line(error) if path.is_file() else "no such file"
        if device != "cpu" and path.is_file():
            raise DependencyError(f"device {device}: cannot run {path}: {reason}") from None
        raise ModelError(f"{path}: not a {kind} of facealign: {reason}") from None
    # without the libraries that a provider needs, ONNX Runtime warns and uses the CPU
    if session.get_providers()[0] != name:
        raise DependencyError(
            f"device {device}: ONNX Runtime could not start {name}; check the driver and the CUDA "
            "and cuDNN libraries"
        )
    return session


def _provider(device: str) -> tuple[str, dict[str, str]]:
    """ONNX Runtime's name for the device, and its options."""
    if device == "cpu":
        return "CPUExecutionProvider", {}
    match = re.fullmatch(r"cuda(?::(\d+))?", device) if isinstance(device, str) else None
    if not match:
        raise ConfigError(f"device: {device!r}, expected cpu, cuda or cuda:N")
    name = "CUDAExecutionProvider"
    if name not in onnxruntime.get_available_providers():
        raise DependencyError(
            f"device {device}: the installed onnxruntime has no CUDA: install onnxruntime-gpu in "
            "place of onnxruntime"
        )
    if hasattr(onnxruntime, "preload_dlls"):
        with redirect_stdout(sys.stderr):
            onnxruntime.preload_dlls()  # finds the CUDA libraries of pip packages
    return name, {"device_id": match[1] or "0"}


class Session:
    """An ONNX file that takes crops, as `facealign.export` writes them; anyone's file, checked."""

    def __init__(self, path: Path, kind: str, fact: str, threads: int | None, device: str) -> None:
        self._path, self._kind = path, kind
        self._session = open_session(path, kind, threads, device)
        self.facts: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        if f"facealign.{fact}" not in self.facts:
            raise self.error(f"its metadata has no facealign.{fact}")
        inputs = [(one.name, one.type, one.shape[1:]) for one in self._session.get_inputs()]
        side = inputs[0][2][0] if inputs and inputs[0][2] else None
        if inputs != [("crops", "tensor(uint8)", [side, side, 3])] or not isinstance(side, int):
            raise self.error(f"its inputs are {inputs}, expected crops of bytes (N, side, side, 3)")
        if not 8 <= side <= LARGEST:
            raise self.error(f"its input has {side} pixels a side, expected 8 to {LARGEST}")
        self.size: int = side

    def error(self, reason: str) -> ModelError:
        return ModelError(f"{self._path}: not a {self._kind} of facealign: {reason}")

    def number(self, name: str, low: float, high: float) -> float:
        """A number of the metadata."""
        text = self.facts.get(f"facealign.{name}", "0")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise self.error(
                f"facealign.{name} is {text[:40]!r}, expected a number from {low} to {high}"
            )
        return value

    def try_out(self) -> list[np.ndarray]:
        """The outputs for one crop; an error if they take long, so that a loop without an end
        stops."""
        options = onnxruntime.RunOptions()
        stop = threading.Timer(PATIENCE, setattr, (options, "terminate", True))
        stop.start()
        try:
            return self.run(np.zeros((1, self.size, self.size, 3), np.uint8), options)
        finally:
            stop.cancel()

    def run(self, crops: np.ndarray, options: Any = None) -> list[np.ndarray]:
        """All outputs for crops (N, size, size, 3)."""
        try:
            found: list[np.ndarray] = self._session.run(None, {"crops": crops}, options)
        except Exception as error:  # as in `open_session`
            raise self.error(_first_line(error)) from None
        return found


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__


class Network:
    """A landmark network in an ONNX file as `facealign.export` writes it.

    Pickled as its settings: each process that receives it loads the file once.
    """

    def __init__(self, path: Path, threads: int | None = None, device: str = "cpu") -> None:
        self.path = path
        self._settings = path, threads, device
        self._session = Session(path, "network", "margin", threads, device)
        self.margin = self._session.number("margin", -0.4, 100)
        self.rim = int(self._session.number("rim", 0, LARGEST))  # of the training crops
        self.size = self._session.size
        self._check(self._session.try_out())

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_once, self._settings

    def __call__(
        self, image: np.ndarray, boxes: Sequence[Box | Detection]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Points (N, K, 2) in the picture's pixels, and scores (N, K) if the network has them."""
        return self.of_many([(image, box) for box in boxes])

    def of_many(
        self, faces: Sequence[tuple[np.ndarray, Box | Detection]]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The same for faces of several pictures."""
        found = [as_detection(box) for _, box in faces]
        to_crops = [crop_map(one.box, self.margin, self.size, one.roll) for one in found]
        crops = [
            images.warp(image, to_crop, self.size, self.rim)
            for (image, _), to_crop in zip(faces, to_crops, strict=True)
        ]
        stacked = np.array(crops, np.uint8).reshape(-1, self.size, self.size, 3)
        in_crops, *scores = self._check(self._session.run(stacked))
        points = [
            to_crop.inverse()(face.astype(np.float64))
            for to_crop, face in zip(to_crops, in_crops, strict=True)
        ]
        return np.array(points, np.float64).reshape(in_crops.shape), scores[0] if scores else None

    def _check(self, outputs: list[np.ndarray]) -> list[np.ndarray]:
        """Points (N, K, 2), and maybe scores (N, K)."""
        shapes = [output.shape for output in outputs]
        if not shapes or shapes[0][1:] not in [(count, 2) for count in COUNTS]:
            raise self._session.error(f"outputs of {shapes}, expected 68 or 5 points a face")
        if shapes[1:] not in ([], [shapes[0][:2]]):
            raise self._session.error(f"outputs of {shapes}, expected points and their scores")
        if not all((np.abs(output) < FARTHEST).all() for output in outputs):
            raise self._session.error("it gives points that are no numbers, or far outside")
        return outputs


@cache
def _load_once(path: Path, threads: int | None, device: str) -> Network:
    return Network(path, threads, device)
