"""Parallel work on images, with ordered results and a progress bar."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from facealign.core import cluster
from facealign.core.errors import ConfigError, WorkerError

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS = 1024  # more is a mistake: each takes about 100 MB
CGROUP = Path("/sys/fs/cgroup")  # in a container, its own
IN_FLIGHT = 8  # items per process that are sent ahead, so that a slow one delays no other


def workers() -> int:
    """FACEALIGN_WORKERS, or the cores this process may use; results do not depend on it."""
    asked = os.environ.get("FACEALIGN_WORKERS", "")
    if asked and not (asked.isdecimal() and len(asked) < 9 and 1 <= int(asked) <= MAX_WORKERS):
        raise ConfigError(
            f"FACEALIGN_WORKERS: {asked[:20]!r}, expected an integer from 1 to {MAX_WORKERS}"
        )
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return int(asked or 0) or min(usable or 1, _quota())


def _quota() -> int:
    """The cores that a container may use at a time, rounded up; without a limit MAX_WORKERS."""
    version_1 = ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")
    for names in (("cpu.max",), version_1):
        try:
            texts = [(CGROUP / name).read_text(encoding="ascii") for name in names]
            quota, period = map(int, " ".join(texts).split())
        except (OSError, ValueError):  # no such file, or no limit: "max"
            continue
        if quota > 0 and period > 0:  # version 1 has -1 for no limit
            return -(-quota // period)
    return MAX_WORKERS


def map_in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    title: str,
    processes: int | None = None,
    unit: str = "images",
    shard: int = cluster.SHARD,
) -> Iterator[Result]:
    """`function` of each item, in order, by `processes`, or by `workers()` of them, or by the
    cluster that FACEALIGN_SCHEDULER names, which gives a worker `shard` items at a time.

    Items are taken from an iterator as they are needed.
    """
    return _map(function, items, title, processes, unit, shard, ordered=True)


def map_as_finished(
    function: Callable[[Item], Result], items: Iterable[Item], title: str, unit: str
) -> Iterator[Result]:
    """The same of large items, each result as soon as it is there: a long one delays no other."""
    return _map(function, items, title, None, unit, shard=1, ordered=False)


def _map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    title: str,
    processes: int | None,
    unit: str,
    shard: int,
    ordered: bool,
) -> Iterator[Result]:
    total = len(items) if isinstance(items, Sized) else None
    count = (processes or workers()) if _can_spawn() else 1
    if total is not None:
        count = min(count, total)
    scheduler = os.environ.get(cluster.VARIABLE)
    if scheduler and processes is None:
        results = cluster.map_in_shards(function, items, scheduler, shard, ordered)
    else:
        one = count <= 1
        results = _in_one(function, items) if one else _in_many(function, items, count, ordered)
    # so that a log file does not get a hundred lines a second
    with closing(results), tqdm(total=total, desc=title, unit=f" {unit}", mininterval=0.5) as bar:
        for result in results:
            yield result
            bar.update()


def _in_one(
    function: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[Result, None, None]:
    for item in items:
        with threadpool_limits(1):
            result = function(item)
        yield result


def _in_many(
    function: Callable[[Item], Result], items: Iterable[Item], count: int, ordered: bool
) -> Generator[Result, None, None]:
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)  # a script without a `__main__` guard, which runs again in each worker
    # spawned, not forked: OpenCV's and dlib's own threads do not survive a fork
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(count, context, prepare_worker)
    waiting: dict[Future[Result], Item] = {}
    remaining = iter(items)

    def send(number: int) -> None:
        for item in islice(remaining, number):
            with _sigint_blocked():  # this may start a worker
                waiting[executor.submit(function, item)] = item

    try:
        send(IN_FLIGHT * count)
        while waiting:
            future = next(iter(waiting)) if ordered else next(as_completed(waiting))
            result = future.result()
            del waiting[future]
            send(1)
            yield result
    except BrokenProcessPool:
        first = cluster.shown(next(iter(waiting.values()))) if waiting else "none"
        raise WorkerError(
            "a worker process was killed, probably for lack of memory: set FACEALIGN_WORKERS to "
            "fewer processes. (A script that uses facealign needs `if __name__ == '__main__':`.) "
            f"The first item that was not finished: {first}"
        ) from None
    finally:
        executor.shutdown(cancel_futures=True)  # items that were begun are finished


def _can_spawn() -> bool:
    """Whether workers can import the main module: not if it was read from standard input."""
    main = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    return path is None or main.__spec__ is not None or Path(path).is_file()


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Processes that are started here inherit the block: Ctrl-C interrupts only their parent."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prepare_worker() -> None:
    """Each core has its process, and the last bits of a sum depend on the number of threads."""
    cv2.setNumThreads(1)
    threadpool_limits(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
