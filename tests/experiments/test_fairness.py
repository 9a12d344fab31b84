from pathlib import Path

import numpy as np
import pytest

from facealign.core.points import COUNT
from facealign.experiments import fairness
from facealign.synthesis.pictures import plan_pictures, render, sitter


def test_each_person_is_in_one_group_of_each_kind(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fairness, "PICTURES", 24)
    fairness.main(Path("small"))
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert "small AUC@0.08" in head
    counts: dict[str, int] = {}
    for row in rows:
        subject, _, images, *_ = (cell.strip() for cell in row.strip("|").split("|"))
        counts[subject] = counts.get(subject, 0) + int(images)
    assert set(counts) == {"skin", "age", "sex"}
    assert len(set(counts.values())) == 1 and 15 < counts["skin"] <= 24


def test_the_sitter_is_the_person_in_the_picture() -> None:
    plan = next(
        plan for plan in plan_pictures(24, 7) if plan.kind == "plain" and plan.point_count == COUNT
    )
    _, points = render(plan)
    person = sitter(plan)
    # the pose, the shape and the expression of the same person: only the camera is missing
    turned = person.controls[:COUNT] @ person.turn().T
    seen, known = (side[17:] - side[17:].mean(axis=0) for side in (points, turned[:, :2]))
    fit = np.linalg.lstsq(known, seen, rcond=None)[0]
    assert np.abs(known @ fit - seen).max() < 0.05 * np.ptp(seen[:, 0])
