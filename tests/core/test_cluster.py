"""Work on a Dask cluster: a real scheduler with two worker processes."""

import os
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from distributed import Client

from facealign.core import cluster, parallel
from facealign.core.errors import ConfigError, InputError, WorkerError
from tests.dask_cluster import dask, dask_cluster, dask_scheduler

ITEMS = range(100)


@pytest.fixture(autouse=True)
def on_the_cluster(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cluster.VARIABLE, scheduler)


def square(item: int) -> tuple[int, int]:
    return item * item, os.getpid()


def fail(item: int) -> int:
    if item == 40:
        raise InputError(f"{item}: cannot be read")
    return item


def die_once(note: Path, item: int) -> int:
    if item == 50 and not note.exists():
        note.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.002)
    return item


def test_the_results_are_in_order_and_from_both_workers() -> None:
    results = list(parallel.map_in_order(square, iter(ITEMS), "test"))
    assert [value for value, _ in results] == [item * item for item in ITEMS]
    pids = {pid for _, pid in results}
    assert len(pids) == 2 and os.getpid() not in pids


def test_large_items_are_given_out_one_at_a_time() -> None:
    for shard, workers in ((1, 2), (8, 1)):
        results = parallel.map_in_order(square, range(8), "test", shard=shard)
        assert len({pid for _, pid in results}) == workers


def test_an_error_of_the_function_arrives() -> None:
    results = parallel.map_in_order(fail, ITEMS, "test")
    with pytest.raises(InputError, match="40: cannot be read"):
        list(results)


def test_items_are_taken_as_they_are_needed() -> None:
    taken = []

    def endless() -> Iterator[int]:
        for item in range(10**9):
            taken.append(item)
            yield item

    results = parallel.map_in_order(square, endless(), "test")
    assert next(results)[0] == 0
    results.close()  # type: ignore[attr-defined]
    assert len(taken) < 20 * cluster.SHARD


def test_the_shard_of_a_worker_that_is_killed_is_done_again(tmp_path: Path) -> None:
    work = partial(die_once, tmp_path / "killed")
    assert list(parallel.map_in_order(work, ITEMS, "test")) == list(ITEMS)
    assert (tmp_path / "killed").exists()


def die(item: int) -> int:
    if item == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_items_that_kill_all_workers_are_named() -> None:
    with pytest.raises(WorkerError, match="died on the same shards of 16 items") as caught:
        list(parallel.map_in_order(die, ITEMS, "test"))
    # beside those that waited for the same worker each time, if any
    assert "16" in re.split(", |: ", str(caught.value))


def test_an_item_is_shown_in_one_line_without_the_points_after_its_name() -> None:
    assert cluster.shown(("a.jpg", np.zeros((68, 2)))) == "'a.jpg'"
    assert cluster.shown(np.zeros((68, 2))) == "array([[0., 0.],"


def test_relative_paths_are_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").write_text("x")
    monkeypatch.chdir(tmp_path)
    assert all(parallel.map_in_order(os.path.exists, ["here"] * 40, "test"))


def work(code: str, folder: str) -> list[tuple[int, int]]:
    return cluster._work("run", code, folder, square, [1])


def test_a_folder_that_a_worker_lacks_is_named() -> None:
    with pytest.raises(WorkerError, match="/nowhere: a worker cannot use this folder"):
        work(cluster._code(), "/nowhere")


def test_other_code_is_refused() -> None:
    with pytest.raises(WorkerError, match="a worker has other code of facealign"):
        work("0", str(Path.cwd()))


@cluster.load_once
def load(path: Path) -> str:
    return path.read_text()


def test_a_file_that_has_changed_is_loaded_again(tmp_path: Path) -> None:
    file = tmp_path / "model"
    for text in ("old", "new"):
        file.write_text(text)
        assert set(parallel.map_in_order(load, [file] * 40, "test")) == {text}


def test_explicit_processes_are_those_of_this_machine() -> None:
    [(_, pid)] = parallel.map_in_order(square, [1], "test", processes=1)
    assert pid == os.getpid()


