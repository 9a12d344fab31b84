"""Where ONNX Runtime runs a network: its execution providers by the names of `device`."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass

import onnxruntime

from facealign.core.errors import ConfigError, DependencyError

AUTO = "auto"
EXPECTED = "auto, cpu, cuda, cuda:N, coreml or openvino"


@dataclass(frozen=True)
class Provider:
    name: str  # ONNX Runtime's
    install: str = ""  # what to do if it is not there
    check: str = ""  # and if it does not start
    # One face at a time, in a graph of fixed shapes: in one for any number of faces OpenVINO takes
    # up to half as long again and puts the points of `small` in other places (docs/experiments.md);
    # CoreML may be slower, too, by ONNX Runtime's documentation
    singly: bool = False


PROVIDERS = {  # in the order in which `auto` tries them
    "cuda": Provider(
        "CUDAExecutionProvider",
        "install onnxruntime-gpu in place of onnxruntime",
        "the driver and the CUDA and cuDNN libraries",
    ),
    "coreml": Provider(
        "CoreMLExecutionProvider",
        "onnxruntime has CoreML on macOS only",
        "the version of macOS",
        singly=True,
    ),
    "openvino": Provider(
        "OpenVINOExecutionProvider",
        "install onnxruntime-openvino in place of onnxruntime",
        "the libraries of OpenVINO",
        singly=True,
    ),
    "cpu": Provider("CPUExecutionProvider"),
}


def offered() -> list[str]:
    """The devices that the installed ONNX Runtime has providers for; "cpu" is the last."""
    available = onnxruntime.get_available_providers()
    return [device for device, provider in PROVIDERS.items() if provider.name in available]


def candidates(device: str) -> list[str]:
    """The devices to try in turn: for "auto" all that are offered."""
    if device == AUTO:
        return offered()
    provider = find(device)
    if provider.name not in onnxruntime.get_available_providers():
        raise DependencyError(
            f"device {device}: the installed onnxruntime offers only {', '.join(offered())}: "
            f"{provider.install}"
        )
    return [device]


def find(device: str) -> Provider:
    known = isinstance(device, str) and re.fullmatch(r"cpu|cuda(:[0-9]+)?|coreml|openvino", device)
    if not known:
        raise ConfigError(f"device: {repr(device)[:200]}, expected {EXPECTED}")
    return PROVIDERS[device.partition(":")[0]]


def options(device: str, threads: int | None) -> dict[str, str]:
    """The provider's options for this device."""
    kind, _, number = device.partition(":")
    if kind == "cuda":
        if hasattr(onnxruntime, "preload_dlls"):
            with redirect_stdout(sys.stderr):
                onnxruntime.preload_dlls()  # finds the CUDA libraries of pip packages
        return {"device_id": number or "0"}
    if kind == "openvino":  # the processor: a GPU would calculate with 16 bits
        return {"device_type": "CPU"} | ({"num_of_threads": str(threads)} if threads else {})
    return {}
