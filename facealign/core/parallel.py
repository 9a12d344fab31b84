"""Parallel work on pictures, with ordered results and a progress bar."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import cv2
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from facealign.core.errors import ConfigError

Item = TypeVar("Item")
Result = TypeVar("Result")


def workers() -> int:
    """FACEALIGN_WORKERS, or the cores this process may use; results do not depend on it."""
    asked = os.environ.get("FACEALIGN_WORKERS", "")
    if asked and (not asked.isdecimal() or int(asked) < 1):
        raise ConfigError(f"FACEALIGN_WORKERS: {asked!r}, expected a positive integer")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return int(asked or 0) or usable or 1


def map_in_order(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    title: str,
    processes: int | None = None,
) -> Iterator[Result]:
    """`function` of each item, in order, by `processes`, or by `workers()` of them."""
    # spawned, not forked: OpenCV's and dlib's own threads do not survive a fork
    context = multiprocessing.get_context("spawn")
    count = min(processes or workers(), len(items))
    # so that a log file does not get a hundred lines a second
    with tqdm(total=len(items), desc=title, unit=" pictures", mininterval=0.5) as bar:
        if count <= 1:
            for item in items:
                with threadpool_limits(1):
                    result = function(item)
                yield result
                bar.update()
            return
        with context.Pool(count, initializer=_one_thread) as pool:
            for result in pool.imap(function, items, chunksize=4):
                yield result
                bar.update()


def _one_thread() -> None:
    """Each core has its process, and the last bits of a sum depend on the number of threads."""
    cv2.setNumThreads(1)
    threadpool_limits(1)
