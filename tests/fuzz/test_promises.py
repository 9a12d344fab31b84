"""What SECURITY.md promises of files that strangers made, where no other test holds it."""

from __future__ import annotations

import ast
import io
import os
import pickle
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from facealign.core import config
from facealign.core.errors import ConfigError, ModelError
from facealign.inference.network import Network
from facealign.reports import document, markdown
from facealign.training import checkpoint
from tests.helpers import ROOT

MARKUP = [
    "<script>x</script>",
    "<img src=x onerror=x>",
    '" onload="x',
    "</td></table>",
    "</style>",
] + ["<!--", "&lt;", "a|b", "a\nb", "\r", "`", "[x](javascript:x)", "![x](http://x)", "\\|"]


class Code:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("ran",)


def saved(value: object, zipped: bool = True) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(Code()),
        saved(Code()),
        saved({"arch": "onet", "recipe": Code()}),
        saved(Code(), zipped=False),
    ],
)
def test_a_checkpoint_runs_no_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.pt").write_bytes(data)
    with pytest.raises(ModelError, match=r"^model\.pt: "):
        checkpoint.load(Path("model.pt"))
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


def test_params_run_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("data: !!python/object/apply:os.mkdir [ran]\n")
    with pytest.raises(ConfigError, match=r"^params\.yaml\b"):
        config.load_all()
    assert not Path("ran").exists()


@pytest.mark.parametrize("place", ["../weights.bin", "{folder}/weights.bin"])
def test_a_network_reads_no_weights_from_outside_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "sub").mkdir()
    for folder in (tmp_path, tmp_path / "sub"):
        (folder / "weights.bin").write_bytes(np.zeros(136, np.float32).tobytes())
    monkeypatch.chdir(tmp_path / "sub")
    weights = TensorProto(
        name="w", data_type=TensorProto.FLOAT, dims=[1, 68, 2], data_location=TensorProto.EXTERNAL
    )
    weights.external_data.add(key="location", value=place.format(folder=tmp_path))
    crops = helper.make_tensor_value_info("crops", TensorProto.UINT8, ["n", 32, 32, 3])
    points = helper.make_tensor_value_info("points", TensorProto.FLOAT, [1, 68, 2])
    node = helper.make_node("Identity", ["w"], ["points"])
    graph = helper.make_graph([node], "g", [crops], [points], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {"facealign.margin": "0.1"})
    onnx.save_model(model, "model.onnx")  # not checked, and its weights are not written
    with pytest.raises(ModelError, match=r"^model\.onnx: "):
        Network(Path("model.onnx"), threads=1)


class Elements(HTMLParser):
    """The tags of a page with the names of their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page(text: str, folder: Path) -> Elements:
    blocks: list[document.Block] = [
        document.Heading(text),
        document.Text(text),
        document.Items([text]),
        document.Table([["name", text], [text, "1"]]),
        document.as_picture(np.zeros((8, 8, 3), np.uint8), text),
    ]
    made = document.Document("en", text, blocks)
    document.write(made, folder / "report.html", folder / "report.pdf")
    return Elements((folder / "report.html").read_text(encoding="utf-8"))


def test_text_in_a_report_adds_no_markup(tmp_path: Path) -> None:
    plain, found = page("plain", tmp_path), page(" ".join(MARKUP), tmp_path)
    assert found.tags == plain.tags
    assert MARKUP[0] in found.text


CELLS = st.text(max_size=12) | st.sampled_from(MARKUP)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4))
def test_text_in_a_markdown_table_adds_no_markup(rows: list[tuple[str, str]]) -> None:
    lines = markdown.table([("one", "two"), *rows], names=1).split("\n")
    assert len(lines) == 2 + len(rows)
    for line in lines:
        assert line.replace("\\\\", "").replace("\\|", "").count("|") == 3
        assert not Elements(line).tags
        assert "](" not in line


def test_nothing_is_unpickled() -> None:
    called: dict[str, list[str]] = {}  # by the function's name
    for folder in ("facealign", "stages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                    called.setdefault(ast.unparse(node.func), []).append(ast.unparse(node))
    assert len(called["torch.load"]) >= 3
    assert all("weights_only=True" in call for call in called["torch.load"])
    assert not any("allow_pickle" in call for call in called["np.load"])
    # of `config.load_yaml`, a SafeLoader
    assert all(call.endswith(", Loader)") for call in called["yaml.load"])
    unsafe = {"pickle.load", "pickle.loads", "yaml.unsafe_load", "yaml.full_load", "eval", "exec"}
    assert not unsafe & called.keys()
