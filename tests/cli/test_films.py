"""`facealign video --folder`: many videos, a file of lines for each, and a manifest."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
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
    head, whole, cut, bad = manifest(out)
    frames = 20 + cut["frames"]
    said = f"3 videos, {frames} frames, 2 failed: {out / 'manifest.jsonl'}"
    assert status == 1 and said in err and 25 < frames < 35
    assert head["smooth"] and head["detector"] == "fast"
    file = out / f"{clip.name}.jsonl"
    assert whole == {
        "video": str(clip),
        "file": file.name,
        "frames": 20,
        "with_face": 20,
        "tracks": 1,
        "sha256": sha256(file),
    }
    assert f"only {frames - 20} of 20 frames could be read" in cut["error"]
    assert bad == {"video": str(text), "error": f"{text}: not a video that can be read"}
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


@pytest.mark.slow
def test_ctrl_c_ends_long_films_at_once(clip: Path, tmp_path: Path) -> None:
    """Or else the workers would go on to the end of the films."""
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
        [sys.executable, "-m", "facealign", "video", long, other, *MODEL, "--folder", out],
        env=os.environ | {"FACEALIGN_WORKERS": "2"},
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not list(out.glob(".*.part.jsonl")):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    assert running.wait() == 130
    assert not list(out.glob("*.avi.jsonl")) and len(manifest(out)) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("a.mp4", "b.mp4"), "--resume and several videos need --folder DIR"),
        (("a.mp4", "--resume"), "--resume and several videos need --folder DIR"),
        (("a.mp4", "--folder", "o", "--json", "x"), "--folder takes the place of --out and --json"),
        (("a/x.mp4", "b/x.mp4", "--folder", "o"), "a/x.mp4 and b/x.mp4 would have results of the"),
    ],
)
def test_options_that_do_not_go_together(
    options: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert words in str(run(capsys, "video", *options)[0])
