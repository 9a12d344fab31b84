"""Landmarks of many videos: NAME.jsonl for each, and a manifest."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import numpy as np

from facealign.core import cluster
from facealign.core.errors import ConfigError, ImageError
from facealign.core.files import sha256
from facealign.core.parallel import map_as_finished
from facealign.inference import video
from facealign.inference.aligner import Aligner
from facealign.inference.listing import Source
from facealign.inference.output import MANIFEST, Folder, Line, begin, keep, note
from facealign.inference.tracker import TrackedFace, Tracker


def track(
    sources: Sequence[Source],
    out: Path,
    resume: bool,
    aligner: Aligner,
    smooth: bool,
    made_with: Line,
) -> int:
    """Run `facealign video --folder OUT`; the exit status. `made_with` are the options that decide
    the results."""
    videos: dict[str, str] = {}  # by their files
    for source in sources:
        _claim(videos, _file(source), str(source.path.absolute()))
    folder = Folder(out)
    with folder.lock(), _end_at_once():
        lines = begin(folder, made_with, resume)
        remaining = _remaining(sources, lines)
        again = {str(source.path.absolute()) for source in remaining}
        if any(line["video"] in again for line in lines):
            lines = [line for line in lines if line["video"] not in again]
            keep(folder, lines)
        call = partial(_track, aligner, smooth, out)
        # a long one at the end would leave the other cores idle
        remaining.sort(key=_bytes, reverse=True)
        for line in map_as_finished(call, remaining, "faces", "videos"):
            note(folder, line)
            lines.append(line)
    frames = sum(line.get("frames", 0) for line in lines)
    failed = sum("error" in line for line in lines)
    print(
        f"{len(lines)} videos, {frames} frames, {failed} failed: {folder.path(MANIFEST)}",
        file=sys.stderr,
    )
    return 1 if failed else 0


def _claim(videos: dict[str, str], file: str, video: str) -> None:
    if (other := videos.setdefault(file, video)) != video:
        raise ConfigError(
            f"{other} and {video} would have results of the same name: name the folder above them, "
            "or use another --folder"
        )


def _remaining(sources: Sequence[Source], lines: Sequence[Line]) -> list[Source]:
    """Those that are not finished. What would replace the result of another video is an error."""
    videos = {line["file"]: line["video"] for line in lines if "file" in line}
    finished = {line["video"]: line for line in lines if "error" not in line}
    remaining = []
    for source in sources:
        video, size = str(source.path.absolute()), _bytes(source)
        if (line := finished.get(video)) is None:
            _claim(videos, _file(source), video)
            remaining.append(source)
        elif size and size != line.get("bytes"):  # as on the next card of a camera
            raise ConfigError(
                f"{video}: has {size} bytes, but {line.get('bytes')} when its results were made: "
                "to track it again, use another --folder"
            )
    return remaining


def _file(source: Source) -> str:
    return f"{source.name.as_posix()}.jsonl"


def _bytes(source: Source) -> int:
    """Nothing of a missing file."""
    try:
        return source.path.stat().st_size
    except OSError:
        return 0


def _track(aligner: Aligner, smooth: bool, out: Path, source: Source) -> Line:
    """One video, in a worker process; its line of the manifest."""
    line: Line = {"video": str(source.path.absolute()), "bytes": _bytes(source)}
    if source.error:
        return line | {"error": source.error}
    file, tracker = out / _file(source), Tracker(aligner, smooth)

    def follow(image: np.ndarray, seconds: float) -> list[TrackedFace]:
        cluster.end_if_unwanted()
        return tracker(image, seconds)

    try:
        read = video.follow(source.path, None, file, follow)
    except ImageError as error:
        return line | {"error": str(error)}
    line |= {"file": _file(source), "frames": read.frames, "with_face": read.with_face}
    line |= {"tracks": tracker.tracks, "sha256": sha256(file)}
    return line | ({"error": read.problem} if read.problem else {})


@contextmanager
def _end_at_once() -> Iterator[None]:
    """Ctrl-C and SIGTERM also end the workers, whose videos may take hours."""

    def end(number: int, frame: FrameType | None) -> None:
        for process in multiprocessing.active_children():
            process.terminate()
        handlers[number](number, frame)

    numbers: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)
    handlers = {one: handler for one in numbers if callable(handler := signal.getsignal(one))}
    for number in handlers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
