"""A map from one scheme of points to another that was learnt from faces labelled in both, and its
file: JSON, which people can read, Git can compare and nothing can run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from facealign.core import config
from facealign.core.config import Count, Range
from facealign.core.errors import ConfigError, InputError
from facealign.core.files import read_json, require_new, write_text
from facealign.core.geometry import FARTHEST, fitted_similarity
from facealign.labels.faces import MOST_POINTS

DIGITS = 6  # of the map's numbers; the faces it is learnt from have a size of 1
ALIKE = 0.5  # how much a face's shape must be like the reference: 1 is a similar one
KEY = "map"  # what errors call the whole file

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Side:
    """A scheme of points."""

    points: Annotated[int, Range(2, MOST_POINTS)]
    name: str

    def __str__(self) -> str:
        return f"{self.points} points ({self.name})"


@dataclass(frozen=True)
class _File:
    learnt_map: Literal[1]  # the version of the format
    source: Side
    target: Side
    faces: Count
    mirrored: bool
    strength: float
    held_out_nme: float
    reference: Rows
    expected: Rows
    slopes: Rows


@dataclass(frozen=True, eq=False)
class LearntMap:
    """Turned, scaled and shifted to lie on `reference`, a face of the first scheme is expected to
    have the points `expected` of the second one, and more by `slopes` the more it differs."""

    source: Side
    target: Side
    faces: int  # that it was learnt from
    mirrored: bool  # whether also from their mirror images
    strength: float  # of the ridge
    held_out_nme: float  # on faces that it was not learnt from; docs/how-to/labels.md
    reference: np.ndarray  # (K, 2)
    expected: np.ndarray  # (M, 2)
    slopes: np.ndarray  # (2 K, 2 M)

    def __call__(self, points: np.ndarray) -> np.ndarray | None:
        """(K, 2) -> (M, 2); None for points that are no face like those it was learnt from."""
        try:
            frame = fitted_similarity(points, self.reference)
        except InputError:  # they coincide
            return None
        shape = frame(points)
        if np.linalg.norm(shape - shape.mean(axis=0)) <= ALIKE * np.linalg.norm(self.reference):
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            moved = (shape - self.reference).ravel() @ self.slopes
            found = frame.inverse()(self.expected + moved.reshape(-1, 2))
        return found if (np.abs(found) <= FARTHEST).all() else None


def save(learnt: LearntMap, path: Path) -> None:
    """A file that is there is never changed."""
    require_new(path)
    parts = {"learnt_map": 1} | {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in (asdict(learnt) | {"slopes": learnt.slopes.T}).items()
    }
    write_text(path, _text(parts))


def load(path: Path) -> LearntMap:
    try:
        said = config.convert(read_json(path), _File, KEY, path)
    except ConfigError as error:
        raise InputError(str(error)) from None
    count, wanted = said.source.points, said.target.points
    slopes = _rows(said.slopes, (2 * wanted, 2 * count), f"{path}: {KEY}.slopes")
    return LearntMap(
        *(said.source, said.target, said.faces, said.mirrored, said.strength, said.held_out_nme),
        _rows(said.reference, (count, 2), f"{path}: {KEY}.reference"),
        _rows(said.expected, (wanted, 2), f"{path}: {KEY}.expected"),
        np.ascontiguousarray(slopes.T),  # as learnt, so that sums have the same bits
    )


def _rows(rows: Rows, shape: tuple[int, int], where: str) -> np.ndarray:
    lengths = {len(row) for row in rows}
    if (len(rows), lengths) != (shape[0], {shape[1]}):
        raise InputError(f"{where}: expected {shape[0]} rows of {shape[1]} numbers")
    array = np.array(rows)
    if np.abs(array).max() > FARTHEST:
        raise InputError(f"{where}: a number beyond {FARTHEST:,.0f}")
    return array


def _text(parts: Mapping[str, Any]) -> str:
    """JSON with a line for each row of numbers."""
    lines = []
    for name, value in parts.items():
        if isinstance(value, list):
            rows = ",\n  ".join(json.dumps(row) for row in value)
            text = f"[\n  {rows}\n ]"
        else:
            text = json.dumps(value, ensure_ascii=False)
        lines.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
