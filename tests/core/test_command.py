"""What a stage prints about inputs that it cannot use."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facealign.core.command import run
from tests.helpers import PARAMS


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("detect faces gone.csv scheme.json a b", "error: gone.csv: No such file or directory"),
        ("extract gone.tgz out", "error: gone.tgz: no such archive"),
        ("filter gone schemes patches a b c d", "error: gone: not a folder"),
        ("filter params.yaml schemes patches a b c d", "error: params.yaml: not a folder"),
        ("train gone scheme.json m c s", "error: gone/stats.json: No such file or directory"),
        ("track . params.yaml . . . . . . out", "error: params.yaml:2: 1 cells, expected 2"),
        (
            "track . t.csv params.yaml . . . . . out",
            "error: params.yaml: not JSON: Expecting value",
        ),
        (
            "show faces index.csv scheme.json index.csv p out",
            "error: index.csv: 'b.png': expected a path",
        ),
    ],
)
def test_one_line_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, message: str
) -> None:
    (tmp_path / "params.yaml").write_text(PARAMS.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "t.csv").write_text("epoch\n1\n", encoding="utf-8")
    (tmp_path / "scheme.json").write_text('{"points": 68}', encoding="utf-8")
    (tmp_path / "index.csv").write_text("image\nb.png\n", encoding="utf-8")
    name, *paths = words.split()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, *paths])
    with pytest.raises(SystemExit) as ended:
        run(importlib.import_module(f"stages.{name}").main)
    assert str(ended.value.code).startswith(message)


def test_a_programming_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def main() -> None:
        raise KeyError("x")

    monkeypatch.setattr(sys, "argv", ["x"])
    with pytest.raises(KeyError):
        run(main)


def test_a_terminal_that_lacks_a_character_gets_its_escape(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "from facealign.core.command import run\nrun(lambda: print('0.1\N{EN DASH}0.2'))\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("0.1\\u20130.2\n", "", 0)
