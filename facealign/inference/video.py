"""Video files and cameras: frames in, frames with landmarks out."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from facealign.core.errors import ConfigError, DependencyError, ImageError
from facealign.core.files import atomic_write
from facealign.faces.drawing import draw
from facealign.inference.aligner import as_dict
from facealign.inference.tracker import TrackedFace, Tracker

WINDOW = "facealign: press q or Esc to quit"
DEFAULT_FPS = 30.0  # for a source without a frame rate
FORMATS = {".mp4": "mp4v", ".avi": "MJPG"}
MAX_FRAMES = 100_000_000  # a month at 30 frames a second; a header with more is wrong
# The first bytes of films. FFmpeg opens playlists and scripts, too, which name other files.
_FILM = re.compile(
    rb"(....(ftyp|moov|mdat|free|wide|skip|pnot)|RIFF....AVI |\x1aE\xdf\xa3|\0\0\x01[\xb0-\xbf]"
    rb"|FLV|GIF8|OggS|\x30\x26\xb2\x75|YUV4MPEG2|DKIF|\.RMF|G.{187}G|.{4}G.{191}G|\0\0\0?\x01)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Read:
    """What `follow` read of a video."""

    frames: int
    with_face: int
    problem: str = ""  # if there should be more frames


def annotate(source: Path, out: Path | None, lines: Path | None, tracker: Tracker) -> None:
    """Run `facealign video`: write the video with points drawn, a line of JSON a frame, or both."""
    started = time.perf_counter()
    read = follow(source, out, lines, tracker, progress=True)
    rate = read.frames / (time.perf_counter() - started)
    print(
        f"{source}: {_count(tracker.tracks, read.with_face)} of {read.frames} frames; {rate:.1f} "
        f"frames a second, the detector ran on {tracker.detections} of them",
        file=sys.stderr,
    )
    if read.problem:
        raise ImageError(read.problem)


def follow(
    source: Path,
    out: Path | None,
    lines: Path | None,
    tracker: Callable[[np.ndarray, float], Sequence[TrackedFace]],
    progress: bool = False,
) -> Read:
    """Track the faces of a video; what `annotate` writes."""
    if not source.is_file():
        problem = "a folder, expected a video" if source.is_dir() else "no such file"
        raise ImageError(f"{source}: {problem}")
    for target in (out, lines):
        if target is not None and target.resolve() == source.resolve():
            raise ConfigError(f"{target}: would overwrite the video itself")
    if out and lines and out.resolve() == lines.resolve():
        raise ConfigError(f"{out}: --out and --json name the same file")
    whole = _check_film(source)
    # an absolute path, because FFmpeg takes "concat:a" for an address
    capture = cv2.VideoCapture(str(source.absolute()))
    if not capture.isOpened():
        raise ImageError(f"{source}: not a video that can be read")
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    total = int(count) if 0 < count < MAX_FRAMES else 0
    fps = _fps(capture)
    frames, with_face = 0, 0
    with ExitStack() as stack:
        write = stack.enter_context(_writing(out, fps)) if out else None
        log = stack.enter_context(_logging(lines)) if lines else None
        bar = stack.enter_context(
            tqdm(
                total=total or None,
                desc=source.name,
                unit=" frames",
                mininterval=0.5,
                disable=not progress,
            )
        )
        for seconds, image in _timed(capture, source, fps):
            faces = tracker(image, seconds)
            if log:
                log(_as_dict(frames, seconds, faces))
            if write:
                write(draw(image, [one.face for one in faces]))
            frames += 1
            with_face += bool(faces)
            bar.update()
    written = " and ".join(str(target) for target in (out, lines) if target)
    problem = ""
    if total and frames < 0.9 * total:
        problem = f"{source}: only {frames} of {total} frames could be read; {written} has those"
    elif not whole:
        problem = (
            f"{source}: the GIF is cut short; {written} has the {frames} frames that could be read"
        )
    return Read(frames, with_face, problem)


def watch(camera: str, out: Path | None, tracker: Tracker) -> None:
    """Run `facealign webcam`: show the camera's picture with points until q or Esc is pressed."""
    number = camera.isdecimal() and len(camera) < 10
    capture = cv2.VideoCapture(int(camera) if number else camera)
    if not capture.isOpened():
        raise ImageError(
            f"camera {camera!r}: cannot be opened, expected the number of a connected camera, "
            "counted from 0, or the address of a stream"
        )
    windows = has_windows()
    if not windows and out is None:
        raise DependencyError(
            "this OpenCV has no windows: install opencv-python in place of "
            "opencv-python-headless, or write to a file with --out"
        )
    started = last = time.perf_counter()
    rate, frames = 0.0, 0
    # without a window Ctrl-C, or SIGTERM, is the way to stop: the film is complete then
    with ExitStack() as stack, suppress(KeyboardInterrupt, SystemExit):
        write = stack.enter_context(_writing(out, _fps(capture))) if out else None
        for image in _frames(capture, f"camera {camera}"):
            now = time.perf_counter()
            shown = draw(image, [one.face for one in tracker(image, now - started)])
            rate, last = 0.9 * rate + 0.1 / max(now - last, 1e-6), now
            _caption(shown, f"{rate:.0f} fps")
            frames += 1
            if write:
                write(shown)
            if windows:
                cv2.imshow(WINDOW, cv2.cvtColor(shown, cv2.COLOR_RGB2BGR))
                if cv2.waitKey(1) & 0xFF in (ord("q"), 27):
                    break
    print(
        f"{frames} frames, {frames / (time.perf_counter() - started):.1f} a second",
        file=sys.stderr,
    )


