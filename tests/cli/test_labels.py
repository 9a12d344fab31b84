"""`facealign labels`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from facealign.data.annotations import read_pts
from tests.cli.running import run, run_refused


def test_convert_says_what_it_did_and_what_it_left_out(
    measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(measured / "two", tmp_path / "photos")
    words: list[object] = ["labels", "convert"]
    status, out, err = run(capsys, *words, folder, tmp_path / "faces.json", "--to", "coco")
    assert (status, err) == (0, "")
    assert out == "pts to coco: faces: 3, images: 3, points of a face: 68\n"
    file = json.loads((tmp_path / "faces.json").read_text(encoding="utf-8"))
    file["annotations"][0]["keypoints"][2] = 1
    (tmp_path / "faces.json").write_text(json.dumps(file), encoding="utf-8")
    words += [tmp_path / "faces.json", tmp_path / "back", "--to", "pts", "--images", folder]
    status, out, err = run(capsys, *words)
    assert status == 0 and out == "coco to pts: faces: 3, images: 3, points of a face: 68\n"
    assert err == "left out: marks of hidden points, which pts does not have: 1\n"
    for path in folder.glob("*.pts"):
        np.testing.assert_array_equal(read_pts(tmp_path / "back" / path.name), read_pts(path))
    message, _, _ = run(capsys, *words)
    assert "back" in str(message) and "is there already; remove it or" in str(message)


def test_convert_asks_for_a_format_that_it_cannot_know(
    measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["labels", "convert", measured / "two"]
    message, _, _ = run(capsys, *words, tmp_path / "a.xml")
    said = "several formats are possible: name one with --to: cvat, imglab"
    assert message == f"error: {tmp_path / 'a.xml'}: {said}"
    message, _, _ = run(capsys, *words, tmp_path / "a.xml", "--to", "cvta")
    assert str(message).startswith("error: unknown format 'cvta', did you mean cvat? Valid: pts,")
    assert run(capsys, *words, tmp_path / "a.csv")[0] == 0
    assert "required: ACTION" in run_refused(capsys, "labels")
