"""Make an experiment the new state of the branch: its params, figures and products. No stage."""

import subprocess
import sys
from pathlib import Path

from facealign import experiments, workspace
from facealign.config import unknown_name
from facealign.errors import FacealignError
from facealign.experiments import git
from stages import run


def main(experiment: Path) -> None:
    name, known = str(experiment), experiments.newest()
    if name not in known:
        raise FacealignError(unknown_name("experiment", name, list(known)))
    workspace.refuse_changes()
    done = subprocess.run(
        ["dvc", "exp", "apply", name], capture_output=True, text=True, check=False
    )
    if done.returncode and not _applied(known[name].commit):
        sys.stderr.write(done.stderr)
        raise FacealignError(f"{name} was not applied; the way back: {workspace.way_back()}")
    git("add", "--", *(path for path in workspace.products() if Path(path).exists()))
    git("commit", "-q", "-m", f"Promote {name}")
    if others := workspace.changed():  # it was run on another commit, with other code
        raise FacealignError(
            f"promoted, but its commit has these otherwise: {', '.join(others)}; look at git diff, "
            "then commit them or git checkout them"
        )
    print(git("log", "-1", "--stat", "--format=%h %s").decode(), file=sys.stderr)


def _applied(revision: str) -> bool:
    """Whether all but products that are nowhere were brought back: DVC calls it a failure if those
    of the other pipeline are missing because it was never run here."""
    same = ["git", "diff", "--quiet", revision, "--", "params.yaml", "dvc.lock"]
    checkout = ["dvc", "checkout", "--quiet", "--force", "dvc.yaml"]
    return not any(subprocess.run(command, check=False).returncode for command in (same, checkout))


if __name__ == "__main__":
    run(main)
