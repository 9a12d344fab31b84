"""The command `facealign`, with the files it reads and writes."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign import Aligner, Box
from facealign.cli import main
from facealign.core import images
from facealign.core.points import REGIONS, select
from facealign.data.annotations import format_pts, read_pts
from facealign.inference import benchmark, video
from facealign.synthesis.film import film, swaying
from facealign.synthesis.pictures import plan_pictures, render
from facealign.training import checkpoint
from tests.helpers import ROOT


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int | str, str, str]:
    """Exit status or message, and what was written to the two outputs."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["facealign", *map(str, words)])
        main.main()
    out, err = capsys.readouterr()
    assert ended.value.code is not None
    return ended.value.code, out, err


def run_refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What is said of a command line that cannot be parsed."""
    status, _, err = run(capsys, *words)
    assert status == 2
    return err


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """Two faces in one picture, one in a folder below, none in the third, a text in the fourth."""
    folder = tmp_path_factory.mktemp("альбом 1")
    (one, _), (two, _) = benchmark.portraits(2)
    pictures = {
        "both.png": np.hstack([one, two]),
        "below/Эйлин К.png": astronaut[:300, 60:360],
        "nobody.png": np.full((120, 160, 3), 90, np.uint8),
    }
    (folder / "below").mkdir()
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / name), picture[:, :, ::-1])
    (folder / "text.jpg").write_text("no picture", encoding="utf-8")
    (folder / "notes.txt").write_text("not looked at", encoding="utf-8")
    return folder


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
    assert set(face) == {"box", "points", "scores", "pose"}
    assert set(face["pose"]) == {"yaw", "pitch", "roll"}
    assert np.shape(face["points"]) == (68, 2) and len(face["scores"]) == 68
    left, top, right, bottom = face["box"]
    nose_x, nose_y = face["points"][30]
    assert left < nose_x < right and top < nose_y < bottom
    assert f"error: {album / 'text.jpg'}: not a picture that can be read" in err
    assert f"no face found in {album / 'nobody.png'}" in err
    assert "4 pictures, 3 faces, 1 unreadable" in err


def test_files_are_named_as_the_pictures_and_count_from_1(
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


def test_a_table_has_a_row_for_each_face(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["predict", f"{album}/**/*.png", "--format", "csv"]
    status, out, err = run(capsys, *words)
    assert status == 0 and "3 pictures, 3 faces, 0 unreadable" in err
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


def test_faces_are_compared_and_embedded_by_the_recogniser_that_comes_along(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, astronaut: np.ndarray
) -> None:
    images.write(tmp_path / "one.png", astronaut)
    images.write(tmp_path / "same.jpg", (astronaut[20:330, 90:350] * 0.8).astype(np.uint8))
    status, out, err = run(capsys, "compare", tmp_path / "one.png", tmp_path / "same.jpg")
    assert status == 0 and re.fullmatch(
        r"face 1, face 1: 0\.\d{3}  probably the same person\n", out
    )
    assert "On 76 held-out people, 1 in 100 pairs of different people" in err
    _, out, _ = run(capsys, "compare", tmp_path / "one.png", album / "both.png", "--json")
    pairs = json.loads(out)["pairs"]
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


def test_export_writes_what_predict_takes(
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


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two thirds of a second of a person who moves."""
    path = tmp_path_factory.mktemp("clips") / "лицо 1.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (640, 480))
    for picture, _ in film(swaying, 20, seed=4):
        video.write(np.ascontiguousarray(picture[:, :, ::-1]))
    video.release()
    return path


def frames_of(path: Path) -> list[np.ndarray]:
    capture, frames = cv2.VideoCapture(str(path)), []
    while (shot := capture.read())[0]:
        frames.append(shot[1])
    return frames


