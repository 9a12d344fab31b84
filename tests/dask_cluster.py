"""A real Dask cluster on this machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client

from tests.helpers import ROOT


@contextmanager
def dask(folder: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A scheduler, or workers of the one that was started in `folder`."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *command, "--no-dashboard"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},  # the workers import the tests
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def dask_scheduler(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its address and process."""
    file = folder / "scheduler.json"
    command = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    with dask(folder, *command) as process:
        while not (file.exists() and file.stat().st_size):  # first created, then written
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"], process


@contextmanager
def dask_cluster(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The scheduler's address and process; two workers, each a process."""
    with (
        dask_scheduler(folder) as (address, process),
        dask(folder, "worker", address, "--nworkers", "2", "--nthreads", "1"),
    ):
        with Client(address, timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, process
