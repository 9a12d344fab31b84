"""Patches of labels: tables of corrected points, which the stage `filter` takes instead of those in
`.pts` files."""

from __future__ import annotations

import glob
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facealign.core import tables
from facealign.core.errors import AnnotationError
from facealign.core.geometry import FARTHEST
from facealign.core.images import find_pictures
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
    own = [path for path in beside if path.stem == picture.stem and path.suffix.lower() == ".pts"]
    return read_pts(own[0] if own else picture.with_suffix(".pts"))


def require_images(
    patched: Mapping[str, Patched],
    labelled: Collection[str],
    dropped: Mapping[str, str],
    root: Path,
) -> None:
    """Refuse images that have no label to correct: not `labelled`, and `dropped` for a reason or
    nowhere below `root`. Images of data sets that are not used are neither labelled nor dropped."""
    others = [image for image in patched if image not in labelled]
    pictures = {path.relative_to(root).as_posix() for path in find_pictures(root)} if others else ()
    for image in others:
        where = f"{patched[image].where}: "
        if image not in pictures:
            raise AnnotationError(f"{where}no image {image[:200]!r} in {root}")
        if image in dropped:
            raise AnnotationError(f"{where}{image!r} has no label to correct: {dropped[image]}")


def require_count(patched: Patched, count: int) -> None:
    """Refuse another number of points than the image's own."""
    if len(patched.points) != count:
        raise AnnotationError(
            f"{patched.where}: {len(patched.points)} points, expected {count} as in the .pts"
        )


def _read(path: Path) -> dict[str, Patched]:
    table = tables.read(path)
    found: dict[str, Patched] = {}
    rows = zip(table[KEY], table.points(), strict=True)
    for line, (image, points) in enumerate(rows, start=table.first):
        where = f"{path}:{line}"
        if image in found:
            raise AnnotationError(
                f"{where}: the image {image[:200]!r} is in {found[image].where}, too"
            )
        if (np.abs(points) > FARTHEST).any():
            raise AnnotationError(f"{where}: a point beyond {FARTHEST:,.0f} pixels, far outside")
        found[image] = Patched(points, where)
    return found