def test_video_draws_points_and_writes_a_line_for_each_frame(
    clip: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, lines = tmp_path / "drawn.mp4", tmp_path / "lines.jsonl"
    status, _, err = run(capsys, "video", clip, "--out", out, "--json", lines)
    assert status == 0
    said = (
        r"1 face, seen in 20 of 20 frames; \d+\.\d frames a second, the detector ran on 1 of them"
    )
    assert re.search(said, err)
    _, out_lines, _ = run(capsys, "video", clip, "--json", "-")
    assert out_lines == lines.read_text(encoding="utf-8")
    frames = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert [frame["frame"] for frame in frames] == list(range(20))
    assert [face["track"] for frame in frames for face in frame["faces"]] == [1] * 20
    plain, drawn = frames_of(clip), frames_of(out)
    assert len(drawn) == len(plain) == 20 and drawn[0].shape == plain[0].shape
    x, y = np.round(frames[9]["faces"][0]["points"][30]).astype(int)
    assert drawn[9][y, x, 1].astype(int) - drawn[9][y, x, 2] > 60  # green
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drawn.mp4", "lines.jsonl"]


def test_a_video_that_is_none_leaves_nothing_behind(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, clip: Path
) -> None:
    text = album / "text.jpg"
    out = tmp_path / "out.mp4"
    assert "not a video that can be read" in str(run(capsys, "video", text, "--out", out)[0])
    assert "no such file" in str(run(capsys, "video", tmp_path / "gone.mp4", "--out", out)[0])
    said = run(capsys, "video", clip, "--out", tmp_path / "out.mkv")[0]
    assert "expected a name that ends in .mp4 or .avi" in str(said)
    assert "would overwrite the video itself" in str(run(capsys, "video", clip, "--out", clip)[0])
    said = run(capsys, "video", tmp_path, "--out", out)[0]
    assert "a folder, expected a video" in str(said)
    assert list(tmp_path.iterdir()) == []


def test_a_video_without_a_face_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "wall.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (160, 120))
    for _ in range(3):
        video.write(np.full((120, 160, 3), 90, np.uint8))
    video.release()
    status, _, err = run(capsys, "video", path, "--json", tmp_path / "lines")
    assert status == 0 and "no face in any of 3 frames" in err


def test_a_video_that_breaks_off_is_written_as_far_as_it_goes(clip: Path, tmp_path: Path) -> None:
    """What OpenCV and FFmpeg say of it does not reach the user."""
    cut = tmp_path / "cut.avi"
    video = cv2.VideoWriter(str(cut), cv2.VideoWriter.fourcc(*"MJPG"), 30, (640, 480))
    for frame in frames_of(clip):
        video.write(frame)
    video.release()
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    out = tmp_path / "out.mp4"
    command = [sys.executable, "-m", "facealign", "video", str(cut), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    *_, summary, error = done.stderr.splitlines()
    assert "1 face, seen in" in summary
    read = len(frames_of(out))
    assert 5 < read < 15
    said = f"error: {cut}: only {read} of 20 frames could be read; {out} has those"
    assert error == said


def test_webcam_writes_what_a_stream_shows(
    clip: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "seen.avi"
    status, _, err = run(capsys, "webcam", "--camera", clip, "--out", out)
    assert status == 0 and "20 frames" in err and len(frames_of(out)) == 20
    assert "camera 'nowhere': cannot be opened" in str(
        run(capsys, "webcam", "--camera", "nowhere")[0]
    )
    if not video.has_windows():
        assert "this OpenCV has no windows" in str(run(capsys, "webcam", "--camera", clip)[0])


def test_bench_times_network_and_dlib_on_the_same_faces(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "FRAMES", 14)
    monkeypatch.setenv("FACEALIGN_WORKERS", "2")
    small = ["bench", "--faces", 2, "--pictures", 4]
    figures = json.loads(run(capsys, *small, "--json")[1])
    assert figures["faces"] == 2 and figures["pictures"] == 4
    assert set(figures["pictures_per_second"]) == {"1", "2"}
    assert set(figures["steps"]) == {"cascade", "small", "dlib"}
    for taken in figures["steps"].values():
        assert 0 < taken["landmarks_ms"] < taken["picture_ms"]
        assert taken["picture_ms"] == pytest.approx(
            taken["detector_ms"] + taken["landmarks_ms"], rel=0.3
        )
    assert figures["steps"]["dlib"]["megabytes"] == pytest.approx(99.7, abs=0.1)
    assert set(figures["video"]) == {
        "cascade, each_frame",
        "cascade, followed",
        "cascade, smoothed",
        "dlib, each_frame",
    }
    assert figures["import_ms"] < figures["ready_ms"]
    _, table, _ = run(capsys, *small, "--model", "cascade")
    assert "| cascade |" in table and "a second by 2 processes." in table


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """Two data sets of generated faces with points, and pictures that are no use."""
    folder = tmp_path_factory.mktemp("measured")
    plans = [plan for plan in plan_pictures(80, 9) if plan.kind == "plain"][:6]
    for number, plan in enumerate(plans):
        data, points = render(plan)
        path = folder / ("one" if number < 4 else "two") / f"{number}{Path(plan.name).suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        path.with_suffix(".pts").write_text(format_pts(points), encoding="utf-8")
    images.write(folder / "one" / "bare.png", astronaut)
    images.write(folder / "one" / "few.png", astronaut)
    (folder / "one" / "few.pts").write_text(format_pts(np.ones((39, 2))), encoding="utf-8")
    images.write(folder / "two" / "wall.png", np.full((200, 200, 3), 90, np.uint8))
    spread = np.random.default_rng(1).uniform(60, 140, (68, 2))
    (folder / "two" / "wall.pts").write_text(format_pts(spread), encoding="utf-8")
    return folder


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
        means = [its["part"][part]["dlib"]["nme"] for part in REGIONS]
        weights = [part.stop - part.start for part in REGIONS.values()]
        assert np.average(means, weights=weights) == pytest.approx(ced[name]["dlib"]["nme"])
    written = {path.name for path in out.iterdir()}
    assert written >= {"faces.jpg", "all.png", "all.svg", "one.png", "two.png"}
    _, table, _ = run(capsys, "evaluate", measured, "--out", out)
    assert "| all      | dlib   |" in table
    assert re.search(r"\| part of the face +\| jaw +\| +4 \| +0\.\d{4} ", table)
    assert re.search(r"Rank correlation of scores and errors of all points: -0\.\d{3}", table)


def test_annotators_who_mean_other_places_are_calibrated_away(
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
    table = tmp_path / "points.csv"
    table.write_text("\n".join(map(",".join, rows)), encoding="utf-8")
    words = ["evaluate", folder, "--json", "--out", tmp_path / "out"]
    status, by_table, err = run(capsys, *words, "--csv", table)
    assert status == 0
    assert "gone.jpg: no such file, but" in err
    _, by_pts, _ = run(capsys, *words)
    weights = checkpoint.RELEASED / "cascade.pt"
    _, by_checkpoint, _ = run(capsys, *words, "--model", weights)
    one, same, other = (json.loads(text)["all"] for text in (by_table, by_pts, by_checkpoint))
    assert one["model"]["auc_08"] == same["model"]["auc_08"]
    assert one["dlib"]["auc_08"] == same["dlib"]["auc_08"] == other["dlib"]["auc_08"]
    # the released file is the mean of this network and of another
    assert one["model"]["auc_08"] == pytest.approx(other["model"]["auc_08"], abs=0.03)
    assert one["model"]["auc_08"] != other["model"]["auc_08"]


def test_pictures_and_their_points_are_never_overwritten(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = measured / "one"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    said = run(capsys, "predict", folder, "--format", "pts", "--out", folder)[0]
    assert ".pts would be overwritten: --out is the folder of the pictures" in str(said)
    assert ".png would be overwritten" in str(run(capsys, "align", folder, "--out", folder)[0])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    gone = tmp_path / "gone.pt"
    assert str(run(capsys, "export", gone)[0]) == f"error: {gone}: no such file"


def test_train_and_test_measured_together_are_mentioned(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for split, number in (("train", 0), ("test", 1)):
        target = tmp_path / "in" / "300W" / split
        target.mkdir(parents=True)
        for path in (measured / "one").glob(f"{number}.*"):
            (target / path.name).write_bytes(path.read_bytes())
    words = ["evaluate", tmp_path / "in", "--out", tmp_path / "out"]
    assert "warning: 300W has pictures of both train and test" in run(capsys, *words)[2]
    words[1] = tmp_path / "in" / "300W" / "test"
    assert "warning" not in run(capsys, *words)[2]


def greens_and_reds(page: np.ndarray) -> tuple[int, int]:
    """How many pixels are of the colour of true points, and of predicted ones."""
    red, green, blue = (page[..., i].astype(int) for i in range(3))
    truth = (green - red > 90) & (green - blue > 90)
    predicted = (red - green > 110) & (red - blue > 110)
    return int(truth.sum()), int(predicted.sum())


def test_show_draws_true_points_and_a_networks_the_worst_first(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, said, err = run(capsys, "show", measured, "--out", tmp_path / "truth")
    assert (status, said.split()) == (1, [str(tmp_path / "truth" / "faces_001.jpg")])
    flat = tmp_path / "flat"
    images.write(flat / "a.png", np.zeros((9, 9, 3), np.uint8))
    (flat / "a.pts").write_text(format_pts(np.ones((68, 2))), encoding="utf-8")
    assert "a.png: its points have no width or no height" in run(capsys, "show", flat)[2]
    assert "few.png: 39 points, expected 68" in err and "7 faces, 2 pictures left out" in err
    truth = images.read(tmp_path / "truth" / "faces_001.jpg")
    assert truth.shape == (2 * 192, 6 * 192, 3)
    words = ["show", measured, "--model", "small", "--worst", "--out", tmp_path / "both"]
    assert run(capsys, *words)[0] == 1
    both = images.read(tmp_path / "both" / "faces_001.jpg")
    _, before = greens_and_reds(truth)
    green, red = greens_and_reds(both)
    assert green > 500 and red > before + 500
    # the wall has points and no face: not found is the worst of all, the first tile
    assert np.abs(both[20:150, 20:150].astype(int).mean() - 90) < 20


def test_show_looks_for_the_faces_of_pictures_without_points(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, _, err = run(capsys, "show", album, "--out", tmp_path)
    assert status == 1 and "text.jpg: not a picture" in err
    assert f"no face found: {album / 'nobody.png'}" in err
    assert "3 faces, 1 pictures left out" in err
    assert greens_and_reds(images.read(tmp_path / "faces_001.jpg"))[1] > 300
    assert "--worst sorts by a network's errors" in str(run(capsys, "show", album, "--worst")[0])


def test_what_cannot_be_measured_is_said(
    measured: Path, album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "gone: no such folder" in str(run(capsys, "evaluate", tmp_path / "gone")[0])
    said = str(run(capsys, "evaluate", album)[0])
    assert "no face to measure on, expected a .pts beside a picture" in said
    assert "both.png: no both.pts beside it" in said
    said = str(run(capsys, "evaluate", measured, "--csv", tmp_path / "no.csv")[0])
    assert "no.csv: No such file" in said


def test_what_cannot_work_is_said_before_any_work(
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


def test_a_path_that_leads_nowhere_does_not_stop_the_others(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gone, empty, there = tmp_path / "gone.jpg", tmp_path / "empty", album / "below" / "Эйлин К.png"
    empty.mkdir()
    status, out, err = run(capsys, "predict", gone, empty, there)
    assert status == 1
    assert [json.loads(line)["image"] for line in out.splitlines()] == [str(there)]
    assert f"error: {gone}: no such file or folder\n" in err
    assert f"error: {empty}: no picture in this folder (.bmp, " in err
    assert "3 pictures, 1 face, 2 unreadable" in err
    status, _, err = run(capsys, "align", gone, "--out", tmp_path / "out")
    assert status == 1 and "1 picture, 0 faces, 1 unreadable" in err
    said = f"{there} is a file, expected a folder"
    for command in ("predict", "align", "evaluate", "show"):
        assert said in run_refused(capsys, command, album, "--out", there)


def test_help_is_there_at_once_and_without_the_heavy_libraries() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "facealign", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "predict" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & {"torch", "numpy", "cv2", "onnxruntime", "dlib"}
