"""Run the experiments of a list: `make sweep LIST=experiments/zoo.yaml`.

They run one after the other in the workspace, where a killed training finds the state to resume
from, and the workspace is restored after each. Uncommitted changes would be lost, so they are
refused. With FACEALIGN_SCHEDULER they run on the workers of a cluster, each in a folder of its own.
"""

import os
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import yaml

from facealign.core import cluster, config
from facealign.core.command import run
from facealign.core.errors import ConfigError, ExperimentError
from facealign.core.files import sha256
from facealign.experiments import revisions, sweep_list, workspace
from facealign.experiments.revisions import git

MODELS = Path("facealign/models")
LOGS = Path(".dvc/tmp/sweep")  # ignored by Git


def main(sweep: Path, *names: Path) -> None:
    wanted = sweep_list.named(sweep_list.load(sweep), list(map(str, names)), sweep)
    sweep_list.check(wanted, config.load_all(), sweep)
    _refuse_missing(wanted, sweep)
    workspace.refuse_changes()
    workspace.interrupt_on_signals()
    scheduler = os.environ.get(cluster.VARIABLE)
    try:
        failed = _run_on_workers(wanted, scheduler) if scheduler else _run_here(wanted)
    except KeyboardInterrupt:
        begun = "; those that workers have begun will be finished" if scheduler else ""
        raise ExperimentError(
            f"interrupted{begun}; run the sweep again, it skips finished experiments"
        ) from None
    if failed:
        raise ExperimentError(f"{len(failed)} of {len(wanted)} failed:\n" + "\n".join(failed))


def _run_here(wanted: dict[str, sweep_list.Values]) -> list[str]:
    """In the workspace; returns those that failed, with their logs."""
    try:
        return _run_all(wanted)
    finally:
        # only the outputs of the pipeline, never data that was added with `dvc add`
        log = LOGS / "checkout.log"
        if not workspace.dvc("checkout", "--force", "--allow-missing", "dvc.yaml", log=log):
            print(f"warning: dvc checkout failed, output in {log}", file=sys.stderr)


def _run_on_workers(wanted: dict[str, sweep_list.Values], scheduler: str) -> list[str]:
    """On the workers of a cluster, which share this folder; returns as `_run_here`."""
    due = []
    for name, values in wanted.items():
        if existing := revisions.newest().get(name):
            print(f"{name}\n{_skipped(existing, values)}")
        else:
            copied = [word for path in untracked(values) for word in ("--copy-paths", path)]
            due.append((name, [*copied, *_options(values)]))
    work = partial(workspace.run_apart, logs=LOGS)
    failed = []
    results = cluster.map_in_shards(work, due, scheduler, size=1)
    for number, ((name, _), (done, seconds)) in enumerate(zip(due, results, strict=True), start=1):
        print(f"{number} of {len(due)}: {name}", flush=True)
        failed += _outcome(name, done, seconds)
    return failed


def untracked(values: sweep_list.Values) -> list[str]:
    """The files and folders in this one that an experiment's values name and that neither Git, DVC
    nor a stage puts into its own folder."""
    here, found = Path.cwd(), set()
    for value in values.values():
        path = Path(value) if value and isinstance(value, str) else here
        if here not in (here / path).resolve().parents or path.is_absolute():
            continue  # no path, or one that leads there from everywhere
        above = [path, *path.parents][:-1]
        if any(str(each) in workspace.outs() or Path(f"{each}.dvc").is_file() for each in above):
            continue
        for entry in git("ls-files", "-z", "--others", "--directory", "--", str(path)).split(b"\0"):
            # DVC copies into folders that exist there: those with files of Git
            entries = [Path(os.fsdecode(entry)), *Path(os.fsdecode(entry)).parents][:-1]
            found.update([str(each) for each in entries if not git("ls-files", str(each))][-1:])
    return sorted(found)


def _refuse_missing(wanted: dict[str, sweep_list.Values], sweep: Path) -> None:
    """Fail fast if an experiment needs a file that does not exist and that no stage makes."""
    for name, values in wanted.items():
        paths = {key: values.get(key) for key in ("data.archive", "label.teacher")}
        for key, path in (paths | {"train.init": sweep_list.initial_weights(values)}).items():
            if path and str(path) not in workspace.outs() and not Path(path).is_file():
                raise ConfigError(f"{sweep}: {name}: {key}: no file {path}")
        if (folder := values.get("suspects.folder")) and not Path(folder).is_dir():
            raise ConfigError(f"{sweep}: {name}: suspects.folder: no folder {folder}")
        if (arch := values.get("train.arch")) and not (MODELS / f"{arch}.py").is_file():
            valid = sorted(file.stem for file in MODELS.glob("[a-z]*.py"))
            raise ConfigError(
                f"{sweep}: {name}: train.arch: {config.unknown_name('network', arch, valid)}"
            )


def _run_all(wanted: dict[str, sweep_list.Values]) -> list[str]:
    """Run each experiment on the same commit."""
    start = git("rev-parse", "HEAD")
    failed = []
    for number, (name, values) in enumerate(wanted.items(), start=1):
        print(f"{number} of {len(wanted)}: {name}", flush=True)
        if existing := revisions.newest().get(name):
            print(_skipped(existing, values))
            continue
        if (changed := workspace.changed()) or git("rev-parse", "HEAD") != start:
            raise ExperimentError(
                f"changed since the sweep began: {', '.join(changed) or 'the commit'}; "
                "commit everything and run the sweep again, it skips finished experiments"
            )
        log, begun = LOGS / f"{name}.log", time.monotonic()
        try:
            done = workspace.dvc("exp", "run", "-n", name, *_options(values), log=log)
        finally:
            workspace.restore()
        failed += _outcome(name, done, time.monotonic() - begun)
    return failed


def _outcome(name: str, done: bool, seconds: float) -> list[str]:
    """Say how an experiment ended; if it failed, it is returned, with its log."""
    log, clock = LOGS / f"{name}.log", timedelta(seconds=round(seconds))
    print(f"  {'done' if done else 'FAILED'} after {clock}, output in {log}", flush=True)
    if done:
        return []
    print(workspace.last_lines(log), flush=True)
    return [f"{name}: {log}"]


def _options(values: sweep_list.Values) -> list[str]:
    init = sweep_list.initial_weights(values)
    if init and "train.init_sha256" not in values:
        # an experiment of another machine may have produced another file of this name
        values = values | {"train.init_sha256": sha256(init)}
    return [word for override in sweep_list.overrides(values) for word in ("-S", override)]


def _skipped(existing: revisions.Experiment, values: sweep_list.Values) -> str:
    others = sweep_list.different(values, yaml.safe_load(existing.read("params.yaml")))
    note = f", with other values of {', '.join(others)}" if others else ""
    return (
        f"  skipped: an experiment of this name exists (on {existing.baseline[:7]}{note}); "
        f"to run it again, first: dvc exp remove {existing.name}"
    )


if __name__ == "__main__":
    run(main)
