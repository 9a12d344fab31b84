"""Work on the machines of a Dask cluster, for `facealign.core.parallel`."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from facealign.core.errors import ConfigError, DependencyError, WorkerError

if TYPE_CHECKING:
    from distributed import Client, Future

Item = TypeVar("Item")
Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., Any])

VARIABLE = "FACEALIGN_SCHEDULER"
SHARD = 16  # images that a worker is given at a time
AHEAD = 4  # shards per worker that are sent ahead, so that a slow one delays no other
SECONDS = 60.0  # to reach the scheduler
LOOK = 5.0  # seconds between looks at who has joined or left
GONE = "the scheduler is gone; run the command again"

_caches: list[Any] = []
_run = ""  # that this worker process has last worked for


def load_once(function: Function) -> Function:
    """`functools.cache`, but a worker that lives on loads again for another run, whose files may
    differ."""
    cached = functools.cache(function)
    _caches.append(cached)
    return cached  # type: ignore[return-value]


def map_in_shards(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    address: str,
    size: int,
    ordered: bool = True,
) -> Generator[Result, None, None]:
    """`function` of each item, in order or as they are finished, `size` of them in a shard. That of
    a worker that dies is given to another."""
    with _connect(address) as client:
        from distributed import KilledWorker, wait
        from distributed.client import ClosedClientError
        from distributed.comm.core import CommClosedError

        call = functools.partial(_work, uuid.uuid4().hex, _code(), str(Path.cwd()), function)
        remaining = iter(items)
        waiting: dict[Future[list[Result]], Item] = {}  # with a shard's first item
        try:
            workers, looked = _count_workers(client, address), time.monotonic()
            while True:
                ahead = AHEAD * max(workers, 1)  # what is sent waits for the first worker
                while len(waiting) < ahead and (shard := list(islice(remaining, size))):
                    waiting[client.submit(call, shard, pure=False)] = shard[0]
                if not waiting:
                    return
                if time.monotonic() > looked + LOOK:
                    workers = _count_workers(client, address, workers)
                    looked = time.monotonic()
                future = next(iter(waiting))
                try:
                    if ordered:
                        future.exception(timeout=LOOK)
                    else:
                        with client.as_current():
                            wait(list(waiting), LOOK, "FIRST_COMPLETED")
                        future = next(one for one in waiting if one.done())
                except TimeoutError:  # of this waiting, not of the function
                    continue
                results = future.result()
                del waiting[future]
                yield from results
        except KilledWorker:
            # what waits at a dying worker is blamed, too, and may be told first
            with client.as_current(), suppress(TimeoutError, CancelledError):
                wait(list(waiting), LOOK)
            lost = [shown(item) for one, item in waiting.items() if one.status == "error"]
            raise WorkerError(
                f"{address}: one worker after another died on the same shards of {size} items, "
                "probably for lack of memory: see their logs, or give each worker more. The first "
                f"item of each shard: {', '.join(lost)}"
            ) from None
        except (CancelledError, ClosedClientError, CommClosedError):
            raise WorkerError(f"{address}: {GONE}") from None


def shown(item: object) -> str:
    """For an error: in one line, without the points that may come after an image's name."""
    text = repr(item[0] if isinstance(item, tuple) else item)
    return text.partition("\n")[0][:200]


@contextmanager
def _connect(address: str) -> Iterator[Client]:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"the scheduler {address!r} needs the package {error.name}: pip install '.[cluster]' "
            "in a clone"
        ) from None
    try:
        client = Client(address, timeout=SECONDS, set_as_default=False)
    except (OSError, TypeError, ValueError) as error:
        raise ConfigError(
            f"--scheduler or {VARIABLE}: no scheduler at {address!r}, expected an address such as "
            f"tcp://host:8786 ({error})"
        ) from None
    try:
        yield client
    finally:
        with suppress(RuntimeError):  # of distributed, which still tries to reach a lost scheduler
            client.close()


def _count_workers(client: Client, address: str, before: int | None = None) -> int:
    """Say how many there are, and where to see what they do, if that differs from `before`."""
    try:
        threads = client.nthreads().values()
    except OSError:
        raise WorkerError(f"{address}: {GONE}") from None
    command = f"dask worker {address} --nworkers -1 --nthreads 1"
    if max(threads, default=1) > 1:
        raise WorkerError(
            f"{address}: a worker has {max(threads)} threads, expected one: {command} "
            "(with --nworkers auto, Dask ignores --nthreads)"
        )
    if len(threads) != before:
        none = f"none, waiting for one ({command})"
        print(f"workers: {len(threads) or none}; {client.dashboard_link}", file=sys.stderr)
    return len(threads)


def _work(
    run: str,
    code: str,
    folder: str,
    function: Callable[[Item], Result],
    items: list[Item],
) -> list[Result]:
    """In a worker: as in a process of `parallel`, so that the results are the same bytes."""
    import cv2  # here, because the help of commands needs only the name of the variable
    from threadpoolctl import threadpool_limits

    global _run
    if code != _code():
        raise WorkerError(
            "a worker has other code of facealign: install the same on all machines, and restart "
            "the workers"
        )
    if run != _run:
        for cached in _caches:
            cached.cache_clear()
        _run = run
    try:
        os.chdir(folder)  # paths may be relative
    except OSError as error:
        raise WorkerError(f"{folder}: a worker cannot use this folder: {error.strerror}") from None
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        return [function(item) for item in items]


def end_if_unwanted() -> None:
    """For long work, which nothing can interrupt in a worker: an error if its command has ended."""
    if "distributed" not in sys.modules:
        return
    from distributed import get_worker

    try:
        worker = get_worker()
    except ValueError:  # in a process of the command's own
        return
    task = worker.state.tasks.get(worker.get_current_task())
    if task is None or task.state == "cancelled":
        raise WorkerError("the command has ended")


@functools.cache
def _code() -> str:
    """A hash of the package's code, as it was when this process began to use it."""
    package = Path(__file__).parents[1]
    total = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        total.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes())
    return total.hexdigest()
