"""The project's folder while DVC runs experiments in it: clean before, restored afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from types import FrameType

import psutil
import yaml

from facealign.core import cluster
from facealign.core.errors import ExperimentError
from facealign.experiments import revisions
from facealign.experiments.revisions import git

PIPELINES = ("dvc.yaml", "stages/recognition/dvc.yaml")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def changed() -> list[str]:
    """Files with uncommitted changes; of untracked files only those that DVC reads or writes."""
    known = git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no").decode()
    new = git("ls-files", "-z", "--others", "--", "params.yaml", "dvc.yaml", "dvc.lock").decode()
    return [line[3:] for line in known.split("\0") if line] + new.split("\0")[:-1]


def running() -> list[str]:
    """The commands of DVC that are running stages here, with their process numbers."""
    try:
        holders = json.loads(Path(".dvc/tmp/rwlock").read_text(encoding="utf-8"))["write"].values()
        commands = {holder["pid"]: holder["cmd"] for holder in holders}
    except (OSError, ValueError, KeyError):  # nothing has run, or DVC is rewriting the file
        return []
    return [f"{pid} ({cmd})" for pid, cmd in sorted(commands.items()) if psutil.pid_exists(pid)]


def refuse_changes(but: str = "HEAD") -> None:
    """Refuse files that differ from the last commit and from the commit `but`."""
    if commands := running():
        raise ExperimentError(
            f"DVC is still running here: process {', '.join(commands)}; wait until it has ended, "
            "or end it: kill -INT PID"
        )
    files = changed()
    if files:
        files = git("diff", "-z", "--name-only", but, "--", *files).decode().split("\0")[:-1]
    if files:
        # a killed DVC leaves half an experiment behind, and Git with a detached HEAD
        raise ExperimentError(
            f"uncommitted changes: {', '.join(files)}; commit them, or, if an experiment "
            f"left them, drop them: {way_back()}"
        )
    status = subprocess.run(
        ["dvc", "data", "status", "--json"], stdout=subprocess.PIPE, text=True, check=False
    )
    if status.returncode:
        raise ExperimentError("dvc data status failed")
    if data := json.loads(status.stdout).get("uncommitted", {}).get("modified", []):
        raise ExperimentError(
            f"data differ from dvc.lock: {', '.join(data)}; restore them: dvc checkout dvc.yaml, "
            "or keep them: dvc commit"
        )


def restore() -> None:
    """Restore the committed files and remove new ones, which DVC adds to the index."""
    paths = products()
    git("reset", "-q", "--", *paths)
    git("clean", "-fdq", "--", *paths)
    git("checkout", "-q", "HEAD", "--", *revisions.files("HEAD", paths))


def dvc(*words: str, log: Path) -> bool:
    """Run a command of dvc with its output in `log`; returns whether it succeeded."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["dvc", *words],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # its own process group, so that all of it is interrupted
            # a background job ignores SIGINT, and its children would inherit that
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        try:
            return process.wait() == 0
        except KeyboardInterrupt:
            # dvc must clean up before the files are restored; ignore further signals until then
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            print("  interrupted; waiting for dvc to clean up", file=sys.stderr)
            os.killpg(process.pid, signal.SIGINT)
            process.wait()
            raise


def run_apart(experiment: tuple[str, list[str]], logs: Path) -> tuple[bool, float]:
    """Run an experiment, given by its name and the options of `dvc exp run`, in a folder that DVC
    makes for it and removes; returns whether it succeeded, and its seconds.

    Several may run at once, on machines that share this folder, its Git and DVC's cache.
    """
    name, options = experiment
    # its work on images is for this machine: the workers of the cluster are busy
    os.environ.pop(cluster.VARIABLE, None)
    begun = time.monotonic()
    words = ("--wait-for-lock", "exp", "run", "--temp", "-n", name, *options)
    return dvc(*words, log=logs / f"{name}.log"), time.monotonic() - begun


def interrupt_on_signals() -> None:
    """Treat SIGTERM and a closed terminal like Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, interrupt)


def last_lines(log: Path) -> str:
    """The last lines of an output, without the earlier states of progress bars."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line.rsplit("\r", 1)[-1] for line in text.split("\n") if line.strip()]
    return "\n".join(f"  | {line}" for line in lines[-5:])


def products() -> list[str]:
    """The files in Git that an experiment changes."""
    locks = [str(Path(pipeline).with_name("dvc.lock")) for pipeline in PIPELINES]
    return ["params.yaml", *locks, *(path for path, in_git in outs().items() if in_git)]


def outs() -> dict[str, bool]:
    """The outputs of all stages, and whether Git tracks them."""
    listed = [
        out
        for pipeline in PIPELINES
        for stage in yaml.safe_load(Path(pipeline).read_text(encoding="utf-8"))["stages"].values()
        for out in stage.get("outs", [])
    ]
    return {
        name: isinstance(out, dict)
        for out in listed
        for name in (out if isinstance(out, dict) else [out])
    }


def way_back() -> str:
    """The commands that restore the workspace."""
    # -f restores what is staged, too
    branch = git("branch", "--show-current").decode().strip() or "BRANCH"
    return f"git checkout -f {branch} && dvc checkout --force dvc.yaml"
