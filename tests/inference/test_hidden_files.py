"""macOS puts a ._NAME beside each NAME that it copies to a stick or into an archive."""

import json
from pathlib import Path

import numpy as np
import pytest

from facealign import Aligner
from facealign.core import images
from facealign.data.annotations import format_pts
from facealign.inference import annotated, folders, gallery


@pytest.fixture
def copied(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """A picture, and what macOS would put beside it."""
    folder = tmp_path / "copied"
    images.write(folder / "x.png", astronaut[:300, 60:360])
    (folder / "._x.png").write_bytes(b"\0\5\26\7")
    (folder / "._x.pts").write_bytes(b"\0\5\26\7")
    return folder


def test_predict_and_align_skip_them(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert folders.predict([str(copied)], "json", None, False, Aligner("small")) == 0
    out, err = capsys.readouterr()
    assert [Path(json.loads(line)["image"]).name for line in out.splitlines()] == ["x.png"]
    assert "1 image, 1 face, 0 failed" in err
    assert folders.align([str(copied)], 2, 64, tmp_path / "out", Aligner("small")) == 0


def test_show_looks_for_faces_although_there_is_a_hidden_pts(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gallery.show(copied, None, Aligner("small"), False, False, tmp_path / "out") == 0
    assert "1 face, 0 images left out" in capsys.readouterr().err


def test_evaluate_and_show_skip_them_beside_points(
    copied: Path, tmp_path: Path, face: np.ndarray
) -> None:
    points = face * 0.5 + (162, 120)
    (copied / "x.pts").write_text(format_pts(points), encoding="utf-8")
    known, dropped = annotated.known_faces(copied, None)
    assert (len(known), dropped) == (1, [])
    assert gallery.show(copied, None, Aligner("small"), False, False, tmp_path / "out") == 0
