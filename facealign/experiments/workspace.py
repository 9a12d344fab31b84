"""The project's folder while DVC runs experiments in it: clean before, and put back after."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import FrameType

import yaml

from facealign.core.errors import FacealignError
from facealign.experiments.revisions import git

PIPELINES = ("dvc.yaml", "stages/recognition/dvc.yaml")
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def changed() -> list[str]:
    """Files with uncommitted changes. New files are the user's own affair, but for DVC's own."""
    known = git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no").decode()
    new = git("ls-files", "-z", "--others", "--", "params.yaml", "dvc.yaml", "dvc.lock").decode()
    return [line[3:] for line in known.split("\0") if line] + new.split("\0")[:-1]


def refuse_changes() -> None:
    if files := changed():
        # killed outright, DVC leaves half an experiment, and Git on no branch
        raise FacealignError(
            f"uncommitted changes: {', '.join(files)}; commit them, or, if a killed experiment "
            f"left them: {way_back()}"
        )
    status = subprocess.run(
        ["dvc", "data", "status", "--json"], stdout=subprocess.PIPE, text=True, check=False
    )
    if status.returncode:
        raise FacealignError("dvc data status failed")
    if data := json.loads(status.stdout).get("uncommitted", {}).get("modified", []):
        raise FacealignError(
            f"data other than Git says: {', '.join(data)}; back to that: dvc checkout dvc.yaml, "
            "or keep them: dvc commit"
        )


def put_back() -> None:
    """The files in Git as they were, and no new ones: DVC adds them to the index."""
    paths = products()
    git("reset", "-q", "--", *paths)
    git("clean", "-fdq", "--", *paths)
    kept = git("ls-tree", "-r", "-z", "--name-only", "HEAD", "--", *paths).decode()
    git("checkout", "-q", "HEAD", "--", *kept.split("\0")[:-1])


def dvc(*words: str, log: Path) -> bool:
    """Whether the command succeeded; its output is in `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["dvc", *words],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # a process group of its own, to be interrupted as a whole
            # a job in the background is started deaf to it, and would hand that on
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        try:
            return process.wait() == 0
        except KeyboardInterrupt:
            # dvc must tidy up before the files are put back; another Ctrl-C would be too many
            for number in _ENDS:
                signal.signal(number, signal.SIG_IGN)
            print("  interrupted; waiting for dvc to tidy up", file=sys.stderr)
            os.killpg(process.pid, signal.SIGINT)
            process.wait()
            raise


def interrupt_on_every_end() -> None:
    """Let a lost terminal and `kill` do what Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in _ENDS:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup has it so
            signal.signal(number, interrupt)


def last_lines(log: Path) -> str:
    """The last lines of an output, without the earlier states of progress bars."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line.rsplit("\r", 1)[-1] for line in text.split("\n") if line.strip()]
    return "\n".join(f"  | {line}" for line in lines[-5:])


def products() -> list[str]:
    """What an experiment changes of the files in Git."""
    locks = [str(Path(pipeline).with_name("dvc.lock")) for pipeline in PIPELINES]
    return ["params.yaml", *locks, *(path for path, in_git in outs().items() if in_git)]


def outs() -> dict[str, bool]:
    """What the stages make, and whether Git keeps it."""
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
    away = "git checkout ." if git("branch", "--show-current") else "git checkout -f BRANCH"
    return f"{away} && dvc checkout --force dvc.yaml"
