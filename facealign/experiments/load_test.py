"""Measure a server of `facealign serve`: `python -m facealign.experiments.load_test IMAGE CLIENTS
[CLIENTS ...]` asks the one at FACEALIGN_SERVER, 127.0.0.1:8000 by default, for ten seconds each."""

from __future__ import annotations

import os
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np

from facealign.core.command import run
from facealign.core.errors import ConfigError
from facealign.reports import markdown

SERVER = os.environ.get("FACEALIGN_SERVER", "127.0.0.1:8000")
SECONDS = 10.0


def main(image: Path, *clients: Path) -> None:
    body = image.read_bytes()
    rows = [["clients", "answers a second", "p50, ms", "p99, ms", "refused (503)", "lost"]]
    for count in clients:
        if not str(count).isdecimal() or not int(str(count)):
            raise ConfigError(f"{count}: expected a number of clients")
        rows.append(_measure(body, int(str(count))))
    print(markdown.table(rows, names=0))


def _measure(body: bytes, clients: int) -> list[str]:
    answers: list[tuple[int, float]] = []  # status, or 0 if there was none, and seconds
    until = time.monotonic() + SECONDS

    def ask() -> None:
        while time.monotonic() < until:
            started = time.perf_counter()
            status = _post(body)
            answers.append((status, time.perf_counter() - started))
            if status == 503:
                time.sleep(0.1)  # as a client would that is told to wait

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = np.array([seconds for status, seconds in answers if status == 200]) * 1000
    refused = sum(status == 503 for status, _ in answers)
    p50, p99 = np.percentile(good, [50, 99]) if len(good) else (np.nan, np.nan)
    rate, lost = len(good) / SECONDS, len(answers) - len(good) - refused
    return [str(clients), f"{rate:.0f}", f"{p50:.0f}", f"{p99:.0f}", str(refused), str(lost)]


def _post(body: bytes) -> int:
    connection = HTTPConnection(SERVER, timeout=60)
    try:
        connection.request("POST", "/predict", body)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


if __name__ == "__main__":
    run(main)
