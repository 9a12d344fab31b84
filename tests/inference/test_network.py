"""ONNX files that are no networks of this project."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from facealign.core.errors import ModelError
from facealign.core.geometry import Box
from facealign.inference import network
from facealign.inference.network import Network
from facealign.recognition.recogniser import Recogniser


def onnx_file(
    folder: Path,
    name: str = "crops",
    kind: int = TensorProto.UINT8,
    inputs: Sequence[Any] = (32, 32, 3),
    outputs: Sequence[int] = (68, 2),
    value: float = 1.0,
    facts: Mapping[str, str] | None = None,
    more: Sequence[onnx.NodeProto] = (),
) -> Path:
    """A network that gives the same number everywhere."""
    nodes = [
        helper.make_node("Shape", [name], ["count"], start=0, end=1),
        constant("tail", TensorProto.INT64, outputs),
        helper.make_node("Concat", ["count", "tail"], ["full"], axis=0),
        constant("one", TensorProto.FLOAT, [value]),
        helper.make_node("Expand", ["one", "full"], ["points"]),
    ]
    model = helper.make_model(
        helper.make_graph(
            [*nodes, *more],
            "constant",
            [helper.make_tensor_value_info(name, kind, ["faces", *inputs])],
            [helper.make_tensor_value_info("points", TensorProto.FLOAT, None)],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    facts = {"margin": "0.1", "rim": "0"} if facts is None else facts
    helper.set_model_props(model, {f"facealign.{key}": fact for key, fact in facts.items()})
    onnx.save(model, folder / "odd.onnx")
    return folder / "odd.onnx"


def constant(name: str, kind: int, values: Sequence[float]) -> onnx.NodeProto:
    tensor = helper.make_tensor(name, kind, [len(values)], values)
    return helper.make_node("Constant", [], [name], value=tensor)


def endless() -> list[onnx.NodeProto]:
    """A loop whose condition stays true."""
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["d"]), helper.make_node("Identity", ["v"], ["w"])],
        "body",
        [
            info("i", TensorProto.INT64, []),
            info("c", TensorProto.BOOL, []),
            info("v", TensorProto.FLOAT, [1]),
        ],
        [info("d", TensorProto.BOOL, []), info("w", TensorProto.FLOAT, [1])],
    )
    yes = helper.make_node(
        "Constant", [], ["yes"], value=helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    )
    return [yes, helper.make_node("Loop", ["", "yes", "one"], ["never"], body=body)]


def test_a_file_that_fits_is_a_network(tmp_path: Path) -> None:
    points, scores = Network(onnx_file(tmp_path))(
        np.zeros((50, 50, 3), np.uint8), [Box(5, 5, 9, 9)]
    )
    assert points.shape == (1, 68, 2) and scores is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"facts": {}}, "its metadata has no facealign.margin"),
        ({"facts": {"margin": "nan"}}, "facealign.margin is 'nan', expected a number from -0.4"),
        ({"facts": {"margin": "-0.5"}}, "facealign.margin is '-0.5'"),
        ({"facts": {"margin": "0.1", "rim": "x"}}, "facealign.rim is 'x'"),
        ({"name": "other"}, "expected crops of bytes"),
        ({"kind": TensorProto.FLOAT}, "expected crops of bytes"),
        ({"inputs": [32, 64, 3]}, "expected crops of bytes"),
        ({"inputs": ["h", "w", 3]}, "expected crops of bytes"),
        ({"inputs": []}, "expected crops of bytes"),
        ({"inputs": [20_000, 20_000, 3]}, "its input has 20000 pixels a side"),
        ({"outputs": [3, 2]}, "expected the points of a scheme"),
        ({"outputs": [136]}, "expected the points of a scheme"),
        ({"value": np.nan}, "it gives points that are no numbers"),
        ({"value": 1e38}, "it gives points that are no numbers, or far outside"),
        ({"more": endless()}, "terminate flag"),
    ],
)
def test_any_other_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], words: str
) -> None:
    monkeypatch.setattr(network, "PATIENCE", 0.5)
    path = onnx_file(tmp_path, **options)
    with pytest.raises(ModelError) as error:
        Network(path)
    assert str(error.value).startswith(f"{path}: not a network of facealign: ")
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"facts": {"points": "7"}}, "facealign.points is '7'"),
        ({"facts": {"points": "5", "similarities": "[1]"}}, "facealign.similarities is '[1]'"),
        ({"facts": {"points": "5"}}, "expected one embedding a face"),
        ({"facts": {"points": "5"}, "outputs": [8], "value": np.inf}, "no numbers"),
    ],
)
def test_any_other_file_is_no_recogniser(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ModelError) as error:
        Recogniser(onnx_file(tmp_path, **options))
    assert words in str(error.value)


def test_weights_in_another_file_are_not_read(tmp_path: Path) -> None:
    path = onnx_file(tmp_path)
    model = onnx.load(path)
    (tmp_path / "secret").write_bytes(bytes(16))
    weights = TensorProto(
        name="w", data_type=TensorProto.UINT8, dims=[16], data_location=TensorProto.EXTERNAL
    )
    weights.external_data.add(key="location", value="secret")
    model.graph.initializer.append(weights)
    model.graph.node.append(helper.make_node("Cast", ["w"], ["more"], to=TensorProto.FLOAT))
    model.graph.output.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, None))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"not a network of facealign: .*[Ee]xternal"):
        Network(path)
