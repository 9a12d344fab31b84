"""Promoting experiments with real dvc, in a small project."""

from tests.experiments.small import Small


def promote(small: Small, name: str, fails: bool = False) -> str:
    return small.run("python", "-m", "facealign.experiments.promote", name, fails=fails)


def test_promoting_removes_what_the_experiment_lacks_and_works_once(small: Small) -> None:
    small.run("git", "checkout", "-q", "-b", "promoted")
    small.run("dvc", "exp", "run", "-n", "alone", "-S", "data.datasets=[300W]")
    assert not (small.folder / "plots/ced/Menpo.csv").exists()
    notes = small.folder / "notes.md"
    notes.write_text("mine", encoding="utf-8")
    assert "error: uncommitted changes: notes.md; commit" in promote(small, "alone", fails=True)
    notes.write_text("as committed", encoding="utf-8")
    said = promote(small, "alone")
    assert "Promote alone" in said and "plots/ced/Menpo.csv" in said
    assert [path.name for path in (small.folder / "plots/ced").iterdir()] == ["300W.csv"]
    assert small.run("git", "status", "--porcelain") == ""
    assert "up to date" in small.run("dvc", "status")
    before = small.state()
    assert promote(small, "alone", fails=True) == (
        "error: alone: nothing to promote, the last commit has these results\n"
    )
    assert small.state() == before

    # from another commit
    small.run("git", "checkout", "-q", "-b", "other", "main")
    small.run("dvc", "checkout", "-q", "-f")
    assert (small.folder / "plots/ced/Menpo.csv").is_file()
    assert "plots/ced/Menpo.csv" in promote(small, "alone")
    assert small.state() == before
    small.run("git", "checkout", "-q", "-f", "main")
    small.run("dvc", "checkout", "-q", "-f")
