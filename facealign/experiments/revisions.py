"""DVC's experiments as Git keeps them: read from commits and cache, nothing is checked out."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from facealign.core.errors import FacealignError

# DVC keeps other references, of runs in progress, beside those of experiments
_REFERENCE = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/(.+)")


class Source(Protocol):
    """Where a run's files can be had: a commit, or the workspace."""

    @property
    def name(self) -> str: ...

    @property
    def what(self) -> str:
        """The commit that the name stands for, in words; nothing if there is none."""
        ...

    def read(self, path: str) -> bytes:
        """A file that Git keeps."""
        ...

    def fetch(self, path: str) -> bytes:
        """A file that DVC keeps, from its cache or remote."""
        ...


@dataclass(frozen=True)
class Revision:
    """A commit, under the name by which it is spoken of."""

    name: str
    commit: str

    @property
    def what(self) -> str:
        return f"{self.name} is {self.commit[:7]}"

    def read(self, path: str) -> bytes:
        try:
            return git("cat-file", "blob", f"{self.commit}:{path}")
        except FacealignError:
            raise FacealignError(f"{self.name} ({self.commit[:7]}) has no {path} in Git") from None

    def copy(self, path: str, target: Path) -> None:
        """What DVC keeps, a file or a whole folder, to `target`."""
        import dvc.api
        from dvc.exceptions import DvcException

        try:
            dvc.api.DVCFileSystem(rev=self.commit).get(path, str(target), recursive=True)
        except (DvcException, OSError) as error:
            raise FacealignError(f"{self.name} ({self.commit[:7]}): no {path}: {error}") from None

    def fetch(self, path: str) -> bytes:
        import dvc.api  # takes a second to import
        from dvc.exceptions import DvcException

        try:
            return dvc.api.read(path, rev=self.commit, mode="rb")
        except (DvcException, OSError) as error:
            raise FacealignError(f"{self.name} ({self.commit[:7]}): no {path}: {error}") from None


@dataclass(frozen=True)
class Experiment(Revision):
    baseline: str  # the commit that it was run on


@dataclass(frozen=True)
class Workspace:
    """The files as they lie there."""

    name: str = "workspace"
    what: str = ""

    def read(self, path: str) -> bytes:
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise FacealignError(f"{path}: {error.strerror}") from None

    fetch = read


def find(name: str) -> Revision:
    """An experiment, or whatever Git knows by this name."""
    if experiment := newest().get(name):
        return experiment
    try:
        commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except FacealignError:
        raise FacealignError(f"{name!r} names no experiment, branch, tag or commit") from None
    return Revision(name, commit.decode().strip())


def newest() -> dict[str, Experiment]:
    """All experiments by name; of those with one name, on several commits, the newest."""
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


def git(*arguments: str) -> bytes:
    """What a Git command printed."""
    done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise FacealignError(f"git {' '.join(arguments)}: {said}")
    return done.stdout
