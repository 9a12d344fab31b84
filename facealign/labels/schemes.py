"""Labelled faces converted to another scheme of points: by its fixed map or by a learnt one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from facealign.core.errors import InputError
from facealign.core.points import can_become, scheme_of, select
from facealign.labels.faces import LabelledFace, Labels, listed
from facealign.labels.learnt_map import LearntMap

# A face with the other points, or None if it has no such; the counter gets what is left out
Change = Callable[[LabelledFace, "Counter[str]"], LabelledFace | None]


def changed(labels: Labels, change: Change, path: Path) -> Labels:
    """The faces that can be converted: at least one."""
    left_out = labels.left_out.copy()
    found = [change(face, left_out) for face in labels.faces]
    kept = [face for face in found if face is not None]
    if not kept:
        raise InputError(f"{path}: no face that can be converted{listed(left_out)}")
    return Labels(kept, +left_out)


def by_fixed_map(count: int) -> Change:
    """To the scheme of `count` points; a point is hidden if one is that it is made of."""
    scheme_of(count)  # or an error

    def change(face: LabelledFace, left_out: Counter[str]) -> LabelledFace | None:
        own = len(face.points)
        if own == count:
            return face
        if not can_become(own, count):
            left_out[f"faces of {own} points, which do not convert to {count}"] += 1
            return None
        points = select(face.points, count)
        made_of = scheme_of(own).maps[count]
        hidden = np.array([face.hidden[list(row)].any() for row in made_of])
        return replace(face, points=points, hidden=hidden & ~np.isnan(points[:, 0]), names=None)

    return change


def by_learnt_map(learnt: LearntMap) -> Change:
    def change(face: LabelledFace, left_out: Counter[str]) -> LabelledFace | None:
        if len(face.points) != learnt.source.points:
            left_out[f"faces of {len(face.points)} points, not {learnt.source.points}"] += 1
            return None
        if np.isnan(face.points).any():
            left_out["faces with some points only"] += 1
            return None
        points = learnt(face.points)
        if points is None:
            left_out["faces unlike those that the map was learnt from"] += 1
            return None
        if face.hidden.any():
            left_out["marks of hidden points, which a learnt map cannot convert"] += int(
                face.hidden.sum()
            )
        return replace(face, points=points, hidden=np.zeros(len(points), bool), names=None)

    return change
