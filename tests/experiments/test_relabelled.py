"""The review's section on old and new test labels, of runs with different patches."""

from pathlib import Path

import numpy as np
import pytest

from facealign.core import config, tables
from facealign.core.points import select
from facealign.evaluation.scoring import Ced
from facealign.experiments import comparison, review
from facealign.experiments.revisions import Workspace
from tests.experiments.test_review import CED, NAMES, Stored, compared, lines, spread, stored
from tests.helpers import PARAMS, Project

PATCH = "data/patches/a.csv"
SIDES = {"left": 0.0, "top": 0.0, "right": 180.0, "bottom": 180.0}


def run_of(
    folder: Path, name: str, patch: bytes, labels: np.ndarray, predicted: np.ndarray
) -> Stored:
    """A run on these labels, in boxes of 180 pixels; with no patch if it is empty."""
    named = f"[{PATCH}]" if patch else "[]"
    its = stored(folder, name, spread(), params=f"data: {{patches: {named}}}")
    boxes: dict[str, tables.Column] = {side: [at] * len(NAMES) for side, at in SIDES.items()}
    for path, columns, points in (
        ("data/boxes.csv", boxes, None),
        ("data/index.csv", {}, labels),
        ("data/predicted.csv", {}, predicted),
    ):
        tables.write(folder / "table.csv", {"image": NAMES} | columns, points)
        its.files[path] = (folder / "table.csv").read_bytes()
    if patch:
        its.files[PATCH] = patch
    return its


@pytest.fixture
def old(face: np.ndarray) -> np.ndarray:
    return np.repeat(face[None] + 90, len(NAMES), axis=0)


@pytest.fixture
def new(old: np.ndarray) -> np.ndarray:
    """Twelve of them differ, by a twentieth of the box."""
    moved = old.copy()
    moved[:12] += (9, 0)
    return moved


def section(base: Stored, head: Stored) -> str:
    return "\n".join(review._labels(compared(base, head), base, head, CED))


def test_networks_are_compared_on_old_and_on_new_test_labels(
    tmp_path: Path, old: np.ndarray, new: np.ndarray
) -> None:
    """The network of the head is as good on the new labels as that of the base on the old ones."""
    base = run_of(tmp_path, "main", b"", old, old + (3, 0))
    head = run_of(tmp_path, "mine", b"moved", new, new + (3, 0))
    text = review.write(compared(base, head), base, head, tmp_path / "out", CED)
    assert "12 of the 35 test images have other labels in mine than in main." in text
    found = text.split("## Old and new test labels")[1].split("## Parameters")[0]
    on_old, on_new = found.split("Labels of ")[1:]
    good = f"{1 - 3 / 180 / 0.08:.4f}"
    wanted = 1 - (23 * 3 + 12 * 12) / 35 / 180 / 0.08
    assert f"**significantly worse**. AUC@0.08 {good} → {wanted:.4f}" in on_old
    wanted = 1 - (23 * 3 + 12 * 6) / 35 / 180 / 0.08
    assert f"**significantly better**. AUC@0.08 {wanted:.4f} → {good}" in on_new
    assert len(lines(found, "| ytf ")) == 2
    del base.files["data/index.csv"]
    assert section(base, head).endswith("They cannot be compared: main has no data/index.csv")


def test_only_other_patches_make_a_section(
    tmp_path: Path, old: np.ndarray, new: np.ndarray
) -> None:
    first = run_of(tmp_path, "main", b"moved", old, old)
    assert not section(first, run_of(tmp_path, "mine", b"moved", new, old))
    assert "12 of the 35" in section(first, run_of(tmp_path, "mine", b"edited", new, old))
    said = section(first, run_of(tmp_path, "mine", b"train faces only", old, old))
    assert said.endswith("The labels of the 35 test images are the same in mine as in main.")


def test_both_networks_are_measured_on_the_same_points(
    tmp_path: Path, old: np.ndarray, new: np.ndarray
) -> None:
    """Without the five points in common, the network of 68 would be measured on its own."""
    base = run_of(tmp_path, "main", b"", old, old + (3, 0))
    head = run_of(tmp_path, "mine", b"moved", new, select(new, 5) + (3, 0))
    wanted = 1 - (23 * 3 + 12 * 6) / 35 / 180 / 0.08
    assert f"AUC@0.08 {wanted:.4f} → {1 - 3 / 180 / 0.08:.4f}" in section(base, head)
    jaw = new.copy()
    jaw[:, :17] += (9, 0)  # not of the five points
    head = run_of(tmp_path, "mine", b"jaw", jaw, select(new, 5) + (3, 0))
    on_new = section(base, head).split("Labels of mine.")[1]
    assert f"AUC@0.08 {wanted:.4f} → {1 - 3 / 180 / 0.08:.4f}" in on_new


@pytest.mark.slow
def test_the_files_come_from_git_and_dvc(
    tmp_path: Path, old: np.ndarray, new: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a commit and of the workspace, as `make review BASE=first HEAD=workspace` reads them."""
    repository = Project(tmp_path / "repository")
    repository.folder.mkdir()
    repository.run("git", "init", "-q")
    repository.name_committer()
    repository.run("dvc", "init", "-q")
    monkeypatch.chdir(repository.folder)

    def put(run: Stored) -> None:
        for name, data in run.files.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        ced = PARAMS.read_text(encoding="utf-8").partition("\nced:")[2].partition("\nreport:")[0]
        with Path("params.yaml").open("a", encoding="utf-8") as file:
            file.write(f"\nced:{ced}\n")

    put(run_of(tmp_path, "first", b"", old, old + (3, 0)))
    repository.run("dvc", "add", "data/boxes.csv", "data/index.csv", "data/predicted.csv")
    repository.commit("first")
    repository.run("git", "tag", "first")
    put(run_of(tmp_path, "second", b"moved", new, new + (3, 0)))
    review.main(Path("first"), Path(Workspace().name), Path("out"))
    text = Path("out", review.PAGE).read_text(encoding="utf-8")
    assert "12 of the 35 test images have other labels in workspace than in first." in text
    assert lines(text, "Labels of first. On all data sets (35 images): **significantly worse**.")
    assert lines(text, "Labels of workspace. On all data sets (35 images): **significantly better")

    repository.run("dvc", "add", "data/boxes.csv", "data/index.csv", "data/predicted.csv")
    repository.commit("second")
    repository.run("git", "tag", "second")
    first, second, ced = *map(review._source, ("first", "second")), config.load("ced", Ced)
    both = comparison.compare(comparison.load(first), comparison.load(second), ced)
    again = "\n".join(review._labels(both, first, second, ced))
    assert again.replace("second", "workspace") in text
