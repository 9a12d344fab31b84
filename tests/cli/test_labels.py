"""`facealign labels`."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
import yaml

from facealign.core.faces import Faces
from facealign.data import patches
from facealign.data.annotations import format_pts, read_pts
from facealign.inference.suspects import ranking
from tests.cli.running import run, run_refused
from tests.cli.test_main import start
from tests.data.test_filtering import add_face
from tests.helpers import ROOT, as_wflw


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


def test_convert_changes_the_scheme_of_points_by_a_fixed_map(
    face: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        add_face(tmp_path / "wide", name, as_wflw(face + 100))
    add_face(tmp_path / "wide", "c", face[:39])
    words = ["labels", "convert", tmp_path / "wide", tmp_path / "out", "--to", "pts"]
    status, out, err = run(capsys, *words, "--points", 68)
    assert (status, out) == (0, "pts to pts: faces: 2, images: 2, points of a face: 68\n")
    assert err == "left out: faces of 39 points, which do not convert to 68: 1\n"
    np.testing.assert_array_equal(read_pts(tmp_path / "out" / "b.pts"), face + 100)
    message, _, _ = run(capsys, *words, "--points", 67)
    assert str(message).startswith("error: 67 points: no scheme has so many")
    said = run_refused(capsys, *words, "--points", 68, "--map", "map.json")
    assert "not allowed with argument --points" in said


def test_convert_learns_a_map_and_uses_it(
    face: np.ndarray,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("facealign.core.points._own", {})
    rng = np.random.default_rng(1)
    for number in range(24):
        points = face * rng.uniform(0.9, 1.1, 2) + 150
        add_face(tmp_path / "ours", f"{number}", points)
        corners = points[[36, 39, 42, 45, 30, 48, 54, 8]] + (0, 5)  # of schemes/example.yaml
        (tmp_path / "theirs").mkdir(exist_ok=True)
        (tmp_path / "theirs" / f"{number}.pts").write_text(format_pts(corners), encoding="utf-8")
    (tmp_path / "theirs" / "3.pts").unlink()
    own = ["--scheme", ROOT / "schemes" / "example.yaml", "--images", tmp_path / "ours"]
    learning = ["labels", "convert", tmp_path / "ours", tmp_path / "theirs", *own]
    learning += ["--learn", tmp_path / "map.json"]
    status, out, err = run(capsys, *learning)
    assert (status, err) == (0, "left out: faces that only one of the two has: 1\n")
    first, second = out.splitlines()
    assert first == "68 points (iBUG) to 8 points (corners): faces: 23, and their mirror images"
    assert re.fullmatch(
        r"NME on faces that it was not learnt from: 0\.00\d\d, by the fixed map: there is none",
        second,
    )
    words = ["labels", "convert", tmp_path / "ours", tmp_path / "out", "--to", "pts"]
    words += ["--map", tmp_path / "map.json"]
    status, out, _ = run(capsys, *words)
    assert (status, out) == (0, "pts to pts: faces: 24, images: 24, points of a face: 8\n")
    off = read_pts(tmp_path / "out" / "7.pts") - read_pts(tmp_path / "theirs" / "7.pts")
    assert np.linalg.norm(off, axis=1).mean() < 1

    message, _, _ = run(capsys, *learning)
    assert str(message).startswith(f"error: {tmp_path / 'map.json'} is there already; remove it")
    learning[-1] = tmp_path / "other.json"
    for number in range(4, 9):
        (tmp_path / "theirs" / f"{number}.pts").unlink()
    message, _, _ = run(capsys, *learning)
    assert "18 faces in 18 images have all points in both, expected at least 20" in str(message)
    assert not (tmp_path / "other.json").exists()


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


def test_suspects_of_a_users_scheme_are_exported_and_come_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ROOT / "schemes" / "example.yaml"
    count = len(yaml.safe_load(own.read_text(encoding="utf-8"))["points"])
    points = 20 + 3.0 * np.arange(2 * count).reshape(-1, 2) % 50
    add_face(tmp_path / "faces", "own/train/a", points)
    columns = {name: np.ones(1) for name in ("rank", "score", "distance", "usual")}
    said = {name: ["fits"] for name in ("kind", "other")}
    ranked = Faces.of(["own/train/a.png"], **columns, **said, points=points[None])
    ranked.write(tmp_path / "s.csv", *ranking.COLUMNS)
    where = "--images", tmp_path / "faces", "--scheme", own
    words = ["labels", "suspects", tmp_path / "s.csv", tmp_path / "out", "--format", "cvat"]
    status, out, _ = run(capsys, *words, *where)
    assert (status, out) == (0, f"{tmp_path / 'out'}: faces: 1 (fits: 1)\n")
    words = ["labels", "apply", tmp_path / "out", "--out", tmp_path / "p.csv"]
    status, out, _ = run(capsys, *words, *where)
    assert (status, out.splitlines()[0]) == (0, "cvat: faces: 1, changed: 0")


@contextmanager
def editing(*words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`facealign labels edit` and the address that it prints."""
    process = start("labels", "edit", *words, "--no-browser")
    try:
        assert process.stdout is not None
        found = re.fullmatch(r"images: 1; Ctrl-C ends: (http\S+)\n", process.stdout.readline())
        assert found
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


