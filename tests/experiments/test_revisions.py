import subprocess
from pathlib import Path

import pytest

from facealign.core.errors import ExperimentError
from facealign.experiments import revisions


def commit(folder: Path, day: int, **files: str) -> str:
    """A commit of that day in January with these files and those before."""
    for name, text in files.items():
        path = folder / "plots" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    date = f"2024-01-{day:02}T12:00:00Z"
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    env = {"GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date, "PATH": "/usr/bin:/bin"}
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True, env=env)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def keep(commit: str, baseline: str, name: str) -> None:
    """Make the commit an experiment, as DVC does."""
    revisions.git("update-ref", f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}", commit)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_experiments_files_are_read_from_its_commit(repository: Path) -> None:
    first = commit(repository, 1, a="old")
    second = commit(repository, 2, a="new\r\n", b="ü")
    keep(second, first, "onet-2.1")
    commit(repository, 3, a="newest")
    [found] = revisions.newest().values()
    assert (found.name, found.commit, found.baseline) == ("onet-2.1", second, first)
    assert found.read("plots/a") == b"new\r\n"
    assert (repository / "plots" / "a").read_text(encoding="utf-8") == "newest"
    with pytest.raises(ExperimentError, match=rf"onet-2.1 \({second[:7]}\) has no plots/c in Git"):
        found.read("plots/c")


def test_of_one_name_the_newest_counts(repository: Path) -> None:
    dates = {day: commit(repository, day) for day in (1, 5, 3)}
    keep(dates[5], dates[1], "onet")
    keep(dates[3], dates[5], "onet")
    keep(dates[3], dates[1], "pipnet")
    found = revisions.newest()
    assert {name: one.commit for name, one in found.items()} == {
        "onet": dates[5],
        "pipnet": dates[3],
    }


def test_dvcs_other_references_are_no_experiments(repository: Path) -> None:
    head = commit(repository, 1)
    for name in ("exec/EXEC_HEAD", "stash", "celery/stash", "apply/ORIG"):
        revisions.git("update-ref", f"refs/exps/{name}", head)
    assert revisions.newest() == {}


def test_outside_of_a_repository_git_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ExperimentError, match=r"git for-each-ref.*not a git repository"):
        revisions.newest()


def test_a_run_is_found_as_experiment_branch_or_commit(repository: Path) -> None:
    first = commit(repository, 1, a="old")
    second = commit(repository, 2, a="new")
    keep(first, first, "mine")
    revisions.git("branch", "other", first)
    for name, wanted in (("mine", first), ("other", first), ("HEAD", second), (second[:9], second)):
        assert revisions.find(name).commit == wanted
    for name in ("nothing", "--all", "HEAD:plots"):
        with pytest.raises(ExperimentError, match="is not an experiment, branch, tag or commit"):
            revisions.find(name)


def test_the_workspace_is_read_as_it_lies_there(repository: Path) -> None:
    commit(repository, 1, a="old")
    (repository / "plots" / "a").write_text("changed", encoding="utf-8")
    assert revisions.Workspace().read("plots/a") == b"changed"
    with pytest.raises(ExperimentError, match="plots/b: No such file"):
        revisions.Workspace().fetch("plots/b")