def test_an_early_end_leaves_no_work(scheduler: str) -> None:
    results = parallel.map_in_order(square, iter(range(10**6)), "test")
    next(results)
    results.close()  # type: ignore[attr-defined]
    with Client(scheduler) as client:
        for _ in range(100):
            if not any(client.processing().values()):
                return
            time.sleep(0.05)
    raise AssertionError


def wait_for(file: Path, item: int) -> int:
    while item == 0 and not file.exists():
        time.sleep(0.01)
    return item


def test_a_long_item_delays_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are more than are sent ahead."""
    monkeypatch.setattr(cluster, "LOOK", 600)
    work = partial(wait_for, tmp_path / "file")
    results = parallel.map_as_finished(work, range(40), "test", "items")
    assert {next(results) for _ in range(39)} == set(range(1, 40))
    (tmp_path / "file").touch()
    assert list(results) == [0]


def go_on(folder: Path, item: int) -> int:
    """An item that takes for ever, or until it is not wanted."""
    (folder / "begun").touch()
    try:
        while True:
            cluster.end_if_unwanted()
            time.sleep(0.01)
    except WorkerError:
        (folder / "ended").touch()
        raise


def test_long_work_can_end_with_its_command(tmp_path: Path, scheduler: str) -> None:
    with Client(scheduler) as client:
        call = partial(cluster._work, "run", cluster._code(), str(tmp_path))
        future = client.submit(call, partial(go_on, tmp_path), [1], pure=False)
        for name in ("begun", "ended"):
            started = time.monotonic()
            while not (tmp_path / name).exists():
                assert time.monotonic() < started + 60
                time.sleep(0.05)
            future.release()


def slow(item: int) -> int:
    time.sleep(0.05)
    return item


@pytest.mark.parametrize("ordered", [False, True])
def test_a_scheduler_that_is_killed_is_an_error(
    ordered: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dask_cluster(tmp_path) as (address, process):
        monkeypatch.setenv(cluster.VARIABLE, address)
        monkeypatch.setattr(cluster, "LOOK", 0.01)  # so that it is killed in any state
        work = parallel.map_in_order if ordered else parallel.map_as_finished
        results = work(slow, range(10**4), "test", unit="items")
        next(results)
        process.kill()
        with pytest.raises(WorkerError, match="the scheduler is gone; run the command again"):
            list(results)


def test_work_waits_for_the_worker_that_the_message_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    items = range(3 * cluster.AHEAD * cluster.SHARD)  # more than wait at the scheduler
    with dask_scheduler(tmp_path) as (address, _), ThreadPoolExecutor(1) as thread:
        monkeypatch.setenv(cluster.VARIABLE, address)
        results = thread.submit(list, parallel.map_in_order(square, items, "test"))
        said = ""
        while not (match := re.search(r"workers: none, waiting for one \(dask (.*)\); ", said)):
            assert not results.done()
            said += capfd.readouterr().err
            time.sleep(0.05)
        with dask(tmp_path, *match[1].split()):
            assert [value for value, _ in results.result(300)] == [item * item for item in items]


def test_workers_with_several_threads_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        dask_scheduler(tmp_path) as (address, _),
        dask(tmp_path, "worker", address, "--nthreads", "2"),
    ):
        monkeypatch.setenv(cluster.VARIABLE, address)
        with pytest.raises(WorkerError, match=r"2 threads, expected one: dask .* --nworkers -1 "):
            list(parallel.map_in_order(slow, range(10**4), "test"))


def test_a_scheduler_that_is_gone_when_workers_are_counted_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "SECONDS", 10)
    with dask_scheduler(tmp_path) as (address, process), cluster._connect(address) as client:
        process.kill()
        process.wait()
        with pytest.raises(WorkerError, match="the scheduler is gone"):
            cluster._count_workers(client, address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_a_wrong_address_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cluster.VARIABLE, address)
    monkeypatch.setattr(cluster, "SECONDS", 1)
    with pytest.raises(ConfigError, match=f"no scheduler at '{address}', expected an address"):
        list(parallel.map_in_order(square, ITEMS, "test"))
