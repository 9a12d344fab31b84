"""`facealign video` and `webcam`."""

import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from facealign.inference import video
from tests.cli.running import run


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
        r"1 face, seen in 20 of 20 frames; \d+\.\d frames a second, the detector ran on 20 of them"
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


def test_seconds_are_those_of_the_film(
    clip: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Phones write films whose frames last unequally long, and so do GIFs."""
    film = tmp_path / "film.gif"
    first, *others = [Image.fromarray(frame) for frame in frames_of(clip)[:4]]
    first.save(film, save_all=True, append_images=others, duration=[100, 50, 200, 100])
    for source, expected in ((film, [0, 0.1, 0.15, 0.35]), (clip, [0, 0.0333, 0.0667, 0.1])):
        _, out, _ = run(capsys, "video", source, "--model", "small", "--json", "-")
        assert [json.loads(line)["seconds"] for line in out.splitlines()[:4]] == expected


def test_an_unreadable_video_leaves_nothing_behind(
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


def test_a_truncated_video_is_written_as_far_as_it_can_be_read(
    cut_clip: Path, tmp_path: Path
) -> None:
    """What OpenCV and FFmpeg say of it does not reach the user."""
    out = tmp_path / "out.mp4"
    command = [sys.executable, "-m", "facealign", "video", str(cut_clip), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    *_, summary, error = done.stderr.splitlines()
    assert "1 face, seen in" in summary
    read = len(frames_of(out))
    assert 5 < read < 15
    said = f"error: {cut_clip}: only {read} of 20 frames could be read; {out} has those"
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


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_film_that_cannot_be_written_is_an_error(
    suffix: str, clip: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A limit on the size of files stands for a full disk."""
    out = tmp_path / f"out{suffix}"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        said = run(capsys, "video", clip, "--out", out, "--model", "small")[0]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert f"error: {out}: the video could not be written" in str(said)
    assert list(tmp_path.iterdir()) == []


def test_scripts_that_name_other_films_are_refused(
    clip: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    script, lines = tmp_path / "script.mp4", tmp_path / "lines"
    shutil.copy(clip, tmp_path / "clip.mp4")
    for text in ("ffconcat version 1.0\nfile clip.mp4\n", "#EXTM3U\nclip.mp4\n"):
        script.write_text(text, encoding="utf-8")
        said = str(run(capsys, "video", script, "--json", lines)[0])
        assert "not a video that can be read" in said and not lines.exists()
    said = str(run(capsys, "video", clip, "--json", lines, "--out", lines)[0])
    assert "--out and --json name the same file" in said
    assert "cannot be opened" in str(run(capsys, "webcam", "--camera", "9" * 30)[0])


def test_a_gif_that_is_cut_short_is_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    film = tmp_path / "film.gif"
    frames = np.random.default_rng(0).integers(0, 255, (8, 60, 80, 3), dtype=np.uint8)
    Image.fromarray(frames[0]).save(
        film, save_all=True, duration=100, append_images=list(map(Image.fromarray, frames[1:]))
    )
    words = ["video", film, "--model", "small", "--json", "-"]
    assert run(capsys, *words)[0] == 0
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 85 // 100])
    status, out, _ = run(capsys, *words)
    assert "film.gif: " in str(status) and len(out.splitlines()) in (6, 7)
