"""`facealign evaluate`."""

import json
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from facealign.core.points import scheme_of
from facealign.data import attributes
from facealign.data.annotations import format_pts, read_pts
from facealign.evaluation import protocols
from facealign.training import checkpoint
from tests.cli.running import run, run_refused
from tests.helpers import ROOT


@pytest.mark.slow
def test_evaluate_gives_the_pipelines_figures(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    status, said, err = run(capsys, "evaluate", measured, "--json", "--out", out)
    assert status == 0
    ced = json.loads(said)
    assert ced == json.loads((out / "ced.json").read_text(encoding="utf-8"))
    assert list(ced) == ["one", "two", "all"] and list(ced["all"]) == ["model", "dlib"]
    counts = {name: (its["dlib"]["images"], its["dlib"]["undetected"]) for name, its in ced.items()}
    assert counts == {"one": (4, 0), "two": (2, 1), "all": (6, 1)}
    assert set(ced["all"]["model"]) == set(
        json.loads((ROOT / "metrics" / "ced.json").read_text(encoding="utf-8"))["all"]["model"]
    )
    assert ced["all"]["model"]["auc_08"] > 0.6
    assert "bare.png: no bare.pts beside it" in err
    assert "few.png: 39 points, expected 68" in err
    assert "no face found: " in err and "wall.png" in err
    groups = json.loads((out / "groups.json").read_text(encoding="utf-8"))
    assert list(groups) == ["one", "two"]
    for name, its in groups.items():
        assert list(its) == ["yaw", "sharpness", "size", "part"]
        for respect in ("yaw", "sharpness", "size"):
            images_of = [group["model"]["images"] for group in its[respect].values()]
            assert sum(images_of) == ced[name]["model"]["images"]
        # all points' mean error is that of the parts, by their counts
        regions = scheme_of(68).regions
        means = [its["part"][part]["dlib"]["nme"] for part in regions]
        weights = [len(part) for part in regions.values()]
        assert np.average(means, weights=weights) == pytest.approx(ced[name]["dlib"]["nme"])
    written = {path.name for path in out.iterdir()}
    assert written >= {"faces.jpg", "all.png", "all.svg", "one.png", "two.png"}
    _, table, _ = run(capsys, "evaluate", measured, "--out", out)
    assert "| all      | dlib   |" in table
    assert re.search(r"\| part of the face +\| jaw +\| +4 \| +0\.\d{4} ", table)
    assert re.search(r"Rank correlation of scores and errors of all points: -0\.\d{3}", table)


@pytest.mark.slow
def test_calibration_removes_a_constant_offset_of_the_annotations(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Points moved by a twentieth of the face, all the same way: found again on other pictures."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for path in sorted((measured / name).glob("?.*")):
            if path.suffix == ".pts":
                points = read_pts(path)
                across = np.ptp(points[:, 0])
                (tmp_path / name / path.name).write_text(format_pts(points + across / 20))
            else:
                (tmp_path / name / path.name).write_bytes(path.read_bytes())
    words = ["evaluate", tmp_path / "one", "--json", "--out", tmp_path / "out"]
    _, said, _ = run(capsys, *words)
    moved = json.loads(said)["all"]
    status, said, err = run(capsys, *words, "--calibrate", tmp_path / "two")
    assert "calibrated on 2 of 2 faces" in err
    mine = json.loads(said)["all"]
    words[1] = measured / "one"
    original = json.loads(run(capsys, *words)[1])["all"]
    assert status == 0
    for method in ("model", "dlib"):
        assert moved[method]["nme"] > original[method]["nme"] + 0.02
        assert mine[method]["nme"] < original[method]["nme"] + 0.01
    said = str(run(capsys, *words, "--calibrate", measured)[0])
    assert "of its pictures are measured on" in said and "calibrate by others" in said


@pytest.mark.slow
def test_evaluate_takes_the_courses_table_and_a_checkpoint(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = measured / "two"
    names = sorted(path.name for path in folder.iterdir() if path.suffix in (".jpg", ".png"))
    names.remove("wall.png")
    rows = [["", *map(str, range(136))]]
    for name in names:
        points = read_pts((folder / name).with_suffix(".pts")) + 1
        rows.append([name, *map(repr, points.ravel().tolist())])
    rows.append(["gone.jpg", *["1.0"] * 136])
    rows.append(["wall.png", "nan", *["1.0"] * 135])
    table = tmp_path / "points.csv"
    table.write_text("\n".join(map(",".join, rows)), encoding="utf-8")
    words = ["evaluate", folder, "--json", "--out", tmp_path / "out"]
    status, by_table, err = run(capsys, *words, "--csv", table)
    assert status == 0
    assert "gone.jpg: no such file, but" in err
    assert "wall.png: a point is not a number" in err
    _, by_pts, _ = run(capsys, *words)
    weights = checkpoint.RELEASED / "cascade.pt"
    _, by_checkpoint, _ = run(capsys, *words, "--model", weights)
    one, same, other = (json.loads(text)["all"] for text in (by_table, by_pts, by_checkpoint))
    # x + 1 - 1 may differ from x in the last bit
    assert one["model"]["auc_08"] == pytest.approx(same["model"]["auc_08"], abs=1e-12)
    assert one["dlib"]["auc_08"] == same["dlib"]["auc_08"] == other["dlib"]["auc_08"]
    # the released file is the mean of this network and of another
    assert one["model"]["auc_08"] == pytest.approx(other["model"]["auc_08"], abs=0.05)
    assert one["model"]["auc_08"] != other["model"]["auc_08"]


def test_evaluate_warns_of_mixed_splits(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for split, number in (("train", 0), ("test", 1)):
        target = tmp_path / "in" / "300W" / split
        target.mkdir(parents=True)
        for path in (measured / "one").glob(f"{number}.*"):
            (target / path.name).write_bytes(path.read_bytes())
    words = ["evaluate", tmp_path / "in", "--out", tmp_path / "out"]
    assert "warning: 300W has images of both train and test" in run(capsys, *words)[2]
    words[1] = tmp_path / "in" / "300W" / "test"
    assert "warning" not in run(capsys, *words)[2]


def test_evaluate_names_what_it_cannot_measure(
    measured: Path, album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "gone: no such folder" in str(run(capsys, "evaluate", tmp_path / "gone")[0])
    (tmp_path / "photo.jpg").touch()
    assert "photo.jpg: not a folder" in str(run(capsys, "evaluate", tmp_path / "photo.jpg")[0])
    said = str(run(capsys, "evaluate", album)[0])
    assert "no face to measure on, expected a .pts beside a picture" in said
    assert "both.png: no both.pts beside it" in said
    said = str(run(capsys, "evaluate", measured, "--csv", tmp_path / "no.csv")[0])
    assert "no.csv: No such file" in said


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        (np.full((68, 2), 100.0), "no width, no height or no distance of the eyes"),
        (np.full((68, 2), 1e300), "a point is more than 10,000,000 pixels away"),
    ],
)
def test_impossible_points_are_dropped(
    measured: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    points: np.ndarray,
    problem: str,
) -> None:
    """A distance of the eyes of 0 would give an infinite error, and 1e300 no map to a crop."""
    folder = tmp_path / "in"
    folder.mkdir()
    for path in (measured / "two").glob("[45].*"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "4.pts").write_text(format_pts(points), encoding="utf-8")
    for command in ("evaluate", "show"):
        _, _, err = run(capsys, command, folder, "--out", tmp_path / command)
        assert re.search(rf"4\.\w+: .*{problem}", err), err
    ced = json.loads((tmp_path / "evaluate" / "ced.json").read_text(encoding="utf-8"))
    assert ced["all"]["model"]["images"] == 1


def test_evaluate_refuses_a_data_set_that_is_named_like_the_sum_of_all(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("All", "other"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for path in (measured / "two").glob("4.*"):
            (tmp_path / "in" / name / path.name).write_bytes(path.read_bytes())
    words = ["evaluate", tmp_path / "in", "--out", tmp_path / "out"]
    said = str(run(capsys, *words)[0])
    assert said == "error: data set 'All' stands for the sum of all: rename the folder"
    words[1] = tmp_path / "in" / "All"
    assert run(capsys, *words)[0] == 0


def test_evaluate_by_the_protocol_of_a_data_set(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for path in (measured / "one").glob("[01].*"):
        (tmp_path / "one").mkdir(exist_ok=True)
        (tmp_path / "one" / path.name).write_bytes(path.read_bytes())
    pictures = sorted(path.name for path in (tmp_path / "one").iterdir() if path.suffix != ".pts")
    attributes.write(tmp_path / "one", {pictures[0]: ["challenging"], pictures[1]: ["common"]})
    words = ["evaluate", tmp_path / "one", "--model", "small", "--out", tmp_path / "out"]
    status, said, _ = run(capsys, *words, "--protocol", "300w")
    assert status == 0
    rows = [line.split("|")[1:5] for line in said.splitlines() if line.startswith("| one")]
    cells = [tuple(cell.strip() for cell in row) for row in rows]
    groups, norms, methods = ("all", "challenging", "common"), ("eyes", "pupils"), ("model", "dlib")
    assert cells == [("one", *its) for its in product(groups, norms, methods)]
    assert "eyes: the distance of the outer eye corners" in said
    read = json.loads((tmp_path / "out" / "protocol.json").read_text(encoding="utf-8"))
    assert (read["protocol"], read["points"], read["limit"]) == ("300w", 68, 0.08)
    everyone = read["figures"]["one"]["all"]
    ced = json.loads((tmp_path / "out" / "ced.json").read_text(encoding="utf-8"))
    for method, its in everyone["eyes"].items():
        assert its["nme"] == pytest.approx(ced["one"][method]["nme_interocular"])
        assert its["nme"] < everyone["pupils"][method]["nme"]
        assert its["images"] == 2
    by = json.loads((tmp_path / "out" / "groups.json").read_text(encoding="utf-8"))["one"]
    assert list(by["attribute"]) == ["challenging", "common"]
    curve = (tmp_path / "out" / "one.svg").read_text(encoding="utf-8")
    assert "outer eye corners" in curve
    status, said, err = run(capsys, *words, "--protocol", "300w", "--json")
    assert json.loads(said) == read and "warning" not in err
    status, _, _ = run(capsys, *words, "--protocol", "wflw")
    assert status == (
        "error: --protocol wflw is defined by 98 points (WFLW), the faces have 68 (iBUG)"
    )


def test_a_network_of_fewer_points_than_the_protocol_is_measured_with_a_warning(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    [pts, picture] = sorted((measured / "one").glob("0.*"), key=lambda path: path.suffix != ".pts")
    points = np.zeros((98, 2))
    points[[row[0] for row in scheme_of(98).maps[68]]] = read_pts(pts)
    (tmp_path / picture.name).write_bytes(picture.read_bytes())
    (tmp_path / pts.name).write_text(format_pts(points), encoding="utf-8")
    words = ["evaluate", tmp_path, "--model", "small", "--out", tmp_path / "out"]
    status, said, err = run(capsys, *words, "--protocol", "wflw", "--json")
    assert status == 0 and "warning: measured on 68 points" in err
    read = json.loads(said)
    assert (read["points"], read["limit"], list(read["norms"])) == (68, 0.1, ["eyes"])
    assert list(read["figures"][tmp_path.name]["all"]["eyes"]) == ["model"]  # without dlib


def test_the_protocols_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    said = run_refused(capsys, "evaluate", ".", "--protocol", "none")
    assert all(name in said for name in protocols.PROTOCOLS)