def _check_film(source: Path) -> bool:
    """Whether it is whole, which can be told of a GIF only; an error if it is no film."""
    try:
        with source.open("rb") as file:
            start = file.read(256)
            file.seek(-min(64, source.stat().st_size), os.SEEK_END)
            end = file.read()
    except OSError as error:
        raise ImageError(f"{source}: {error.strerror}") from None
    if not _FILM.match(start):
        raise ImageError(f"{source}: not a video that can be read")
    return not start.startswith(b"GIF8") or end.rstrip(b"\0").endswith(b";")


def _count(faces: int, frames: int) -> str:
    if not faces:
        return "no face in any"
    return f"{faces} {'face' if faces == 1 else 'faces'}, seen in {frames}"


def _frames(capture: cv2.VideoCapture, source: object) -> Iterator[np.ndarray]:
    """RGB pictures; at least one."""
    try:
        read, image = capture.read()
        if not read:
            raise ImageError(f"{source}: not a video that can be read")
        while read:
            assert image is not None
            yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            read, image = capture.read()
    finally:
        capture.release()


def _timed(
    capture: cv2.VideoCapture, source: object, fps: float
) -> Iterator[tuple[float, np.ndarray]]:
    """The frames with their times in seconds: not all films show each for equally long.

    Times increase; one that does not is replaced by what `fps` leads to expect.
    """
    seconds = -1 / fps
    for image in _frames(capture, source):
        shown = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        seconds = shown if shown > seconds else seconds + 1 / fps
        yield seconds, image


def _fps(capture: cv2.VideoCapture) -> float:
    fps = capture.get(cv2.CAP_PROP_FPS)
    return float(fps) if 1 <= fps <= 1000 else DEFAULT_FPS


@contextmanager
def _writing(path: Path, fps: float) -> Iterator[Callable[[np.ndarray], None]]:
    """A function that adds an RGB frame to the video, which appears only when it is complete."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ConfigError(f"{path}: expected a name that ends in {' or '.join(FORMATS)}")
    with atomic_write(path) as part:  # OpenCV takes the format from the suffix, which `part` has
        video, frames = cv2.VideoWriter(), 0

        def write(frame: np.ndarray) -> None:
            nonlocal frames
            if shutil.disk_usage(part.parent).free < frame.nbytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            if not video.isOpened():
                size = (frame.shape[1], frame.shape[0])
                if not video.open(str(part), cv2.VideoWriter.fourcc(*FORMATS[suffix]), fps, size):
                    raise DependencyError(f"{path}: this OpenCV cannot write {suffix} videos")
            video.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            frames += 1

        try:
            yield write
        finally:
            video.release()  # Windows removes no open file
        if not frames or _frames_in(part) != frames:  # OpenCV reports no error of writing
            problem = "the video could not be written, expected a disk with enough space"
            raise OSError(errno.EIO, problem, str(path))


def _frames_in(path: Path) -> int:
    capture, frames = cv2.VideoCapture(str(path.absolute())), 0
    while capture.grab():
        frames += 1
    capture.release()
    return frames


@contextmanager
def _logging(path: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that adds a line of JSON to the file, or to the standard output for "-"."""
    if str(path) == "-":
        yield lambda line: print(json.dumps(line), flush=True)
        return
    with atomic_write(path) as part, part.open("w", encoding="utf-8") as file:
        yield lambda line: print(json.dumps(line), file=file)


def _as_dict(frame: int, seconds: float, faces: Sequence[TrackedFace]) -> dict[str, Any]:
    described = [{"track": one.track, **as_dict(one.face)} for one in faces]
    return {"frame": frame, "seconds": round(seconds, 4), "faces": described}


def _caption(picture: np.ndarray, text: str) -> None:
    for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 2)):
        cv2.putText(
            picture, text, (12, 34), cv2.FONT_HERSHEY_SIMPLEX, 1, colour, width, cv2.LINE_AA
        )


def has_windows() -> bool:
    return re.search(r"GUI:\s+NONE", cv2.getBuildInformation()) is None
