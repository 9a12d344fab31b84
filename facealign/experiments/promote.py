"""Commit an experiment's params, figures and lock files to the branch: `make promote EXP=name`."""

import subprocess
import sys
from pathlib import Path

from facealign.core.command import run
from facealign.core.config import unknown_name
from facealign.core.errors import ExperimentError
from facealign.experiments import revisions, workspace
from facealign.experiments.revisions import git


def main(experiment: Path) -> None:
    name, known = str(experiment), revisions.newest()
    if name not in known:
        raise ExperimentError(unknown_name("experiment", name, list(known)))
    workspace.refuse_changes()
    # not with `dvc exp apply`, which fails if the recognition pipeline was never run
    commit, paths = known[name].commit, workspace.products()
    kept = git("ls-tree", "-r", "-z", "--name-only", commit, "--", *paths).decode().split("\0")
    git("checkout", "-q", commit, "--", *kept[:-1])
    checkout = ["dvc", "checkout", "--quiet", "--force", "dvc.yaml"]
    if subprocess.run(checkout, check=False).returncode:
        raise ExperimentError(f"{name}: dvc checkout failed; to go back: {workspace.way_back()}")
    git("commit", "-q", "-m", f"Promote {name}")
    others = git("diff", "-z", "--name-only", commit, "HEAD").decode().split("\0")[:-1]
    if others := [path for path in others if path not in kept]:
        raise ExperimentError(
            f"promoted, but the experiment was run with other versions of {', '.join(others)}; "
            f"compare them: git diff {commit[:7]}"
        )
    print(git("log", "-1", "--stat", "--format=%h %s").decode(), file=sys.stderr)


if __name__ == "__main__":
    run(main)
