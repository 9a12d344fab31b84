"""What a data set says of its faces beside their points: `attributes.csv` in a folder of pictures.

A row names a picture below that folder and its attributes, joined by ";". Figures are given for the
faces of each attribute, so a published subset, such as the challenging one, is one, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from facealign.core import tables

FILE = "attributes.csv"
COLUMN = "attributes"  # of the table, and of `Faces`
_JOINT = ";"


def write(folder: Path, attributes: Mapping[str, Iterable[str]]) -> None:
    """The attributes of each picture, which is named by its path below the folder."""
    cells = [_JOINT.join(its) for its in attributes.values()]
    tables.write(folder / FILE, {tables.KEY: [*attributes], COLUMN: cells})


def read(folder: Path) -> dict[Path, str]:
    """The cell of each picture in the tables of the folder and of those below."""
    found: dict[Path, str] = {}
    for path in sorted(folder.rglob(FILE)):
        table = tables.read(path)
        pictures = [path.parent / name for name in table[tables.KEY]]
        found |= dict(zip(pictures, table[COLUMN], strict=True))
    return found


def members(cells: Sequence[str] | np.ndarray) -> dict[str, np.ndarray]:
    """Which faces have each attribute, by its name."""
    each = [set(cell.split(_JOINT)) - {""} for cell in cells]
    names = sorted(set().union(*each))
    return {name: np.array([name in its for its in each], dtype=bool) for name in names}
