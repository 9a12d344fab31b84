"""`dvc exp run -S` rewrites params.yaml; the file must stay readable, whatever was changed."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from facealign.core import config
from tests.helpers import PARAMS

BEFORE = config.flatten(config.load_all(PARAMS))


def other_values(value: Any) -> list[tuple[str, Any]]:
    """Values to change to, one after the other: as `-S` takes them, and as the file must read."""
    if isinstance(value, list):
        return [
            ("[]", []),
            ("[a]", ["a"]),
            ("[a,b,c]", ["a", "b", "c"]),
            ("[]", []),
            ("[b]", ["b"]),
        ]
    if isinstance(value, bool):
        return [(str(not value).lower(), not value)]
    if isinstance(value, str):
        return [("other", "other"), ("''", "")]
    return [("7", 7), ("0.5", 0.5)]


@pytest.mark.parametrize("name", BEFORE)
def test_every_param_can_be_changed_again_and_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / "params.yaml"
    shutil.copy(PARAMS, path)
    for text, value in other_values(BEFORE[name]):
        apply_overrides(path, [f"{name}={text}"])
        assert config.flatten(config.load_all(path)) == BEFORE | {name: value}
    comments = [line.split("#", 1)[1] for line in PARAMS.read_text().splitlines() if "#" in line]
    kept = path.read_text(encoding="utf-8")
    assert [comment for comment in comments if comment not in kept] == []


def test_a_change_moves_no_other_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    shutil.copy(PARAMS, path)
    apply_overrides(path, ["train.epochs=7"])
    before, after = (file.read_text(encoding="utf-8").splitlines() for file in (PARAMS, path))
    assert [line for line in after if line not in before] == ["  epochs: 7"]
    assert len(after) == len(before)
