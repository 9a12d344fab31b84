"""The converter needs packages that the project does not. With them it compares its networks with
the originals itself."""

import importlib
import sys
from pathlib import Path

import pytest

from facealign.core.errors import DependencyError


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tflite", None)
    name = "facealign.experiments.convert_blazeface"
    monkeypatch.delitem(sys.modules, name, raising=False)
    converter = importlib.import_module(name)
    with pytest.raises(DependencyError, match=r"^no package tflite: pip install tflite ai-edge"):
        converter.main(tmp_path, tmp_path)
