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

from facealign.core.errors import ConfigError, ImageError
from facealign.core.files import sha256
from facealign.core.parallel import map_in_order
from facealign.inference import video
from facealign.inference.aligner import Aligner
from facealign.inference.listing import Source
from facealign.inference.output import MANIFEST, Folder, Line, begin, note
from facealign.inference.tracker import Tracker


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
    named: dict[Path, Source] = {}
    for source in sources:
        if (other := named.setdefault(source.name, source)) is not source:
            raise ConfigError(
                f"{other.path} and {source.path} would have results of the same name: name the "
                "folder above them, or run the command for each, with another --folder"
            )
    folder = Folder(out)
    with folder.lock(), _end_at_once():
        lines = begin(folder, made_with, resume)
        done = {line["video"] for line in lines}
        remaining = [source for source in sources if str(source.path) not in done]
        call = partial(_track, aligner, smooth, out)
        for line in map_in_order(call, remaining, "faces", unit="videos", shard=1):
            note(folder, line)
            lines.append(line)
    frames = sum(line.get("frames", 0) for line in lines)
    failed = sum("error" in line for line in lines)
    print(
        f"{len(lines)} videos, {frames} frames, {failed} failed: {folder.path(MANIFEST)}",
        file=sys.stderr,
    )
    return 1 if failed else 0


def _track(aligner: Aligner, smooth: bool, out: Path, source: Source) -> Line:
    """One video, in a worker process; its line of the manifest."""
    line: Line = {"video": str(source.path)}
    if source.error:
        return line | {"error": source.error}
    name, tracker = f"{source.name.as_posix()}.jsonl", Tracker(aligner, smooth)
    file = out / name
    try:
        read = video.follow(source.path, None, file, tracker)
    except ImageError as error:
        return line | {"error": str(error)}
    line |= {"file": name, "frames": read.frames, "with_face": read.with_face}
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
