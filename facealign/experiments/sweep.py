"""Run a list of experiments one after the other. No part of `dvc repro`.

They run in the workspace, where a killed training finds the state that it goes on from, and the
workspace is put back after each. That would cost uncommitted changes, so there must be none.
"""

import sys
import time
from datetime import timedelta
from pathlib import Path

import yaml

from facealign.core import config
from facealign.core.command import run
from facealign.core.errors import FacealignError
from facealign.core.files import sha256
from facealign.experiments import revisions, sweeps, workspace
from facealign.experiments.revisions import git

MODELS = Path("facealign/models")
LOGS = Path(".dvc/tmp/sweep")  # in no one's way: Git ignores it


def main(sweep: Path, *names: Path) -> None:
    wanted = sweeps.named(sweeps.load(sweep), list(map(str, names)), sweep)
    sweeps.check(wanted, config.load_all(), sweep)
    _refuse_missing(wanted, sweep)
    workspace.refuse_changes()
    workspace.interrupt_on_every_end()
    try:
        failed = _run_all(wanted)
    except KeyboardInterrupt:
        raise FacealignError("interrupted; started again, the sweep skips what is done") from None
    finally:
        # the pipeline's products only, never data that stands for itself
        log = LOGS / "checkout.log"
        if not workspace.dvc("checkout", "--force", "--allow-missing", "dvc.yaml", log=log):
            print(f"warning: dvc checkout failed, output in {log}", file=sys.stderr)
    if failed:
        raise FacealignError(f"{len(failed)} of {len(wanted)} failed:\n" + "\n".join(failed))


def _refuse_missing(wanted: dict[str, sweeps.Values], sweep: Path) -> None:
    """What an experiment needs and nobody makes; DVC would say so when its turn comes."""
    for name, values in wanted.items():
        archive = values.get("data.archive")
        if archive and archive not in workspace.outs() and not Path(archive).is_file():
            raise FacealignError(f"{sweep}: {name}: data.archive: no file {archive}")
        init = sweeps.initial_weights(values)
        if init and not init.is_file():
            raise FacealignError(f"{sweep}: {name}: train.init: no file {init}")
        if (arch := values.get("train.arch")) and not (MODELS / f"{arch}.py").is_file():
            valid = sorted(file.stem for file in MODELS.glob("[a-z]*.py"))
            raise FacealignError(
                f"{sweep}: {name}: train.arch: {config.unknown_name('network', arch, valid)}"
            )


def _run_all(wanted: dict[str, sweeps.Values]) -> list[str]:
    """Each experiment, on the same commit; those that failed, with the files of their output."""
    start = git("rev-parse", "HEAD")
    failed = []
    for number, (name, values) in enumerate(wanted.items(), start=1):
        print(f"{number} of {len(wanted)}: {name}", flush=True)
        if there := revisions.newest().get(name):
            _say_why_skipped(there, values)
            continue
        if (changed := workspace.changed()) or git("rev-parse", "HEAD") != start:
            raise FacealignError(
                f"changed since the sweep began: {', '.join(changed) or 'the commit'}; "
                "commit all and start it again, it skips what is done"
            )
        log, begun = LOGS / f"{name}.log", time.monotonic()
        try:
            done = workspace.dvc("exp", "run", "-n", name, *_options(values), log=log)
        finally:
            workspace.put_back()
        clock = timedelta(seconds=round(time.monotonic() - begun))
        print(f"  {'done' if done else 'FAILED'} after {clock}, output in {log}", flush=True)
        if not done:
            failed.append(f"{name}: {log}")
            print(workspace.last_lines(log), flush=True)
    return failed


def _options(values: sweeps.Values) -> list[str]:
    init = sweeps.initial_weights(values)
    if init and "train.init_sha256" not in values:
        # of an earlier experiment's network: on another machine it is another one
        values = values | {"train.init_sha256": sha256(init)}
    return [word for override in sweeps.overrides(values) for word in ("-S", override)]


def _say_why_skipped(there: revisions.Experiment, values: sweeps.Values) -> None:
    params = yaml.safe_load(there.read("params.yaml"))
    others = sweeps.different(values, params)
    note = f", with other values of {', '.join(others)}" if others else ""
    print(
        f"  skipped: there is an experiment of this name (of {there.baseline[:7]}{note}); "
        f"to run it anew: dvc exp remove {there.name}"
    )


if __name__ == "__main__":
    run(main)
