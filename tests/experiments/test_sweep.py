"""Sweeps with real dvc, in a small project."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from facealign.core import cluster
from facealign.core.errors import FacealignError
from facealign.core.files import sha256
from facealign.experiments import revisions, sweep
from tests.dask_cluster import dask_cluster
from tests.experiments.small import Small

LIST = """\
all: {data.datasets: [300W, ytf]}
first:
  train: {rate: 1e-5}
broken:
  train.loss: broken
second:
  train.loss: l1
"""


def test_a_sweep_survives_a_failure_and_goes_on_where_it_was(small: Small) -> None:
    before = small.state()
    said = small.sweep(LIST, fails=True)
    assert re.findall(r"^(\d of 3: .*)$", said, re.M) == [
        "1 of 3: first",
        "2 of 3: broken",
        "3 of 3: second",
    ]
    assert len(re.findall(r"^  done after \d+:\d\d:\d\d, output in ", said, re.M)) == 2
    log = ".dvc/tmp/sweep/broken.log"
    assert "  FAILED after " in said and "  | AssertionError: no such loss" in said
    assert said.endswith(f"error: 1 of 3 failed:\nbroken: {log}\n")
    assert "the loss is broken" in (small.folder / log).read_text(encoding="utf-8")
    assert {"first", "second"} <= set(small.experiments()) and "broken" not in small.experiments()
    # no experiment builds on the one before, and lists and numbers come through
    first = small.run("git", "show", f"{reference(small, 'first')}:params.yaml")
    second = small.run("git", "show", f"{reference(small, 'second')}:params.yaml")
    assert "- ytf" in first and "loss: wing" in first and "rate: 1e-05" in first
    assert "- ytf" in second and "loss: l1" in second and "rate: 0.002" in second
    assert small.state() == before
    assert small.run("git", "status", "--porcelain") == "?? list.yaml\n"
    assert small.run("git", "symbolic-ref", "HEAD") == "refs/heads/main\n"
    assert "up to date" in small.run("dvc", "status")

    again = LIST.replace("l1", "l2").replace("broken:\n  train.loss: broken", "third: {}")
    said = small.sweep(again)
    assert said.count("skipped: an experiment of this name exists") == 2
    assert "with other values of train.loss); to run it again, first: dvc exp remove second" in said
    assert "third" in small.experiments() and "broken" not in small.experiments()
    assert small.state() == before


def reference(small: Small, name: str) -> str:
    [line] = small.run("git", "for-each-ref", f"refs/exps/**/{name}").splitlines()
    return line.split()[0]


def test_experiments_run_at_once_on_the_workers_of_a_cluster(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meeting").mkdir()
    untracked = small.folder / "data" / ".started"  # ignored by Git
    untracked.write_bytes(b"trained before")
    before = small.state()
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MEETING", str(tmp_path / "meeting"))
    text = (
        "one: {train.loss: meeting, train.rate: 1, train.init: data/.started}\n"
        "two: {train.loss: meeting, train.rate: 2}\n"
        "wrong: {train.loss: broken}\n"
    )
    with dask_cluster(tmp_path) as (address, _):
        monkeypatch.setenv(cluster.VARIABLE, address)
        said = small.sweep(text, fails=True)
        assert "3 of 3: wrong\n  FAILED after " in said and "AssertionError: no such loss" in said
        assert said.endswith("error: 1 of 3 failed:\nwrong: .dvc/tmp/sweep/wrong.log\n")
        said = small.sweep(text.replace("broken", "l1"))
        assert said.count("skipped: an experiment of this name exists") == 2
        assert "1 of 1: wrong\n  done after " in said
    for name, rate in (("one", "1"), ("two", "2")):
        assert small.run("git", "show", f"{reference(small, name)}:metrics/ced.json") == rate
    assert small.state() == before
    assert small.run("git", "status", "--porcelain") == "?? list.yaml\n"
    untracked.unlink()
    small.run("dvc", "exp", "remove", "one", "two", "wrong")


def test_what_dvc_keeps_of_an_experiment_is_read_without_checking_it_out(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.folder)
    small.sweep("fetched: {train.loss: l1}")
    fetched = revisions.newest()["fetched"]
    assert b"'loss': 'l1'" in fetched.fetch("data/model.pt")
    assert "'loss': 'wing'" in Path("data/model.pt").read_text(encoding="utf-8")
    with pytest.raises(FacealignError, match=r"fetched \([0-9a-f]{7}\): no data/nothing.pt"):
        fetched.fetch("data/nothing.pt")
    small.run("dvc", "exp", "remove", "fetched")


def test_weights_to_start_from_are_hashed_unless_the_list_names_their_hash(small: Small) -> None:
    weights = small.folder / "data" / ".started"  # ignored by Git
    weights.write_bytes(b"trained before")
    text = (
        "further: {train.init: data/.started}\n"
        "said: {train: {init: data/.started, init_sha256: f00}}\n"
    )
    small.sweep(text)
    digests = [
        yaml.safe_load(small.run("git", "show", f"{reference(small, name)}:params.yaml"))["train"]
        for name in ("further", "said")
    ]
    assert [its["init_sha256"] for its in digests] == [sha256(weights), "f00"]
    assert "with other values" not in small.sweep(text)
    weights.unlink()
    small.run("dvc", "exp", "remove", "further", "said")


def test_what_a_worker_lacks_is_copied_into_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written = "committed.pt named.tgz named.tgz.dvc nets/a.onnx mixed/committed mixed/b.onnx"
    written += " data/committed data/ignored/c.onnx data/faces/made.jpg people/1.jpg"
    for name in written.split():
        Path(name).parent.mkdir(exist_ok=True, parents=True)
        Path(name).write_text(name, encoding="utf-8")
    Path(".gitignore").write_text("nets\n/data/ignored\n", encoding="utf-8")
    Path("dvc.yaml").write_text("stages: {extract: {outs: [data/faces]}}", encoding="utf-8")
    Path("stages/recognition").mkdir(parents=True)
    Path("stages/recognition/dvc.yaml").write_text("stages: {}", encoding="utf-8")
    for words in (["init", "-q"], ["add", "committed.pt", "mixed/committed", "data/committed"]):
        subprocess.run(["git", *words], check=True)
    copied = {
        "nets": ["nets"],
        "nets/a.onnx": ["nets"],  # DVC makes no folders for what it copies
        "mixed": ["mixed/b.onnx"],  # and copies over none
        "data/ignored/c.onnx": ["data/ignored"],
        "data/ignored/": ["data/ignored"],
    }
    for value in (*copied, "committed.pt", "named.tgz", "data/faces/made.jpg", "none", "", "."):
        values = {"label.teacher": value, "data.datasets": ["people"], "train.epochs": 3}
        assert sweep.untracked(values) == copied.get(value, []), value
    for value in (str(tmp_path / "nets"), "../elsewhere.pt"):
        assert sweep.untracked({"train.init": value}) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("label.teacher: gone.onnx", "list.yaml: one: label.teacher: no file gone.onnx"),
        ("suspects.folder: gone", "list.yaml: one: suspects.folder: no folder gone"),
        ("data.archive: data/gone.tgz", "list.yaml: one: data.archive: no file data/gone.tgz"),
        ("train.init: data/gone.pt", "list.yaml: one: train.init: no file data/gone.pt"),
        ("train.arch: casade", "train.arch: unknown network 'casade', did you mean cascade?"),
    ],
)
def test_what_is_missing_is_said_before_anything_runs(small: Small, values: str, said: str) -> None:
    made = "two: {data.archive: data/model.pt, train.arch: cascade}"  # by a stage
    before = small.experiments()
    assert said in small.sweep(f"one: {{{values}}}\n{made}\n", fails=True)
    assert small.experiments() == before


def test_an_unknown_parameter_is_an_error_before_anything_runs(small: Small) -> None:
    before = small.experiments()
    said = small.sweep("fine: {train.loss: l1}\nx: {train.los: l1}", fails=True)
    assert said == (
        "error: list.yaml: x: train: unknown parameter 'los', did you mean loss? "
        "Valid: arch, loss, rate, init, init_sha256\n"
    )
    assert small.experiments() == before


@pytest.mark.parametrize("name", ["params.yaml", "work.py", "metrics/ced.json"])
def test_uncommitted_changes_are_named_and_stay(small: Small, name: str) -> None:
    path = small.folder / name
    before = path.read_bytes()
    path.write_bytes(before + b"\n# mine\n")
    said = small.sweep("x: {train.loss: l1}", fails=True)
    assert said == (
        f"error: uncommitted changes: {name}; commit them, or, if an experiment left them, drop "
        "them: git checkout -f main && dvc checkout --force dvc.yaml\n"
    )
    assert path.read_bytes() == before + b"\n# mine\n"
    path.write_bytes(before)
    assert "x" not in small.experiments()


def test_data_changed_by_hand_is_named_and_stays(small: Small) -> None:
    path = small.folder / "data" / "model.pt"
    before = path.read_bytes()
    path.write_text("mine", encoding="utf-8")
    said = small.sweep("x: {train.loss: l1}", fails=True)
    assert "error: data differ from dvc.lock: data/model.pt; restore them: dvc checkout" in said
    assert path.read_text(encoding="utf-8") == "mine"
    path.write_bytes(before)


def test_what_is_changed_meanwhile_stays_and_ends_the_sweep(small: Small) -> None:
    before = small.state()
    said = small.sweep("meddling: {train.loss: meddling}\nlast: {train.loss: l1}", fails=True)
    assert (
        "error: changed since the sweep began: notes.md; commit everything and run the sweep again"
        in said
    )
    assert "last" not in small.experiments()
    assert small.state() == before | {"notes.md": b"changed meanwhile"}
    small.run("git", "checkout", "-q", "notes.md")
    assert small.state() == before


def test_an_interrupted_sweep_puts_all_back_and_starts_again(small: Small) -> None:
    before = small.state()
    text = "endless: {train.loss: endless, data.datasets: [ytf]}\nlater: {train.rate: 7}"
    (small.folder / "data" / ".started").unlink(missing_ok=True)
    (small.folder / "list.yaml").write_text(text, encoding="utf-8")
    # deaf to Ctrl-C, as a shell without job control starts what runs in the background
    deaf = "trap '' INT; exec python -m facealign.experiments.sweep list.yaml"
    process = small.start("sh", "-c", deaf)
    while not (small.folder / "data" / ".started").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate()
    assert process.returncode == 1, said
    assert "1 of 2: endless" in said and "2 of 2" not in said
    assert said.endswith("error: interrupted; run the sweep again, it skips finished experiments\n")
    assert small.state() == before
    assert small.run("git", "symbolic-ref", "HEAD") == "refs/heads/main\n"
    assert not {"endless", "later"} & set(small.experiments())
    assert "done after" in small.sweep(text.replace("loss: endless", "loss: l1"))
    assert {"endless", "later"} <= set(small.experiments())


def test_after_a_killed_sweep_the_way_back_is_the_one_it_names(small: Small) -> None:
    before = small.state()
    started = small.folder / "data" / ".started"
    started.unlink(missing_ok=True)
    text = "killed: {train.loss: endless, data.datasets: [ytf]}"
    (small.folder / "list.yaml").write_text(text, encoding="utf-8")
    process = small.start("python", "-m", "facealign.experiments.sweep", "list.yaml")
    while not started.exists():
        assert process.poll() is None
        time.sleep(0.05)
    children = psutil.Process(process.pid).children()
    process.kill()
    process.communicate()
    said = small.sweep(text, fails=True)
    assert said.startswith(f"error: DVC is still running here: process {children[0].pid} (")
    assert "dvc exp run -n killed" in said and "wait until it has ended, or end it" in said
    for child in children:
        os.killpg(child.pid, signal.SIGKILL)
    psutil.wait_procs(children, timeout=60)  # as long as one is there, its locks count
    said = small.sweep(text, fails=True)
    assert "params.yaml" in said
    way = said.rsplit("drop them: ", 1)[1].strip()
    small.run("sh", "-c", way.replace("BRANCH", "main"))
    assert "done after" in small.sweep(text.replace("endless", "l1"))
    assert small.state() == before
    assert small.run("git", "symbolic-ref", "HEAD") == "refs/heads/main\n"
