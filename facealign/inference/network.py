"""A network in an ONNX file, run by ONNX Runtime: no torch, no training."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from facealign.core import images
from facealign.core.errors import ConfigError, DependencyError, ModelError
from facealign.core.geometry import Box, crop_map


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
        session = onnxruntime.InferenceSession(
            path, options, [(name, provider_options)], enable_fallback=0
        )
    except Exception as error:  # ONNX Runtime's own errors share no base but Exception
        reason = str(error).splitlines()[0] if path.is_file() else "no such file"
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


class Network:
    """A landmark network in an ONNX file as `facealign.export` writes it.

    Pickled as its settings: each process that receives it loads the file once.
    """

    def __init__(self, path: Path, threads: int | None = None, device: str = "cpu") -> None:
        self.path = path
        self._settings = path, threads, device
        self._session = open_session(path, "network", threads, device)
        facts = self._session.get_modelmeta().custom_metadata_map
        if "facealign.margin" not in facts:
            raise ModelError(
                f"{path}: not a network of facealign: its metadata has no facealign.margin, "
                "expected a file of `facealign export`"
            )
        self.margin = float(facts["facealign.margin"])
        self.rim = int(facts.get("facealign.rim", "0"))  # of the training crops
        (crops,) = self._session.get_inputs()
        self.size: int = crops.shape[1]

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_once, self._settings

    def __call__(
        self, image: np.ndarray, boxes: Sequence[Box]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Points (N, K, 2) in the picture's pixels, and scores (N, K) if the network has them."""
        return self.of_many([(image, box) for box in boxes])

    def of_many(
        self, faces: Sequence[tuple[np.ndarray, Box]]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The same for faces of several pictures."""
        to_crops = [crop_map(box, self.margin, self.size) for _, box in faces]
        crops = [
            images.warp(image, to_crop, self.size, self.rim)
            for (image, _), to_crop in zip(faces, to_crops, strict=True)
        ]
        stacked = np.array(crops, np.uint8).reshape(-1, self.size, self.size, 3)
        found, *scores = self._session.run(None, {"crops": stacked})
        points = [
            to_crop.inverse()(face.astype(np.float64))
            for to_crop, face in zip(to_crops, found, strict=True)
        ]
        return np.array(points, np.float64).reshape(found.shape), scores[0] if scores else None


@cache
def _load_once(path: Path, threads: int | None, device: str) -> Network:
    return Network(path, threads, device)
