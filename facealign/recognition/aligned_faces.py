"""The selected faces as crops, aligned by none, two, three or five points, in one array."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from facealign.core import tables
from facealign.core.config import Range
from facealign.core.errors import InputError
from facealign.core.geometry import CORNERS, Affine, Box, crop_map, possible
from facealign.core.tables import Table
from facealign.faces import alignment, cropping
from facealign.faces.cropping import Stats
from facealign.recognition.recipe import TRAIN

NONE = "none"  # no alignment: the crop is dlib's rectangle
CHOICES = (NONE, *map(str, alignment.CHOICES))

# Widens dlib's rectangle so that the eyes are as far apart as in aligned crops: on the 1,761 faces
# of 300-W the median distance of the eyes is 0.419 of the rectangle's side.
_MARGIN = (0.419 / alignment.EYES_APART - 1) / 2


@dataclass(frozen=True)
class Align:
    """The section `recognition.align` of params.yaml."""

    side: Annotated[int, Range(32, 512)]
    context: Annotated[float, Range(0, 1)]


@dataclass(frozen=True, eq=False)
class Aligned:
    images: list[str]
    people: np.ndarray  # (N,), of text
    roles: np.ndarray  # (N,), of text
    pixels: np.ndarray  # (N, side, side, 3) uint8, memory-mapped, with a rim
    stats: Stats

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """The network's inputs of these rows: the crops without their rim."""
        inner = slice(self.stats.border, self.stats.border + self.stats.size)
        return np.asarray(self.pixels[rows][:, inner, inner])

    def rows(self, role: str) -> np.ndarray:
        return np.flatnonzero(self.roles == role)


def to_input(box: Box, five: np.ndarray, points: str, size: int) -> Affine:
    """The map from the picture to the recogniser's input; `five` are the face's five points."""
    if points == NONE:
        return crop_map(box, _MARGIN, size)
    return alignment.to_template(five, int(points), size)


def write(root: Path, people: Table, points: str, config: Align, target: Path) -> None:
    """Cut the crops of the table that the stage `identities` writes, into the folder `target`."""
    names, roles = people[tables.KEY], people["role"]
    corners = people.numbers(*CORNERS)
    if not possible(corners).all():
        raise InputError(f"{people.path}: a box without width or height, or far outside")
    maps = [
        to_input(Box(*corner), five, points, config.side)
        for corner, five in zip(corners.tolist(), people.points(), strict=True)
    ]
    border = round(config.context * config.side)
    learnt = [role == TRAIN for role in roles]
    places = list(zip(names, maps, strict=True))
    cropping.store(root, places, learnt, config.side, 0.0, border, target)
    columns = {name: people[name] for name in (tables.KEY, "person", "role")}
    tables.write(target / cropping.INDEX, columns)


def load(folder: Path) -> Aligned:
    pixels, stats = cropping.load_store(folder)
    index = tables.read(folder / cropping.INDEX)
    people, roles = (np.array(index[name], dtype=object) for name in ("person", "role"))
    return Aligned(index[tables.KEY], people, roles, pixels, stats)
