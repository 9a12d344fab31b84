"""Video files and cameras: frames in, frames with landmarks out."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from facealign.core.errors import FacealignError
from facealign.core.files import atomic_write
from facealign.inference.aligner import Aligner, as_dict
from facealign.inference.folders import draw
from facealign.inference.tracker import Followed, Tracker

WINDOW = "facealign: q or Esc ends"
USUAL_FPS = 30.0  # of a source that does not say


def annotate(source: Path, out: Path | None, lines: Path | None, model: str, smooth: bool) -> None:
    """The command `facealign video`: a video with points drawn, a line of JSON a frame, or both."""
    if not source.is_file():
        problem = "a folder, expected one video" if source.is_dir() else "no such file"
        raise FacealignError(f"{source}: {problem}")
    for target in (out, lines):
        if target is not None and target.resolve() == source.resolve():
            raise FacealignError(f"{target}: would be written over the video itself")
    tracker = _tracker(model, smooth)
    capture = cv2.VideoCapture(str(source))
    total = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT))) if capture.isOpened() else 0
    fps = _fps(capture)
    images = _frames(capture, source)
    first = next(images)  # its errors, before there is a bar
    frames, shown, begun = 0, 0, time.perf_counter()
    with ExitStack() as stack:
        write = stack.enter_context(_writing(out, fps)) if out else None
        log = stack.enter_context(_lines(lines)) if lines else None
        bar = stack.enter_context(
            tqdm(total=total or None, desc=source.name, unit=" frames", mininterval=0.5)
        )
        for image in chain([first], images):
            followed = tracker(image, frames / fps)
            if log:
                log(_as_dict(frames, frames / fps, followed))
            if write:
                write(draw(image, [one.face for one in followed]))
            frames += 1
            shown += bool(followed)
            bar.update()
    rate = frames / (time.perf_counter() - begun)
    print(
        f"{source}: {_faces(tracker.faces, shown)} of {frames} frames; {rate:.1f} frames a second, "
        f"the detector ran on {tracker.detections} of them",
        file=sys.stderr,
    )
    if total and frames < 0.9 * total:
        written = " and ".join(str(target) for target in (out, lines) if target)
        raise FacealignError(
            f"{source}: {frames} frames could be read, it says it has {total}; {written} has those"
        )


def watch(camera: str, out: Path | None, model: str, smooth: bool) -> None:
    """The command `facealign webcam`: the camera's picture with points, until q or Esc."""
    capture = cv2.VideoCapture(int(camera) if camera.isdecimal() else camera)
    if not capture.isOpened():
        raise FacealignError(
            f"camera {camera!r}: cannot be opened, expected the number of one that is connected, "
            "from 0 on, or a stream's address"
        )
    windows = has_windows()
    if not windows and out is None:
        raise FacealignError(
            "this OpenCV has no windows: install opencv-python in the place of "
            "opencv-python-headless, or write to a file with --out"
        )
    tracker = _tracker(model, smooth)
    begun = last = time.perf_counter()
    rate, frames = 0.0, 0
    with ExitStack() as stack:
        write = stack.enter_context(_writing(out, _fps(capture))) if out else None
        for image in _frames(capture, f"camera {camera}"):
            now = time.perf_counter()
            faces = [one.face for one in tracker(image, now - begun)]
            shown = draw(image, faces)
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
        f"{frames} frames, {frames / (time.perf_counter() - begun):.1f} a second", file=sys.stderr
    )


def _faces(count: int, frames: int) -> str:
    if not count:
        return "no face in any"
    return f"{count} {'face' if count == 1 else 'faces'}, seen in {frames}"


def _tracker(model: str, smooth: bool) -> Tracker:
    # never doubled for the detector: a frame without a face would take five times as long
    return Tracker(Aligner(model, upsample=(0,)), smooth)


def _frames(capture: cv2.VideoCapture, source: object) -> Iterator[np.ndarray]:
    """RGB pictures, released at the end."""
    try:
        there, image = capture.read() if capture.isOpened() else (False, None)
        if not there:
            raise FacealignError(f"{source}: not a video that can be read")
        while there:
            assert image is not None
            yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            there, image = capture.read()
    finally:
        capture.release()


def _fps(capture: cv2.VideoCapture) -> float:
    fps = capture.get(cv2.CAP_PROP_FPS)
    return float(fps) if 1 <= fps <= 1000 else USUAL_FPS


@contextmanager
def _writing(path: Path, fps: float) -> Iterator[Callable[[np.ndarray], None]]:
    """A function that adds an RGB frame to the video; it is there as a whole or not at all."""
    if path.suffix.lower() not in (".mp4", ".avi"):
        raise FacealignError(f"{path}: expected a name that ends in .mp4 or .avi")
    code = "mp4v" if path.suffix.lower() == ".mp4" else "MJPG"
    with atomic_write(path) as part:
        named = part.with_name(f"{part.name}{path.suffix}")  # OpenCV chooses the format by it
        video: list[cv2.VideoWriter] = []

        def write(frame: np.ndarray) -> None:
            if not video:
                size = (frame.shape[1], frame.shape[0])
                video.append(cv2.VideoWriter(str(named), cv2.VideoWriter.fourcc(*code), fps, size))
                if not video[0].isOpened():
                    raise FacealignError(f"{path}: this OpenCV cannot write {path.suffix} videos")
            video[0].write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

        try:
            yield write
            for one in video:
                one.release()
            named.replace(part)
        finally:
            named.unlink(missing_ok=True)


@contextmanager
def _lines(path: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    if str(path) == "-":
        yield lambda line: print(json.dumps(line), flush=True)
        return
    with atomic_write(path) as part, part.open("w", encoding="utf-8") as file:
        yield lambda line: print(json.dumps(line), file=file)


def _as_dict(frame: int, seconds: float, followed: list[Followed]) -> dict[str, Any]:
    faces = [{"track": one.track, **as_dict(one.face)} for one in followed]
    return {"frame": frame, "seconds": round(seconds, 4), "faces": faces}


def _caption(picture: np.ndarray, text: str) -> None:
    for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 2)):
        cv2.putText(
            picture, text, (12, 34), cv2.FONT_HERSHEY_SIMPLEX, 1, colour, width, cv2.LINE_AA
        )


def has_windows() -> bool:
    return re.search(r"GUI:\s+NONE", cv2.getBuildInformation()) is None
