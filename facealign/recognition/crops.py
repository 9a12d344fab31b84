"""Crops of the chosen pictures, aligned by none, two, three or five points, in one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from facealign.core import tables
from facealign.core.config import Range
from facealign.core.geometry import CORNERS, Affine, Box, crop_map
from facealign.faces import alignment, cropping
from facealign.faces.cropping import Stats
from facealign.recognition.recipe import TRAIN

NONE = "none"  # no alignment: dlib's rectangle
CHOICES = (NONE, *map(str, alignment.CHOICES))

# Widens dlib's rectangle so that the eyes are as far apart as in aligned crops: on 300-W's faces
# (1,761) their distance is 0.419 of the rectangle's side (median).
_MARGIN = (0.419 / alignment.EYES_APART - 1) / 2


@dataclass(frozen=True)
class Align:
    """The section `recognition.align` of params.yaml."""

    side: Annotated[int, Range(32, 512)]
    context: Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class Person:
    """A picture of somebody, and what it is for."""

    image: str
    person: str
    role: str
    box: Box
    points: np.ndarray  # (5, 2)


@dataclass(frozen=True)
class Aligned:
    images: list[str]
    people: np.ndarray  # (N,), of text
    roles: np.ndarray  # (N,), of text
    pixels: np.ndarray  # (N, side, side, 3) uint8, memory-mapped, with a rim
    stats: Stats

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """The crops of these rows as a network sees them, without the rim."""
        inner = slice(self.stats.border, self.stats.border + self.stats.size)
        return np.asarray(self.pixels[rows][:, inner, inner])

    def rows(self, role: str) -> np.ndarray:
        return np.flatnonzero(self.roles == role)


def to_input(box: Box, five: np.ndarray, points: str, size: int) -> Affine:
    """Picture -> input of the recogniser, aligned by so many points."""
    if points == NONE:
        return crop_map(box, _MARGIN, size)
    return alignment.to_template(five, int(points), size)


def make(root: Path, people: Sequence[Person], points: str, config: Align, target: Path) -> None:
    """Write them into the folder `target`."""
    places = [(one.image, to_input(one.box, one.points, points, config.side)) for one in people]
    learnt = [one.role == TRAIN for one in people]
    border = round(config.context * config.side)
    cropping.store(root, places, learnt, config.side, 0.0, border, target)
    columns: dict[str, tables.Column] = {
        tables.KEY: [one.image for one in people],
        "person": [one.person for one in people],
        "role": [one.role for one in people],
    }
    tables.write(target / cropping.INDEX, columns)


def load(folder: Path) -> Aligned:
    pixels, stats = cropping.load_store(folder)
    index = tables.read(folder / cropping.INDEX)
    people, roles = (np.array(index[name], dtype=object) for name in ("person", "role"))
    return Aligned(index[tables.KEY], people, roles, pixels, stats)


def read_people(path: Path) -> list[Person]:
    """The table that the stage `identities` writes."""
    table = tables.read(path)
    corners = table.numbers(*CORNERS).tolist()
    return [
        Person(image, person, role, Box(*box), points)
        for image, person, role, box, points in zip(
            table[tables.KEY], table["person"], table["role"], corners, table.points(), strict=True
        )
    ]
