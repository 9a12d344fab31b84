"""Labels that a person corrects one by one, and the patch that holds every change at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from facealign.core import images
from facealign.core.errors import AnnotationError, InputError
from facealign.core.faces import Faces
from facealign.core.files import is_utf8
from facealign.core.geometry import FARTHEST
from facealign.core.text import printable
from facealign.data import patches
from facealign.labels.faces import image_name


@dataclass(frozen=True, eq=False)
class Item:
    """An image whose label is to be looked at."""

    image: str  # its path below the folder of images
    note: str = ""  # why it should be
    expected: np.ndarray | None = None  # (K, 2), what networks make of it


@dataclass(frozen=True, eq=False)
class Label:
    points: np.ndarray  # (K, 2), as they are now
    original: np.ndarray  # before this patch


@dataclass(eq=False)
class Edits:
    """The labels of `items`, and the patch `out` with those that were changed. Threads may share
    it."""

    root: Path
    items: Sequence[Item]
    out: Path
    present: Sequence[Path] = ()  # the patches that apply before
    _changed: dict[str, np.ndarray] = field(init=False)
    _lock: Lock = field(init=False, default_factory=Lock)

    def __post_init__(self) -> None:
        if self.out.resolve() in {path.resolve() for path in self.present}:
            raise InputError(f"{self.out}: --out has its changes without --patch: leave that out")
        self._patched = patches.read(self.present)
        self._stamp = _stamp(self.out)
        earlier = patches.read([self.out]) if self._stamp else {}
        patches.require_images(earlier, [], {}, self.root)
        self._changed = {image: one.points for image, one in earlier.items()}

    @property
    def count(self) -> int:
        """How many labels the patch has."""
        return len(self._changed)

    def changed(self) -> list[int]:
        """The numbers of the items that the patch has."""
        return [number for number, item in enumerate(self.items) if item.image in self._changed]

    def label(self, number: int) -> Label:
        image = self.items[number].image
        original = patches.present(self.root, image, self._patched)
        missing = ~np.isfinite(original).all(axis=1)
        if missing.any():
            raise AnnotationError(
                f"{self.root / image}: point {missing.argmax() + 1} is not labelled, expected all"
            )
        points = self._changed.get(image, original)
        if len(points) != len(original):
            raise AnnotationError(
                f"{self.out}: {image}: {len(points)} points, expected {len(original)}"
            )
        return Label(points, original)

    def picture(self, number: int) -> np.ndarray:
        return images.read(self.root / self.items[number].image)

    def change(self, number: int, given: Any) -> bool:
        """Write these points into the patch, or take the label out of it if they are the original
        ones; whether the label is changed."""
        image = self.items[number].image
        with self._lock:
            original = self.label(number).original
            points = _points(given, len(original))
            changed = {one: its for one, its in self._changed.items() if one != image}
            if differs := not np.array_equal(points, original):
                changed[image] = points
            self._write(changed, image)
            return differs

    def _write(self, changed: dict[str, np.ndarray], image: str) -> None:
        if len({len(its) for its in changed.values()}) > 1:
            raise InputError(
                f"{self.out}: {image} has {len(changed[image])} points, its other labels have "
                "another number: correct it with another --out"
            )
        if _stamp(self.out) != self._stamp:
            raise InputError(f"{self.out} was changed by another program: start again")
        if changed:
            patches.write(self.out, changed)
        else:
            self.out.unlink(missing_ok=True)
        self._changed, self._stamp = changed, _stamp(self.out)


def in_folder(root: Path) -> list[Item]:
    """Every image with a `.pts` beside it."""
    labelled = {path.with_suffix("") for path in root.rglob("*") if path.suffix.lower() == ".pts"}
    found = [path for path in images.find_pictures(root) if path.with_suffix("") in labelled]
    if not found:
        raise InputError(f"{root}: no image with a .pts of the same name")
    names = [path.relative_to(root).as_posix() for path in found]
    if strange := [name for name in names if not is_utf8(name)]:
        raise InputError(f"{root}: {strange[0]!r}: a name that is not UTF-8: rename the file")
    return [Item(name) for name in names]


def in_table(suspects: Path, root: Path) -> list[Item]:
    """The faces of a table of the stage `suspects`, in its order."""
    ranked = Faces.read(suspects, "score")
    if not len(ranked):
        raise InputError(f"{suspects}: no ranked face; name networks in suspects.networks")
    names = _checked(ranked.images, suspects, root, first=2)
    rows = zip(names, ranked["kind"], ranked["score"], ranked.points, strict=True)
    return [
        Item(name, f"{printable(kind)}, score {score:.1f}", expected)
        for name, kind, score, expected in rows
    ]


def in_list(names: Path, root: Path) -> list[Item]:
    """The images that a text file names, one a line."""
    try:
        lines = names.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{names}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{names}: not UTF-8") from None
    found = _checked(lines, names, root, first=1)
    if not found:
        raise InputError(f"{names}: empty, expected an image a line")
    return [Item(name) for name in dict.fromkeys(found)]


def _checked(given: Iterable[str], path: Path, root: Path, first: int) -> list[str]:
    """Names of images that are there; none leads out of the folder."""
    names = []
    for line, text in enumerate(given, start=first):
        name = image_name(text, f"{path}:{line}")
        if not (root / name).is_file():
            raise InputError(f"{path}:{line}: no image {name[:200]!r} in {root}")
        names.append(name)
    return names


def _points(given: Any, count: int) -> np.ndarray:
    try:
        points = np.array(given, np.float64)
    except (TypeError, ValueError, OverflowError):
        points = np.empty(0)
    if points.shape != (count, 2) or not (np.abs(points) <= FARTHEST).all():
        raise AnnotationError(f"expected {count} points of two numbers within {FARTHEST:,.0f}")
    return points


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What tells whether a file is still the one that was read or written; None without one."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
