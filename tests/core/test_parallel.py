import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facealign.core import parallel
from facealign.core.errors import ConfigError, FacealignError
from facealign.core.parallel import map_as_finished, map_in_order
from facealign.synthesis.pictures import plan_pictures, render
from tests.helpers import ROOT


def _refuse(number: int) -> int:
    raise ConfigError(f"no {number}")


def test_the_number_of_processes_changes_neither_order_nor_a_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans = plan_pictures(12, 5)[:6]
    results = []
    for workers in ("1", "2"):
        monkeypatch.setenv("FACEALIGN_WORKERS", workers)
        results.append([picture for picture, _ in map_in_order(render, plans, "render")])
    assert results[0] == results[1]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_error_in_a_process_reaches_the_caller(
    workers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEALIGN_WORKERS", workers)
    with pytest.raises(ConfigError, match="no 3"):
        list(map_in_order(_refuse, [3, 4], "refuse"))


def _wait_for(item: tuple[int, Path]) -> int:
    number, file = item
    while number == 0 and not file.exists():
        time.sleep(0.01)
    return number


def test_a_long_item_delays_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are more than are sent ahead."""
    monkeypatch.setenv("FACEALIGN_WORKERS", "2")
    items = [(number, tmp_path / "file") for number in range(40)]
    results = map_as_finished(_wait_for, items, "wait", "items")
    assert {next(results) for _ in range(39)} == set(range(1, 40))
    (tmp_path / "file").touch()
    assert list(results) == [0]


def _kill_worker(number: int) -> int:
    if number == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_killed_worker_ends_the_work_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEALIGN_WORKERS", "2")
    results, taken = [], []

    def numbers() -> Iterator[int]:
        for number in range(100_000):
            taken.append(number)
            yield number

    with pytest.raises(
        FacealignError, match=r"a worker process was killed.*FACEALIGN_WORKERS.* not finished: \d+$"
    ) as error:
        for result in map_in_order(_kill_worker, numbers(), "kill"):
            results.append(result)
    assert results == list(range(len(results)))
    assert len(results) <= int(str(error.value).split()[-1]) <= 20
    assert len(taken) < 100  # only a few items are sent ahead
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "6400000 100000\n"}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": "odd\n"}, 8),
        ({}, 8),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ({"cpu/cpu.cfs_quota_us": "300000\n"}, 8),
    ],
)
def test_a_containers_quota_limits_the_processes(
    files: dict[str, str], cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(parallel, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setenv("FACEALIGN_WORKERS", "5")
    assert parallel.workers() == 5
    monkeypatch.delenv("FACEALIGN_WORKERS")
    assert parallel.workers() == cores


SCRIPT = """
from facealign.core.errors import FacealignError
from facealign.core.parallel import map_in_order
try:
    print(sum(map_in_order(abs, range(5), "script")))
except FacealignError as error:
    print(error)
"""


def test_a_script_without_a_guard_does_not_start_itself_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT, encoding="utf-8")
    environment = os.environ | {"FACEALIGN_WORKERS": "2", "PYTHONPATH": str(ROOT)}
    for command, given, printed in (
        ([path], "", "`if __name__ == '__main__':`"),
        (["-"], SCRIPT, "10\n"),
    ):
        done = subprocess.run(
            [sys.executable, *command],
            input=given,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env=environment,
        )
        assert printed in done.stdout and "Traceback" not in done.stderr
