"""`facealign score`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from facealign.data.annotations import format_pts
from facealign.synthesis.pictures import plan_pictures, render
from tests.cli.running import run

FACES = 14


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `truth` of images with points, and the points of three methods beside it."""
    folder = tmp_path_factory.mktemp("score")
    rng = np.random.default_rng(0)
    plans = [plan for plan in plan_pictures(60, 11) if plan.kind == "plain"][:FACES]
    rows = ["image,face," + ",".join(f"x{i},y{i}" for i in range(68))]
    for number, plan in enumerate(plans):
        picture, points = render(plan)
        name = f"{'ab'[number % 2]}/{number}"
        write(folder / "truth" / f"{name}.jpg", picture)
        write(folder / "truth" / f"{name}.pts", format_pts(points).encode())
        for method, deviation in (("near", 1.0), ("far", 5.0)):
            moved = points + rng.normal(0, deviation, points.shape)
            if method == "near" or number:  # the other has no points for the first face
                write(folder / method / f"{name}.pts", format_pts(moved).encode())
        # with another suffix and one more folder, and beside points that are not the face's
        for face, shift in ((1, 500), (2, 0)):
            numbers = (points + shift).ravel().tolist()
            rows.append(f"photos/{name}.png,{face}," + ",".join(map(repr, numbers)))
    write(folder / "exact.csv", "\n".join(rows).encode())
    return folder


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_methods_are_ranked_and_compared(
    scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    methods = [scored / "far", f"close={scored / 'near'}", scored / "exact.csv"]
    words = ["score", scored / "truth", *methods, "--out", tmp_path, "--norm", "points"]
    status, out, err = run(capsys, *words)
    assert (status, err) == (0, "")
    board = json.loads((tmp_path / "leaderboard.json").read_text(encoding="utf-8"))
    figures = board["figures"]
    assert list(figures) == ["a", "b", "all"]
    assert list(figures["all"]) == ["exact", "close", "far"]
    assert figures["all"]["exact"]["auc_08"] > 0.9999
    lost = {name: its["undetected"] for name, its in figures["all"].items()}
    assert lost == {"exact": 0, "close": 0, "far": 1}
    assert figures["all"]["far"]["auc_08_all"] < figures["all"]["far"]["auc_08"]
    pairs = [(its["method"], its["against"], its["images"]) for its in board["differences"]]
    shared = FACES - 1
    assert pairs == [("exact", "close", shared), ("exact", "far", shared), ("close", "far", shared)]
    assert all(its["p"] < 0.05 for its in board["differences"])
    assert {"yaw", "size", "part"} == set(board["groups"])
    assert "| close  | far     |" in out
    page = (tmp_path / "leaderboard.html").read_text(encoding="utf-8")
    assert "Differences" in page and "the box around the true points" in page
    assert {"ced.png", "ced.svg", "leaderboard.pdf"} <= {file.name for file in tmp_path.iterdir()}
    with (tmp_path / "errors.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == FACES and [row["image"] for row in rows if not row["far"]] == ["a/0"]


def test_the_norm_is_what_errors_are_divided_by(
    scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nmes = {}
    for norm in ("dlib", "eyes"):
        words = ["score", scored / "truth", scored / "near", "--norm", norm, "--json"]
        status, out, _ = run(capsys, *words, "--out", tmp_path / norm)
        its = json.loads(out)["figures"]["all"]["near"]
        assert status == 0
        nmes[norm] = its["nme"], its["nme_interocular"]
    assert nmes["eyes"][0] == pytest.approx(nmes["eyes"][1])
    assert nmes["dlib"][0] < 0.8 * nmes["dlib"][1]


def test_what_cannot_be_compared_is_refused(
    scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = scored / "truth"
    message, _, _ = run(capsys, "score", truth, scored / "near", f"near={scored / 'far'}")
    assert "another method has the name 'near'" in str(message)
    message, _, _ = run(capsys, "score", truth, f"mine={scored / 'nothing.csv'}")
    assert "nothing.csv" in str(message)
    other = tmp_path / "other.csv"
    rows = (scored / "exact.csv").read_text(encoding="utf-8").replace("photos/", "photos/x")
    other.write_text(rows, encoding="utf-8")
    words = ["score", truth, other, "--norm", "eyes", "--out", tmp_path / "board"]
    message, _, _ = run(capsys, *words)
    assert f"other.csv: no points for any of the {FACES} faces" in str(message)
    table = tmp_path / "truth.csv"
    table.write_text((scored / "exact.csv").read_text(encoding="utf-8"), encoding="utf-8")
    message, _, _ = run(capsys, "score", table, scored / "exact.csv", "--out", tmp_path / "board")
    assert "no image photos/" in str(message) and "--norm eyes" in str(message)
