"""Patches of labels: tables of corrected points, which the stage `filter` takes instead of those in
`.pts` files."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facealign.core import tables
from facealign.core.errors import AnnotationError
from facealign.core.tables import KEY
from facealign.data.annotations import read_pts


@dataclass(frozen=True, eq=False)
class Patched:
    """The corrected points (K, 2) of an image, and the file and line that give them."""

    points: np.ndarray
    where: str


def read(paths: Sequence[Path]) -> dict[str, Patched]:
    """By image; of several files that name an image, the last counts."""
    patched: dict[str, Patched] = {}
    for path in paths:
        patched |= _read(path)
    return patched


def write(path: Path, points: Mapping[str, np.ndarray]) -> None:
    """Sorted by image; all images have as many points. Numbers read back to the same bits."""
    images = sorted(points)
    tables.write(path, {KEY: images}, np.array([points[image] for image in images], np.float64))


def present(root: Path, image: str, patched: Mapping[str, Patched]) -> np.ndarray:
    """The points of an image as they are now: of the patches, or of its `.pts`."""
    if image in patched:
        return patched[image].points
    picture = root / image
    beside = sorted(picture.parent.glob(f"{glob.escape(picture.stem)}.*"))
    named = [path for path in beside if path.suffix.lower() == ".pts"]
    return read_pts(named[0] if named else picture.with_suffix(".pts"))


def require_images(patched: Mapping[str, Patched], known: Sequence[str], root: Path) -> None:
    """Refuse images that are neither among the `known` ones nor anywhere below `root`."""
    used = set(known)
    for image, one in patched.items():
        if image not in used and not (root / image).is_file():
            raise AnnotationError(f"{one.where}: no image {image[:200]!r} in {root}")


def require_count(patched: Patched, count: int) -> None:
    """Refuse another number of points than the image's own."""
    if len(patched.points) != count:
        raise AnnotationError(
            f"{patched.where}: {len(patched.points)} points, expected {count} as in the .pts"
        )


def _read(path: Path) -> dict[str, Patched]:
    table = tables.read(path)
    found: dict[str, Patched] = {}
    for line, (image, points) in enumerate(
        zip(table[KEY], table.points(), strict=True), start=table.first
    ):
        if image in found:
            raise AnnotationError(
                f"{path}:{line}: the image {image[:200]!r} is in {found[image].where}, too"
            )
        found[image] = Patched(points, f"{path}:{line}")
    return found