def get(url: str) -> Any:
    with urlopen(url, timeout=30) as answer:
        return json.load(answer)


def post(url: str, value: Any) -> None:
    origin = "/".join(url.split("/")[:3])
    with urlopen(Request(url, json.dumps(value).encode(), {"Origin": origin}), timeout=30):
        pass


def test_edit_says_at_the_end_what_was_changed_and_what_comes_next(
    tmp_path: Path, face: np.ndarray
) -> None:
    for name in ("b", "a"):
        add_face(tmp_path / "faces", f"300W/train/{name}", face + 100)
    (tmp_path / "names.txt").write_text("300W/train/b.png\n300W/train/a.png\n", encoding="utf-8")
    first, patch = tmp_path / "first.csv", tmp_path / "patches" / "p.csv"
    patches.write(first, {"300W/train/a.png": face + 101})
    words = [tmp_path / "faces", "--out", patch, "--patch", first]
    words += ["--names", tmp_path / "names.txt", "--first", "1"]
    with editing(*words) as (process, url):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", url)
        assert get(f"{url}state")["images"] == ["300W/train/b.png"]
        post(f"{url}face/0", (face + 102).tolist())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert out == (
        f"{patch}: labels changed: 1\nnext:\ngit add {patch}\n"
        f"dvc exp run -S 'data.patches=[{first},{patch}]'\n"
    )
    with editing(*words) as (process, url):
        assert get(f"{url}state")["changed"] == [0]
        process.kill()  # nothing is lost
        process.wait()
    np.testing.assert_array_equal(patches.read([patch])["300W/train/b.png"].points, face + 102)


def test_edit_knows_the_points_of_a_users_scheme(tmp_path: Path) -> None:
    values = yaml.safe_load((ROOT / "schemes" / "example.yaml").read_text(encoding="utf-8"))
    (tmp_path / "scheme.json").write_text(json.dumps(values), encoding="utf-8")
    points = np.arange(2.0 * len(values["points"])).reshape(-1, 2)
    add_face(tmp_path / "faces", "own/train/a", points)
    with editing(tmp_path / "faces", "--scheme", tmp_path / "scheme.json") as (_, url):
        scheme = get(f"{url}face/0")["scheme"]
    assert scheme["names"] == values["points"] and scheme["name"] == values["name"]
    with editing(tmp_path / "faces") as (_, url):  # they can be moved, without names and lines
        label = get(f"{url}face/0")
    assert label["points"] == points.tolist() and label["scheme"]["lines"] == []


def test_edit_refuses_what_cannot_be(
    tmp_path: Path, face: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    said = run(capsys, "labels", "edit", tmp_path / "gone", "--no-browser")[0]
    assert said == f"error: {tmp_path / 'gone'}: No such file or directory"
    add_face(tmp_path, "300W/train/a", face)
    with editing(tmp_path) as (_, url):
        port = url.split(":")[2].split("/")[0]
        said = run(capsys, "labels", "edit", tmp_path, "--no-browser", "--port", port)[0]
    assert said == f"error: --port {port}: Address already in use"
    words = ["labels", "edit", "--names", "a.txt", "--suspects", "b.csv"]
    assert "--suspects: not allowed with argument --names" in run_refused(capsys, *words)
