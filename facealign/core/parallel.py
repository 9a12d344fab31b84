"""Work on pictures with all cores, in order, with progress."""

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
    """FACEALIGN_WORKERS, or the cores this process may use; never changes a result."""
    asked = os.environ.get("FACEALIGN_WORKERS", "")
    if asked and (not asked.isdecimal() or int(asked) < 1):
        raise ConfigError(f"FACEALIGN_WORKERS: {asked!r}, expected a whole number from 1 on")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return int(asked or 0) or usable or 1


def map_in_order(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    title: str,
    processes: int | None = None,
) -> Iterator[Result]:
    """`function` of each item, in the items' order, by as many processes as there are cores."""
    # spawned, not forked: OpenCV's and dlib's own threads do not survive a fork
    context = multiprocessing.get_context("spawn")
    count = min(processes or workers(), len(items))
    # a bar in a log file gets a line every few seconds, not a hundred a second
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
    """A process a core is enough; and how many threads share a sum changes its last bits."""
    cv2.setNumThreads(1)
    threadpool_limits(1)
