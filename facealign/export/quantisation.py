"""Static quantisation of an ONNX file to int8: a quarter of the size, and half the time on
processors with int8 dot products (VNNI, ARM's SDOT)."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantType,
    quantize_static,
)

from facealign.core.files import atomic_write

DENSE = ["Gemm", "MatMul"]
PERCENTILE = 99.99  # of an activation's values: the end of its int8 range; larger ones saturate


def quantise(source: Path, path: Path, crops: np.ndarray) -> None:
    """Quantise the file `source`; `crops` (N, size, size, 3) calibrate its activations."""
    logging.disable(logging.WARNING)  # it advises preprocessing that `export` has done
    try:
        # calibration prints its progress
        with atomic_write(path) as part, contextlib.redirect_stdout(None):
            quantize_static(
                source,
                part,
                _Calibration(crops),
                calibrate_method=CalibrationMethod.Percentile,
                op_types_to_quantize=["Conv", *DENSE],
                nodes_to_exclude=_kept_in_float32(source),
                per_channel=True,
                # 7-bit weights: without VNNI, sums of two 8-bit products overflow
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                extra_options={
                    "CalibPercentile": PERCENTILE,
                    # dense layers output points and steps, which need more than 256 values
                    "OpTypesToExcludeOutputQuantization": DENSE,
                },
            )
    finally:
        logging.disable(logging.NOTSET)


def _kept_in_float32(source: Path) -> list[str]:
    """The first convolution, which would cost the most accuracy, and depthwise ones, which have few
    weights and are no faster in int8."""
    convolutions = [node for node in onnx.load(source).graph.node if node.op_type == "Conv"]
    return [
        node.name
        for node in convolutions
        if node is convolutions[0]
        or any(one.name == "group" and one.i > 1 for one in node.attribute)
    ]


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, crops: np.ndarray) -> None:
        self._crops = iter(crops)

    def get_next(self) -> dict[str, np.ndarray] | None:
        crop = next(self._crops, None)
        return None if crop is None else {"crops": crop[None]}
