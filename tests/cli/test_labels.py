"""`facealign labels`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from facealign.core.faces import Faces
from facealign.data.annotations import read_pts
from facealign.inference.suspects import ranking
from tests.cli.running import run, run_refused
from tests.data.test_filtering import add_face


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


def test_suspects_are_exported_and_come_back_as_a_patch(
    tmp_path: Path, face: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["300W/train/a.png", "300W/test/b.png"]
    for name in names:
        add_face(tmp_path / "faces", name.removesuffix(".png"), face + 100)
    ranked = Faces.of(
        names,
        **{name: np.array([1.0, 2.0]) for name in ("rank", "score", "distance", "usual")},
        **{name: ["fits", "fits"] for name in ("kind", "other")},
        points=np.stack([face + 101] * 2),
    )
    ranked.write(tmp_path / "s.csv", *ranking.COLUMNS)
    words = ["labels", "suspects", tmp_path / "s.csv", tmp_path / "out", "--format", "cvat"]
    words += ["--first", "2", "--images", tmp_path / "faces"]
    status, out, _ = run(capsys, *words)
    assert (status, out) == (0, f"{tmp_path / 'out'}: faces: 2 (fits: 2)\n")
    patch = tmp_path / "patches" / "p.csv"
    words = ["labels", "apply", tmp_path / "out", "--images", tmp_path / "faces", "--out", patch]
    status, out, _ = run(capsys, *words)
    said = f"cvat: faces: 2, changed: 0\n{patch} is not written: no label changed\n"
    assert (status, out) == (0, said) and not patch.exists()
    file = tmp_path / "out" / "annotations.xml"
    [corner] = re.findall(r'points="(.*?)"', file.read_text(encoding="utf-8"))[:1]
    file.write_text(file.read_text(encoding="utf-8").replace(corner, "30.5,40.5", 1), "utf-8")
    status, out, _ = run(capsys, *words)
    assert status == 0 and out.endswith("cvat: faces: 2, changed: 1\n")
    assert out.startswith("300W/train/a.png: points moved: 1, by 60.8 pixels")
    assert patch.read_text(encoding="utf-8").splitlines()[1].startswith("300W/train/a.png,30.0,40")
    assert "invalid choice: 'coco'" in run_refused(
        capsys, "labels", "suspects", "s.csv", "out", "--format", "coco"
    )
