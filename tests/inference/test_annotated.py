"""Which points of annotated pictures are measured."""

from pathlib import Path

import numpy as np
import pytest

from facealign.core.images import write
from facealign.data.annotations import format_pts
from facealign.inference import annotated
from tests.helpers import as_wflw


@pytest.mark.parametrize(
    ("wide", "count", "lost"), [(1, 68, {"39 points"}), (3, 98, {"39 points", "68 points"})]
)
def test_faces_are_measured_in_the_scheme_of_most_of_them(
    tmp_path: Path, face: np.ndarray, wide: int, count: int, lost: set[str]
) -> None:
    for number, points in enumerate([face, face, *[as_wflw(face)] * wide, face[:39]]):
        write(tmp_path / f"{number}.png", np.zeros((9, 9, 3), np.uint8))
        (tmp_path / f"{number}.pts").write_text(format_pts(points), encoding="utf-8")
    known, dropped = annotated.known_faces(tmp_path, None)
    assert known.points.shape == (3, count, 2)
    assert {reason.split(": ")[1] for reason in dropped} == {
        f"{what}, expected {count}" for what in lost
    }
