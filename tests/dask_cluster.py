"""A real Dask cluster on this machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from distributed import Client

from tests.helpers import ROOT


@contextmanager
def dask_cluster(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The scheduler's address and process; two workers, each a process."""
    file = folder / "scheduler.json"
    commands = (
        ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
        ("worker", "--nworkers", "2", "--nthreads", "1", "--no-dashboard"),
    )
    with (folder / "log").open("wb") as log, ExitStack() as stack:
        started = []
        for command in commands:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command, "--scheduler-file", str(file)],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},  # the workers import the tests
                stdout=log,
                stderr=log,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            started.append(process)
        while not (file.exists() and file.stat().st_size):  # first created, then written
            time.sleep(0.05)
        address: str = json.loads(file.read_text())["address"]
        with Client(address, timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, started[0]
