"""Runs as Git and DVC store them, read from commits and the cache without a checkout."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from facealign.core.errors import ExperimentError

# beside experiments, DVC keeps references to runs in progress
_REFERENCE = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/(.+)")


class Source(Protocol):
    """Where the files of a run are read from: a commit, or the workspace."""

    @property
    def name(self) -> str: ...

    @property
    def what(self) -> str:
        """Which commit the name stands for, as text; empty for the workspace."""
        ...

    def read(self, path: str) -> bytes:
        """A file that Git tracks."""
        ...

    def fetch(self, path: str) -> bytes:
        """A file that DVC tracks, from its cache or remote."""
        ...


@dataclass(frozen=True)
class Revision:
    """A commit and the name it was asked for by."""

    name: str
    commit: str

    @property
    def what(self) -> str:
        return f"{self.name} is {self.commit[:7]}"

    def read(self, path: str) -> bytes:
        try:
            return git("cat-file", "blob", f"{self.commit}:{path}")
        except ExperimentError:
            raise ExperimentError(f"{self.name} ({self.commit[:7]}) has no {path} in Git") from None

    def copy(self, path: str, target: Path) -> None:
        """Copy a file or a whole folder that DVC tracks to `target`, which a file replaces."""
        import dvc.api
        from dvc.exceptions import DvcException

        target.unlink(missing_ok=True)  # where DVC links files, it keeps one that is there
        try:
            dvc.api.DVCFileSystem(rev=self.commit).get(path, str(target), recursive=True)
        except (DvcException, OSError) as error:
            raise ExperimentError(f"{self.name} ({self.commit[:7]}): no {path}: {error}") from None

    def fetch(self, path: str) -> bytes:
        import dvc.api  # takes a second
        from dvc.exceptions import DvcException

        try:
            return dvc.api.read(path, rev=self.commit, mode="rb")
        except (DvcException, OSError) as error:
            raise ExperimentError(f"{self.name} ({self.commit[:7]}): no {path}: {error}") from None


@dataclass(frozen=True)
class Experiment(Revision):
    baseline: str  # the commit that it was run on top of


@dataclass(frozen=True)
class Workspace:
    """The files of the working directory."""

    name: str = "workspace"
    what: str = ""

    def read(self, path: str) -> bytes:
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise ExperimentError(f"{path}: {error.strerror}") from None

    fetch = read


def find(name: str) -> Revision:
    """An experiment, branch, tag or commit of this name."""
    if experiment := newest().get(name):
        return experiment
    try:
        commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except ExperimentError:
        raise ExperimentError(f"{name!r} is not an experiment, branch, tag or commit") from None
    return Revision(name, commit.decode().strip())


def newest() -> dict[str, Experiment]:
    """All experiments by name; if several commits have one of the same name, the newest."""
    listed = git(
        "for-each-ref", "--sort=committerdate", "--format=%(objectname) %(refname)", "refs/exps"
    )
    found = {}
    for line in listed.decode().splitlines():
        commit, reference = line.split(" ", 1)
        if match := _REFERENCE.fullmatch(reference):
            first, rest, name = match.groups()
            found[name] = Experiment(name, commit, first + rest)
    return found


def files(commit: str, paths: Sequence[str]) -> list[str]:
    """The files of a commit at or below these paths."""
    listed = git("ls-tree", "-r", "-z", "--name-only", commit, "--", *paths)
    return listed.decode().split("\0")[:-1]


def git(*arguments: str) -> bytes:
    """The output of a Git command."""
    done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip()
        raise ExperimentError(f"git {' '.join(arguments)}: {message}")
    return done.stdout
