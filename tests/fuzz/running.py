"""Runs the cases of a group in processes of their own, which may crash or hang.

`python -m tests.fuzz.running GROUP SEED CASE` runs one case again, with its traceback, and keeps
its files.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from facealign.core.errors import FacealignError
from tests.fuzz.groups import GROUPS, Group

START, PATIENCE = 120.0, 20.0  # seconds: to import and to make the seeds, and for one case
MOST_MEMORY = 3 * 2**30  # bytes that a group's process may allocate
LONGEST = 8000  # letters of a message, which may quote a value of 5,000


def failures(
    group: Group, seed: int, count: int, patience: float = PATIENCE
) -> Iterator[tuple[int, str]]:
    """The numbers of the cases that go wrong, and what happens."""
    # not forked from this process, whose libraries may have threads
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cv2", "torch", "onnxruntime", "yaml"])
    number = 0
    while number < count:
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_run, args=(group, seed, number, count, sender), daemon=True)
        child.start()
        sender.close()
        assert receiver.poll(START) and receiver.recv() == "ready"
        try:
            while receiver.poll(patience):
                number, problem = receiver.recv()
                if problem:
                    yield number, problem
                number += 1
            problem = f"it takes more than {patience:g} s"
        except EOFError:
            child.join()
            problem = f"the process ends with status {child.exitcode}"
        child.kill()
        child.join()
        if number < count:
            yield number, problem
            number += 1


def _run(group: Group, seed: int, first: int, count: int, results: Connection) -> None:
    with Path(os.devnull).open("w") as nowhere:  # libpng and ONNX Runtime write to these
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        seeds = prepare(group, Path(folder))
        results.send("ready")
        for number in range(first, count):
            results.send((number, problem_of(group, seeds, seed, number, Path(folder))))


def prepare(group: Group, folder: Path) -> Any:
    """Set limits and environment of this process; the group's seeds."""
    with contextlib.suppress(ImportError, ValueError):  # Windows, macOS
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    os.environ |= {"FACEALIGN_WORKERS": "1", "FACEALIGN_DEVICE": "cpu"}
    os.environ |= {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8"}
    _enter(folder / "seeds")
    return group.seeds()


def problem_of(
    group: Group, seeds: Any, seed: int, number: int, folder: Path, trace: bool = False
) -> str:
    """What is wrong with the outcome of a case; empty if nothing is."""
    _enter(folder / "case")
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            group.case(seeds, Random(f"{seed} {number}"))
    except FacealignError as error:
        message = str(error)
        if not any(path.name in message for path in Path().iterdir()):
            return f"a message without a file's name: {message[:1000]!r}"
        if "\n" in message or len(message) > LONGEST:
            return f"a message of more than one short line: {message[:1000]!r}"
    except Exception as error:
        if trace:
            traceback.print_exc()
        frames = traceback.extract_tb(error.__traceback__)
        own = [one for one in frames if {"facealign", "stages"} & set(Path(one.filename).parts)]
        last = (own or frames)[-1]
        reason = str(error).splitlines()[0][:200] if str(error) else ""
        return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {reason}"
    return ""


def _enter(folder: Path) -> None:
    """Make it the current folder, an empty one."""
    os.chdir(folder.parent)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.chdir(folder)


if __name__ == "__main__":
    chosen, kept = GROUPS[sys.argv[1]], Path(tempfile.mkdtemp(prefix="facealign-fuzz-"))
    given = prepare(chosen, kept)
    print(problem_of(chosen, given, int(sys.argv[2]), int(sys.argv[3]), kept, trace=True))
    print(f"files: {kept / 'case'}")
