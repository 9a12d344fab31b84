"""`facealign predict`, `align`, `compare`, `embed` and `export`."""

import csv
import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign import Aligner, Box, Face
from facealign.core import cluster, images
from facealign.core.points import select
from facealign.data.annotations import read_pts
from facealign.training import checkpoint
from tests.cli.running import run, run_refused


def test_json_has_a_line_for_each_picture_that_can_be_read(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, "predict", album)
    assert status == 1
    lines = {Path(line["image"]).name: line for line in map(json.loads, out.splitlines())}
    assert {name: len(line["faces"]) for name, line in lines.items()} == {
        "both.png": 2,
        "Эйлин К.png": 1,
        "nobody.png": 0,
    }
    both = lines["both.png"]
    assert (both["width"], both["height"]) == (1280, 480)
    face = both["faces"][0]
    assert set(face) == {"box", "score", "points", "scores", "pose"}
    assert set(face["pose"]) == {"yaw", "pitch", "roll"}
    assert np.shape(face["points"]) == (68, 2) and len(face["scores"]) == 68
    left, top, right, bottom = face["box"]
    nose_x, nose_y = face["points"][30]
    assert left < nose_x < right and top < nose_y < bottom
    assert f"error: {album / 'text.jpg'}: not a picture that can be read" in err
    assert f"no face found in {album / 'nobody.png'}" in err
    assert "4 images, 3 faces, 1 failed" in err


