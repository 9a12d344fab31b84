"""`facealign video --folder`: many videos, a file of lines for each, and a manifest."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.core.files import sha256
from tests.cli.running import run
from tests.cli.test_parts import MODEL, contents, manifest


def test_each_film_has_the_lines_of_a_single_one(
    clip: Path, cut_clip: Path, album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, text = tmp_path / "out", album / "text.jpg"
    command = ("video", clip, cut_clip, text, *MODEL, "--folder", out)
    status, _, err = run(capsys, *command)
    head, *films = manifest(out)
    by_video = {line["video"]: line for line in films}
    whole, cut, bad = (by_video[str(path)] for path in (clip, cut_clip, text))
    frames = 20 + cut["frames"]
    said = f"3 videos, {frames} frames, 2 failed: {out / 'manifest.jsonl'}"
    assert status == 1 and said in err and 25 < frames < 35
    assert head["smooth"] and head["detector"] == "fast"
    file = out / f"{clip.name}.jsonl"
    assert whole == {
        "video": str(clip),
        "bytes": clip.stat().st_size,
        "file": file.name,
        "frames": 20,
        "with_face": 20,
        "tracks": 1,
        "sha256": sha256(file),
    }
    assert f"only {frames - 20} of 20 frames could be read" in cut["error"]
    assert bad == {
        "video": str(text),
        "bytes": 10,
        "error": f"{text}: not a video that can be read",
    }
    _, lines, _ = run(capsys, "video", clip, *MODEL, "--json", "-")
    assert file.read_text("utf-8") == lines
    assert len(list(out.iterdir())) == 3


def test_finished_films_are_left_out(
    clip: Path, cut_clip: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ("video", *MODEL, "--folder", out, clip)
    assert run(capsys, *command)[0] == 0
    before = contents(out)
    assert "add --resume" in str(run(capsys, *command)[0])
    said = str(run(capsys, *command, "--resume", "--no-smooth")[0])
    assert "its smooth is True, not False" in said
    (out / f"{clip.name}.jsonl").write_text("as it was left", "utf-8")
    assert run(capsys, *command, cut_clip, "--resume")[0] == 1
    assert (out / f"{clip.name}.jsonl").read_text("utf-8") == "as it was left"
    assert [line["video"] for line in manifest(out)[1:]] == [str(clip), str(cut_clip)]
    assert contents(out)["manifest.jsonl"].startswith(before["manifest.jsonl"])


def write_film(path: Path, frames: int = 3) -> Path:
    """A grey wall."""
    path.parent.mkdir(parents=True, exist_ok=True)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (160, 120))
    for _ in range(frames):
        video.write(np.full((120, 160, 3), 90, np.uint8))
    video.release()
    return path


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """Two films of the same name, and what is no film."""
    write_film(tmp_path / "days/1/a.avi")
    write_film(tmp_path / "days/2/a.AVI")
    write_film(tmp_path / "days/2/b.avi")
    for name in ("2/._b.avi", "2/notes.txt"):
        (tmp_path / "days" / name).touch()
    return tmp_path / "days"


def test_results_keep_the_path_below_the_folder(
    days: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(capsys, "video", days, *MODEL, "--folder", out)[0] == 0
    files = ["1/a.avi.jsonl", "2/a.AVI.jsonl", "2/b.avi.jsonl"]  # in this order: of equal size
    assert [line["file"] for line in manifest(out)[1:]] == files
    assert [str(path.relative_to(out)) for path in sorted(out.glob("*/*"))] == files


def test_large_films_are_first(
    days: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_film(days / "2/b.avi", 9)
    write_film(days / "3/c.avi", 6)
    assert run(capsys, "video", days, *MODEL, "--folder", tmp_path / "out")[0] == 0
    assert [line["frames"] for line in manifest(tmp_path / "out")[1:]] == [9, 6, 3, 3]


def test_a_film_that_cannot_be_read_stops_no_other(
    days: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad, out = tmp_path / "bad.mp4", tmp_path / "out"
    bad.symlink_to("/proc/self/mem")  # the system refuses to read its start
    status, _, err = run(capsys, "video", bad, days / "1", *MODEL, "--folder", out)
    assert status == 1 and "2 videos" in err
    failed = [line["error"] for line in manifest(out)[1:] if "error" in line]
    assert failed == [f"{bad}: Input/output error"]


def test_patterns_and_lists_name_films(
    days: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"{days / '1'}\n{days / '2' / 'b.avi'}\n", "utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{days / 'gone.avi'}\n"))
    sources: list[tuple[tuple[object, ...], list[str]]] = [
        ((days / "2/[ab].*",), ["a.AVI.jsonl", "b.avi.jsonl"]),
        (("--list", listed), ["a.avi.jsonl", "b.avi.jsonl"]),
        ((days / "1", "--list", "-"), ["a.avi.jsonl"]),
    ]
    for number, (source, files) in enumerate(sources):
        out = tmp_path / f"out{number}"
        run(capsys, "video", *source, *MODEL, "--folder", out)
        assert [line["file"] for line in manifest(out)[1:] if "file" in line] == files
    assert manifest(out)[-1]["error"] == f"{days / 'gone.avi'}: no such file or folder"
    (tmp_path / "empty").mkdir()
    run(capsys, "video", tmp_path / "empty", *MODEL, "--folder", tmp_path / "none")
    assert "no video in this folder (.3gp, .asf, .avi, " in manifest(tmp_path / "none")[1]["error"]


def test_films_of_the_same_name_are_refused_together(
    days: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_film(days / "3/a.avi")
    said = str(run(capsys, "video", days / "?/*.avi", "--folder", tmp_path / "out")[0])
    assert f"{days}/1/a.avi and {days}/3/a.avi would have results of the same name" in said
    assert not (tmp_path / "out").exists()


def test_no_result_of_another_film_is_replaced(
    days: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_film(days / "3/a.avi", 4)
    command = ("video", *MODEL, "--folder", tmp_path / "out", "--resume")
    assert run(capsys, *command, days / "1/a.avi")[0] == 0
    before = contents(tmp_path / "out")
    said = str(run(capsys, *command, days / "2", days / "3")[0])
    assert f"{days}/1/a.avi and {days}/3/a.avi would have results of the same name" in said
    monkeypatch.chdir(days / "3")
    assert "/3/a.avi would have results of the same name" in str(run(capsys, *command, "a.avi")[0])
    monkeypatch.chdir(days / "1")
    assert run(capsys, *command, "a.avi")[0] == 0
    shutil.copy(days / "3/a.avi", days / "1/a.avi")
    said = str(run(capsys, *command, "a.avi")[0])
    assert f"{days}/1/a.avi: has " in said and "when its results were made" in said
    (days / "1/a.avi").unlink()
    assert run(capsys, *command, "a.avi")[0] == 0  # it may be deleted when it is finished
    assert contents(tmp_path / "out") == before


def test_what_failed_is_tried_again(
    days: Path, cut_clip: Path, clip: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    film, other, out = tmp_path / "film.mp4", tmp_path / "gone.avi", tmp_path / "out"
    shutil.copy(cut_clip, film)
    command = ("video", film, other, days / "1", *MODEL, "--folder", out)
    assert run(capsys, *command)[0] == 1
    assert sum("error" in line for line in manifest(out)) == 2
    shutil.copy(clip, film)
    status, _, err = run(capsys, *command, "--resume")
    assert status == 1 and "3 videos, 23 frames, 1 failed" in err
    write_film(other)
    status, _, err = run(capsys, *command, "--resume")
    assert status == 0 and "3 videos, 26 frames, 0 failed" in err
    lines = {line["file"]: line for line in manifest(out)[1:]}
    assert len(lines) == 3
    for name, line in lines.items():
        assert line["sha256"] == sha256(out / name)


@pytest.mark.slow
@pytest.mark.parametrize("on_a_cluster", [False, True])
def test_ctrl_c_ends_long_films_at_once(
    on_a_cluster: bool, clip: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Or else the workers would go on to the end of the films."""
    more = ["--scheduler", request.getfixturevalue("scheduler")] if on_a_cluster else []
    long = tmp_path / "long.avi"
    video = cv2.VideoWriter(str(long), cv2.VideoWriter.fourcc(*"MJPG"), 30, (640, 480))
    read, frame = cv2.VideoCapture(str(clip)).read()
    assert read
    for _ in range(1000):
        video.write(frame)
    video.release()
    other = shutil.copy(long, tmp_path / "other.avi")
    out = tmp_path / "out"
    running = subprocess.Popen(
        [sys.executable, "-m", "facealign", "video", long, other, *MODEL, "--folder", out, *more],
        env=os.environ | {"FACEALIGN_WORKERS": "2"},
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not list(out.glob(".*.part.jsonl")):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    assert running.wait() == 130
    while on_a_cluster and list(out.glob(".*.part.jsonl")):
        time.sleep(0.01)
    assert not list(out.glob("*.avi.jsonl")) and len(manifest(out)) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("a.mp4", "b.mp4"), "--list, --resume and several videos need --folder DIR"),
        (("a.mp4", "--resume"), "--list, --resume and several videos need --folder DIR"),
        (("a.mp4", "--list", "x"), "--list, --resume and several videos need --folder DIR"),
        ((), "expected a VIDEO"),
        (("--folder", "o"), "expected a VIDEO, or a list of videos with --list"),
        (("a.mp4", "--folder", "o", "--json", "x"), "--folder takes the place of --out and --json"),
    ],
)
def test_options_that_do_not_go_together(
    options: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert words in str(run(capsys, "video", *options)[0])
