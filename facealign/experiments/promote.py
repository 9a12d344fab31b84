"""Make an experiment the new state of the branch: its params, figures and products. No stage."""

import subprocess
import sys
from pathlib import Path

from facealign.core.command import run
from facealign.core.config import unknown_name
from facealign.core.errors import FacealignError
from facealign.experiments import revisions, workspace
from facealign.experiments.revisions import git


def main(experiment: Path) -> None:
    name, known = str(experiment), revisions.newest()
    if name not in known:
        raise FacealignError(unknown_name("experiment", name, list(known)))
    workspace.refuse_changes()
    # not by `dvc exp apply`, which fails where another pipeline of the project was never run
    commit, paths = known[name].commit, workspace.products()
    kept = git("ls-tree", "-r", "-z", "--name-only", commit, "--", *paths).decode().split("\0")
    git("checkout", "-q", commit, "--", *kept[:-1])
    checkout = ["dvc", "checkout", "--quiet", "--force", "dvc.yaml"]
    if subprocess.run(checkout, check=False).returncode:
        raise FacealignError(f"{name} was not brought back; the way back: {workspace.way_back()}")
    git("commit", "-q", "-m", f"Promote {name}")
    others = git("diff", "-z", "--name-only", commit, "HEAD").decode().split("\0")[:-1]
    if others := [path for path in others if path not in kept]:
        raise FacealignError(
            f"promoted, but it was run with other files than lie here: {', '.join(others)}; "
            f"look at git diff {commit[:7]}"
        )
    print(git("log", "-1", "--stat", "--format=%h %s").decode(), file=sys.stderr)


if __name__ == "__main__":
    run(main)
