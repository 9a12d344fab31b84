"""A network's ONNX file with its products in bytes: a quarter of the size, and half the time on
processors that multiply bytes at once (VNNI, dot products of ARM)."""

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
PERCENTILE = 99.99  # of the values, up to which the bytes reach; the few beyond are cut to it


def quantise(source: Path, path: Path, crops: np.ndarray) -> None:
    """Write the file `source` so; `crops` (N, size, size, 3) show which values to expect."""
    logging.disable(logging.WARNING)  # it advises a preparation that `export` has done
    try:
        # its calibration tells on the standard output what it does
        with atomic_write(path) as part, contextlib.redirect_stdout(None):
            quantize_static(
                source,
                part,
                _Feed(crops),
                calibrate_method=CalibrationMethod.Percentile,
                op_types_to_quantize=["Conv", *DENSE],
                nodes_to_exclude=_in_floats(source),
                per_channel=True,
                # weights of seven bits: two products of eight overflow where VNNI is missing
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                extra_options={
                    "CalibPercentile": PERCENTILE,
                    # what dense layers give are points and steps, too fine for 256 values
                    "OpTypesToExcludeOutputQuantization": DENSE,
                },
            )
    finally:
        logging.disable(logging.NOTSET)


def _in_floats(source: Path) -> list[str]:
    """The first convolution, which costs the most accuracy, and depthwise ones: next to no weights,
    and no faster in bytes."""
    convolutions = [node for node in onnx.load(source).graph.node if node.op_type == "Conv"]
    return [
        node.name
        for node in convolutions
        if node is convolutions[0]
        or any(one.name == "group" and one.i > 1 for one in node.attribute)
    ]


class _Feed(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, crops: np.ndarray) -> None:
        self._crops = iter(crops)

    def get_next(self) -> dict[str, np.ndarray] | None:
        crop = next(self._crops, None)
        return None if crop is None else {"crops": crop[None]}
