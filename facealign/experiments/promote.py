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
    commit = known[name].commit
    workspace.refuse_changes(but=commit)  # after its own run, the workspace holds the experiment
    paths = workspace.products()
    # not with `dvc exp apply`, which fails if the recognition pipeline was never run
    kept, before = revisions.files(commit, paths), revisions.files("HEAD", paths)
    git("checkout", "-q", commit, "--", *kept)
    # such as the curves of a data set that its archive lacks
    if lacking := sorted(set(before) - set(kept)):
        git("rm", "-q", "--force", "--", *lacking)
    if not git("diff", "--cached", "--name-only"):
        raise ExperimentError(f"{name}: nothing to promote, the last commit has these results")
    checkout = ["dvc", "checkout", "--quiet", "--force", "dvc.yaml"]
    if subprocess.run(checkout, check=False).returncode:
        raise ExperimentError(f"{name}: dvc checkout failed; to go back: {workspace.way_back()}")
    git("commit", "-q", "-m", f"Promote {name}")
    others = git("diff", "-z", "--name-only", commit, "HEAD").decode().split("\0")[:-1]
    if others := [path for path in others if path not in {*kept, *before}]:
        raise ExperimentError(
            f"promoted, but the experiment was run with other versions of {', '.join(others)}; "
            f"compare them: git diff {commit[:7]}"
        )
    print(git("log", "-1", "--stat", "--format=%h %s").decode(), file=sys.stderr)


if __name__ == "__main__":
    run(main)
