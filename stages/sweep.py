"""Run a list of experiments one after the other. No part of `dvc repro`.

They run in the workspace, where a killed training finds the state that it goes on from, and the
workspace is put back after each. That would cost uncommitted changes, so there must be none.
"""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from types import FrameType

import yaml

from facealign import config, experiments, sweeps
from facealign.errors import FacealignError
from facealign.experiments import git
from stages import run

LOGS = Path(".dvc/tmp/sweep")  # in no one's way: Git ignores it
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(sweep: Path) -> None:
    wanted = sweeps.load(sweep)
    sweeps.check(wanted, config.load_all(), sweep)
    _refuse_changes()
    _interrupt_on_every_end()
    try:
        failed = _run_all(wanted)
    except KeyboardInterrupt:
        raise FacealignError("interrupted; started again, the sweep skips what is done") from None
    finally:
        # the pipeline's products only, never data that stands for itself
        log = LOGS / "checkout.log"
        if not _dvc("checkout", "--force", "--allow-missing", "dvc.yaml", log=log):
            print(f"warning: dvc checkout failed, output in {log}", file=sys.stderr)
    if failed:
        raise FacealignError(f"{len(failed)} of {len(wanted)} failed:\n" + "\n".join(failed))


def _run_all(wanted: dict[str, sweeps.Values]) -> list[str]:
    """Each experiment, on the same commit; those that failed, with the files of their output."""
    start = git("rev-parse", "HEAD")
    failed = []
    for number, (name, values) in enumerate(wanted.items(), start=1):
        print(f"{number} of {len(wanted)}: {name}", flush=True)
        if there := experiments.newest().get(name):
            _say_why_skipped(there, values)
            continue
        if (changed := _changed()) or git("rev-parse", "HEAD") != start:
            raise FacealignError(
                f"changed since the sweep began: {', '.join(changed) or 'the commit'}; "
                "commit all and start it again, it skips what is done"
            )
        log, begun = LOGS / f"{name}.log", time.monotonic()
        try:
            done = _dvc("exp", "run", "-n", name, *_options(values), log=log)
        finally:
            _put_back()
        clock = timedelta(seconds=round(time.monotonic() - begun))
        print(f"  {'done' if done else 'FAILED'} after {clock}, output in {log}", flush=True)
        if not done:
            failed.append(f"{name}: {log}")
            print(_end(log), flush=True)
    return failed


def _options(values: sweeps.Values) -> list[str]:
    return [word for override in sweeps.overrides(values) for word in ("-S", override)]


def _products() -> list[str]:
    """What an experiment changes of the files in Git."""
    stages = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    outs = [out for stage in stages.values() for out in stage.get("outs", [])]
    in_git = [name for out in outs if isinstance(out, dict) for name in out]
    return ["params.yaml", "dvc.lock", *in_git]


def _changed() -> list[str]:
    """Files with uncommitted changes. New files are the user's own affair, but for DVC's own."""
    known = git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no").decode()
    new = git("ls-files", "-z", "--others", "--", "params.yaml", "dvc.yaml", "dvc.lock").decode()
    return [line[3:] for line in known.split("\0") if line] + new.split("\0")[:-1]


def _refuse_changes() -> None:
    if changed := _changed():
        # killed outright, DVC leaves half an experiment, and Git on no branch
        raise FacealignError(
            f"uncommitted changes: {', '.join(changed)}; commit them, or, if a killed experiment "
            f"left them: {_way_back()}"
        )
    status = subprocess.run(
        ["dvc", "data", "status", "--json"], stdout=subprocess.PIPE, text=True, check=False
    )
    if status.returncode:
        raise FacealignError("dvc data status failed")
    if changed := json.loads(status.stdout).get("uncommitted", {}).get("modified", []):
        raise FacealignError(
            f"data other than Git says: {', '.join(changed)}; back to that: dvc checkout, "
            "or keep them: dvc commit"
        )


def _way_back() -> str:
    away = "git checkout ." if git("branch", "--show-current") else "git checkout -f BRANCH"
    return f"{away} && dvc checkout --force dvc.yaml"


def _say_why_skipped(there: experiments.Experiment, values: sweeps.Values) -> None:
    params = yaml.safe_load(there.read("params.yaml"))
    others = sweeps.different(values, params)
    note = f", with other values of {', '.join(others)}" if others else ""
    print(
        f"  skipped: there is an experiment of this name (of {there.baseline[:7]}{note}); "
        f"to run it anew: dvc exp remove {there.name}"
    )


def _dvc(*words: str, log: Path) -> bool:
    """Whether the command succeeded; its output is in `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["dvc", *words],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # a process group of its own, to be interrupted as a whole
        )
        try:
            return process.wait() == 0
        except KeyboardInterrupt:
            # dvc must tidy up before the files are put back; another Ctrl-C would be too many
            for number in ENDS:
                signal.signal(number, signal.SIG_IGN)
            print("  interrupted; waiting for dvc to tidy up", file=sys.stderr)
            os.killpg(process.pid, signal.SIGINT)
            process.wait()
            raise


def _put_back() -> None:
    """The files in Git as they were, and no new ones: DVC adds them to the index."""
    products = _products()
    git("reset", "-q", "--", *products)
    git("clean", "-fdq", "--", *products)
    kept = git("ls-tree", "-r", "-z", "--name-only", "HEAD", "--", *products).decode()
    git("checkout", "-q", "HEAD", "--", *kept.split("\0")[:-1])


def _interrupt_on_every_end() -> None:
    """Let a lost terminal and `kill` do what Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in ENDS:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup has it so
            signal.signal(number, interrupt)


def _end(log: Path) -> str:
    """The last lines of an output, without the earlier states of progress bars."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line.rsplit("\r", 1)[-1] for line in text.split("\n") if line.strip()]
    return "\n".join(f"  | {line}" for line in lines[-5:])


if __name__ == "__main__":
    run(main)