def test_a_cluster_gives_the_same(
    album: Path,
    capsys: pytest.CaptureFixture[str],
    scheduler: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(cluster.VARIABLE, "")  # and is put back
    here, there = tmp_path / "here", tmp_path / "there"
    for out, more in ((here, ()), (there, ("--scheduler", scheduler))):
        status, _, err = run(capsys, "predict", album, "--overlay", "--out", out, *more)
        assert status == 1 and "4 images, 3 faces, 1 failed" in err
        assert ("workers: 2;" in err) == bool(more)
    files = sorted(path.relative_to(here) for path in here.rglob("*") if path.is_file())
    assert len(files) == 6
    assert files == sorted(path.relative_to(there) for path in there.rglob("*") if path.is_file())
    for file in files:
        assert (here / file).read_bytes() == (there / file).read_bytes()


def test_a_checkpoint_is_not_for_a_cluster(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cluster.VARIABLE, "")  # and is put back
    command = ("predict", "x.png", "--model", "nets/mine.pt")
    said = run(capsys, *command, "--scheduler", "tcp://127.0.0.1:9")[0]
    assert str(said) == (
        "error: nets/mine.pt: the workers of a cluster need an ONNX file: first facealign export "
        "nets/mine.pt --out mine.onnx"
    )
    monkeypatch.setenv(cluster.VARIABLE, "")
    assert "no such file" in str(run(capsys, *command)[0])


def test_files_are_named_after_the_pictures_and_count_from_1(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    status, said, _ = run(capsys, "predict", album, "--format", "pts", "--overlay", "--out", out)
    assert (status, said) == (1, "")
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    points = {"both.pts", "both_2.pts", "below/Эйлин К.pts"}
    assert written == points | {"both.jpg", "below/Эйлин К.jpg", "nobody.jpg"}
    first = (out / "both.pts").read_text(encoding="utf-8").splitlines()[3].split()
    faces = Aligner(threads=1).predict(album / "both.png")
    np.testing.assert_allclose(read_pts(out / "both.pts"), faces[0].points, atol=1e-3)
    np.testing.assert_allclose(np.array(first, float), faces[0].points[0] + 1, atol=1e-3)
    drawn, plain = (cv2.imread(str(path)) for path in (out / "both.jpg", album / "both.png"))
    assert drawn is not None and plain is not None
    x, y = faces[0].points[30].round().astype(int)
    green = np.array([60, 220, 60])
    assert np.abs(drawn[y, x].astype(int) - green).max() < 60
    assert np.abs(plain[y, x].astype(int) - green).max() > 60


def test_a_table_needs_its_format(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "predict", album, "--out", "a.csv")[0]
    assert said == "error: --out a.csv names a table: add --format csv"


def test_a_table_has_a_row_for_each_face(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["predict", f"{album}/**/*.png", "--format", "csv"]
    status, out, err = run(capsys, *words)
    assert status == 0 and "3 images, 3 faces, 0 failed" in err
    rows = list(csv.DictReader(out.splitlines()))
    assert [(Path(row["image"]).name, row["face"]) for row in rows] == [
        ("Эйлин К.png", "1"),
        ("both.png", "1"),
        ("both.png", "2"),
    ]
    assert float(rows[0]["left"]) < float(rows[0]["x30"]) < float(rows[0]["right"])
    assert 0 < float(rows[0]["score0"]) < 1 and 0 < float(rows[0]["score67"]) < 1
    assert abs(float(rows[0]["yaw"])) < 10
    assert run(capsys, *words, "--out", tmp_path)[0] == 0
    assert (tmp_path / "landmarks.csv").read_text(encoding="utf-8") == out


def test_invalid_options_are_refused_before_any_work(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "--overlay writes files" in str(run(capsys, "predict", album, "--overlay")[0])
    assert "--format pts writes files" in str(run(capsys, "predict", album, "--format", "pts")[0])
    assert "unknown model 'x'" in str(run(capsys, "predict", album, "--model", "x")[0])
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes((album / "nobody.png").read_bytes())
    clash = run(capsys, "predict", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "out")[0]
    assert "would have results of the same name" in str(clash)
    assert not (tmp_path / "out").exists()


def test_a_missing_path_does_not_stop_the_others(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gone, empty, there = tmp_path / "gone.jpg", tmp_path / "empty", album / "below" / "Эйлин К.png"
    empty.mkdir()
    status, out, err = run(capsys, "predict", gone, empty, there)
    assert status == 1
    assert [json.loads(line)["image"] for line in out.splitlines()] == [str(there)]
    assert f"error: {gone}: no such file or folder\n" in err
    assert f"error: {empty}: no image in this folder (.bmp, " in err
    assert "3 images, 1 face, 2 failed" in err
    status, _, err = run(capsys, "align", gone, "--out", tmp_path / "out")
    assert status == 1 and "1 image, 0 faces, 1 failed" in err
    said = f"{there} is a file, expected a folder"
    for command in ("predict", "align", "evaluate", "show"):
        assert said in run_refused(capsys, command, album, "--out", there)


def test_pictures_and_their_points_are_never_overwritten(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = measured / "one"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    said = run(capsys, "predict", folder, "--format", "pts", "--out", folder)[0]
    assert ".pts would be overwritten: it is there already" in str(said)
    said = run(capsys, "align", folder / "bare.png", "--out", folder)[0]
    assert "bare.png would be overwritten" in str(said)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    gone = tmp_path / "gone.pt"
    assert str(run(capsys, "export", gone)[0]) == f"error: {gone}: no such file"


def test_no_result_takes_the_place_of_another(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pictures, results = tmp_path / "pictures", tmp_path / "pictures" / "results"
    pictures.mkdir()
    for name in ("x.png", "x_2.png"):
        shutil.copy(album / "both.png", pictures / name)
    words = ["predict", pictures, "--format", "pts", "--overlay", "--out"]
    for _ in range(2):  # again into the same folder
        status, _, err = run(capsys, *words, results)
        assert status == 0 and "2 images, 4 faces" in err
    assert {path.stem for path in results.glob("*.pts")} == {"x", "x_3", "x_2", "x_2_2"}
    assert len({path.read_bytes() for path in results.glob("*.pts")}) == 2
    long = "l" * 251  # with .json longer than a name can be
    shutil.copy(album / "nobody.png", pictures / f"{long}.png")
    status, _, err = run(capsys, "predict", pictures, "--out", tmp_path / "json")
    assert status == 1 and f"{long}.json: File name too long" in err
    assert {path.name for path in (tmp_path / "json").glob("*.json")} == {"x.json", "x_2.json"}
    mine = tmp_path / "x.jpg"
    mine.write_bytes(b"mine")
    said = run(capsys, *words, tmp_path)[0]
    assert f"{mine} would be overwritten" in str(said) and mine.read_bytes() == b"mine"


def test_an_interrupted_table_keeps_its_finished_rows(
    album: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    find, calls = Aligner.predict, []

    def interrupt(aligner: Aligner, image: np.ndarray) -> list[Face]:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return find(aligner, image)

    table, part = tmp_path / "faces.csv", tmp_path / "faces.incomplete.csv"
    words = ["predict", album / "both.png", album / "nobody.png", "--format", "csv", "--out", table]
    with monkeypatch.context() as patch:
        patch.setattr(Aligner, "predict", interrupt)
        status, _, err = run(capsys, *words)
    assert status == 130 and f"the finished rows are in {part}" in err
    assert len(part.read_text(encoding="utf-8").splitlines()) == 3
    assert run(capsys, *words)[0] == 0
    assert len(table.read_text(encoding="utf-8").splitlines()) == 3
    assert list(tmp_path.iterdir()) == [table]
    table.write_text("name,age\n", encoding="utf-8")
    assert "not a table of `facealign predict`" in str(run(capsys, *words)[0])


def test_aligned_crops_have_upright_eyes(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, _, _ = run(capsys, "align", album, "--points", 2, "--size", 96, "--out", tmp_path)
    assert status == 1  # of the text
    crops = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    assert crops == ["below/Эйлин К.png", "both.png", "both_2.png"]
    crop = images.read(tmp_path / "both.png")
    assert crop.shape == (96, 96, 3)
    (face,) = Aligner(threads=1).predict(crop, [Box(10, 10, 85, 85)])
    left, right, *_ = select(face.points, 5)
    assert abs(right[1] - left[1]) < 3 and abs(right[0] - left[0] - 0.3 * 96) < 3
    assert "expected an integer from 16" in run_refused(capsys, "align", album, "--size", 5)


def test_faces_are_compared_and_embedded_by_the_bundled_recogniser(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, astronaut: np.ndarray
) -> None:
    images.write(tmp_path / "one.png", astronaut)
    images.write(tmp_path / "same.jpg", (astronaut[20:330, 90:350] * 0.8).astype(np.uint8))
    status, out, err = run(capsys, "compare", tmp_path / "one.png", tmp_path / "same.jpg")
    assert status == 0 and re.fullmatch(
        r"face 1, face 1: 0\.9\d\d \(higher: under 0\.06 % of pairs of one person, "
        r"under 0\.01 % of two people, under 0\.5 % of two people in one photograph\)\n",
        out,
    )
    assert re.search(r"of \d{4} people and \d{3} with several faces", err) and "probability" in err
    assert "the same person" not in out + err
    _, out, _ = run(capsys, "compare", tmp_path / "one.png", album / "both.png", "--json")
    found = json.loads(out)
    pairs, measured = found["pairs"], found["measured"]
    for pair in pairs:
        assert pair["more_similar"].keys() == measured["pairs"].keys() == measured["above"].keys()
        curve = measured["above"]["same"]
        expected = np.interp(pair["similarity"], measured["levels"], curve)
        assert pair["more_similar"]["same"] == pytest.approx(expected)
    assert sorted((pair["one"], pair["other"]) for pair in pairs) == [(1, 1), (1, 2)]
    assert pairs[0]["similarity"] >= pairs[1]["similarity"]
    status, _, _ = run(capsys, "compare", tmp_path / "one.png", album / "nobody.png")
    assert status == f"error: {album / 'nobody.png'}: no face found"
    status, out, err = run(capsys, "embed", album)
    lines = {Path(line["image"]).name: line["faces"] for line in map(json.loads, out.splitlines())}
    assert status == 1 and "text.jpg: not a picture" in err and "no face found in" in err
    assert {name: len(faces) for name, faces in lines.items()} == {
        "both.png": 2,
        "nobody.png": 0,
        "Эйлин К.png": 1,
    }
    embedding = np.array(lines["Эйлин К.png"][0]["embedding"])
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-3)


@pytest.mark.slow
def test_predict_reads_what_export_writes(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    released = checkpoint.RELEASED / "cascade.pt"
    model = tmp_path / "mine.onnx"
    status, out, err = run(capsys, "export", released, "--out", model)
    size = f"{model.stat().st_size / 1e6:.1f} MB"
    assert (status, out) == (0, f"{model}: {size}, the same points as torch's\n")
    assert re.search(r"at most \d\.\de-0[4-9] px from torch's points", err)
    picture = album / "below" / "Эйлин К.png"
    mine, ours = (
        json.loads(run(capsys, "predict", picture, "--model", name)[1])["faces"][0]["points"]
        for name in (model, "cascade")
    )
    np.testing.assert_allclose(mine, ours, atol=1.5)  # the released file is int8
    said = run(capsys, "export", album / "text.jpg", "--out", model)[0]
    assert "text.jpg: not a checkpoint of facealign" in str(said)


def test_export_does_not_overwrite_the_checkpoint(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine, link = tmp_path / "mine.pt", tmp_path / "link.pt"
    mine.write_bytes(b"a checkpoint")
    link.hardlink_to(mine)
    for out in (mine, link):
        said = str(run(capsys, "export", mine, "--out", out)[0])
        assert said == f"error: {out}: would overwrite the checkpoint itself"
    assert mine.read_bytes() == b"a checkpoint"
