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

from facealign.core.errors import FacealignError

PATIENCE = 20.0  # seconds for one case
MOST_MEMORY = 3 * 2**30  # bytes a group's process may allocate
LONGEST = 1000  # letters of a message


def failures(name: str, seed: int, count: int) -> Iterator[tuple[int, str]]:
    """The numbers of the cases that go wrong, and what happens."""
    # not forked from this process, whose libraries may have threads
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cv2", "torch", "onnxruntime", "yaml"])
    first = 0
    while first < count:
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_run, args=(name, seed, first, count, sender), daemon=True)
        child.start()
        sender.close()
        problem = ""
        try:
            while receiver.poll(PATIENCE):
                first, problem = receiver.recv()
                if problem:
                    yield first, problem
                first += 1
            problem = f"it takes more than {PATIENCE:.0f} s"
        except EOFError:
            child.join()
            problem = f"the process ends with status {child.exitcode}" if child.exitcode else ""
        child.kill()
        child.join()
        if not problem:
            return
        yield first, problem
        first += 1


def _run(name: str, seed: int, first: int, count: int, results: Connection) -> None:
    _limit_memory()
    os.environ |= {"FACEALIGN_WORKERS": "1", "FACEALIGN_DEVICE": "cpu"}
    os.environ |= {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8"}
    with Path(os.devnull).open("w") as nowhere:  # libpng and ONNX Runtime write to these
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for number in range(first, count):
            results.send((number, problem_of(name, seed, number, Path(folder))))


_seeds: dict[str, object] = {}


def problem_of(name: str, seed: int, number: int, folder: Path, trace: bool = False) -> str:
    """What is wrong with the outcome of a case; empty if nothing is."""
    from tests.fuzz.groups import GROUPS  # here: the importing process needs none of it

    group = GROUPS[name]
    if name not in _seeds:
        _enter(folder / "seeds")
        _seeds[name] = group.seeds()
    _enter(folder / "case")
    names: list[str] = []
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            group.case(_seeds[name], Random(f"{name} {seed} {number}"))
    except FacealignError as error:
        message = str(error)
        names = [path.name for path in Path().iterdir()]
        if not any(one in message for one in names):
            return f"a message without a file's name: {message[:LONGEST]!r}"
        if "\n" in message or len(message) > LONGEST:
            return f"a message of more than one short line: {message[:LONGEST]!r}"
    except Exception as error:
        if trace:
            traceback.print_exc()
        frame = traceback.extract_tb(error.__traceback__)[-1]
        for one in traceback.extract_tb(error.__traceback__):
            if "/facealign/" in one.filename or "/stages/" in one.filename:
                frame = one
        reason = str(error).splitlines()[0][:200] if str(error) else ""
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        return f"{type(error).__name__} at {where}: {reason}"
    return ""


def _enter(folder: Path) -> None:
    """Make it the current folder, an empty one."""
    os.chdir(folder.parent)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.chdir(folder)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError):  # Windows, macOS
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))


if __name__ == "__main__":
    kept = Path(tempfile.mkdtemp(prefix="facealign-fuzz-"))
    print(problem_of(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), kept, trace=True))
    print(f"files: {kept / 'case'}")
