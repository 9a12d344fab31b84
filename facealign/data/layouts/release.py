"""A published data set as its authors release it: how it is recognised, and its faces."""

from __future__ import annotations

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from facealign.core import images
from facealign.core.errors import ArchiveError
from facealign.core.files import in_fold
from facealign.data import attributes
from facealign.data.annotations import format_pts

_TEST = 0.1  # share of the faces for the test split, where none is published


@dataclass(frozen=True, eq=False)
class Sample:
    """A face of a data set; each has a picture of its own, even if several are on one."""

    split: str  # train or test
    name: str  # of its picture in the split, without a suffix; folders may be in front
    picture: Path | np.ndarray  # a file, or RGB pixels
    points: np.ndarray | None = None  # (K, 2), counted from 0
    attributes: Sequence[str] = ()
    suffix: str = ".png"  # of the file that pixels are written to


@dataclass(frozen=True)
class Release:
    name: str  # of the data set, where it has no folder of its own
    parts: re.Pattern[str]  # the names of its files and folders, where they have no folder around
    fits: Callable[[Path], bool]  # whether a folder holds it
    read: Callable[[Path], Iterator[Sample]]

    def arrange(self, folder: Path, target: Path) -> None:
        """Make it `target`: SPLIT/PICTURE with a `.pts` beside each, and the attributes in a table.

        The pictures' files are linked where that is possible, and copied elsewhere.
        """
        said: defaultdict[str, dict[str, Sequence[str]]] = defaultdict(dict)
        for sample in self.read(folder):
            picture = target / sample.split / f"{sample.name}{_suffix(sample)}"
            picture.parent.mkdir(parents=True, exist_ok=True)
            if picture.exists():
                raise ArchiveError(f"{folder}: two faces would be {sample.split}/{sample.name}")
            if isinstance(sample.picture, np.ndarray):
                images.write(picture, sample.picture)
            else:
                _link(sample.picture, picture)
            if sample.points is not None:
                beside = picture.with_name(f"{PurePosixPath(sample.name).name}.pts")
                beside.write_text(format_pts(sample.points), encoding="utf-8", newline="\n")
            name = picture.relative_to(target / sample.split).as_posix()
            said[sample.split][name] = sample.attributes
        if not said:
            raise ArchiveError(f"{folder}: no picture of {self.name}")
        for split, its in said.items():
            if any(its.values()):
                attributes.write(target / split, its)


def split_of(name: str) -> str:
    """A split for a data set without a published one: a tenth of the names is for testing."""
    return "test" if in_fold(name, _TEST) else "train"


def find(folder: Path, name: str) -> Path:
    """The only file of this name in the folder or below."""
    match sorted(path for path in folder.rglob(name) if path.is_file()):
        case [path]:
            return path
        case [one, other, *_]:
            raise ArchiveError(f"{one} and {other}: expected one of them")
    raise ArchiveError(f"{folder}: no file {name}")


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines that are not blank, each after the place that errors name."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield f"{path}:{number}", line


def numbers(words: Sequence[str], count: int, where: str) -> np.ndarray:
    """So many finite numbers."""
    if len(words) != count:
        raise ArchiveError(f"{where}: {len(words)} numbers, expected {count}")
    values = []
    for word in words:
        try:
            values.append(float(word))
        except ValueError:
            raise ArchiveError(f"{where}: {word[:40]!r}, expected a number") from None
    if not np.isfinite(values).all():
        raise ArchiveError(f"{where}: expected finite numbers")
    return np.array(values)


def matrix(array: np.ndarray, where: str, shape: tuple[int, int]) -> np.ndarray:
    """Finite numbers of this shape."""
    if array.dtype.kind not in "fiu" or array.shape != shape:
        said = f"{array.dtype} of shape {array.shape}"
        raise ArchiveError(f"{where}: {said}, expected numbers of shape {shape}")
    if not np.isfinite(array).all():
        raise ArchiveError(f"{where}: expected finite numbers")
    return array.astype(np.float64)


def picture_in(folder: Path, name: str, where: str) -> Path:
    """The picture that a list names by its path in the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise ArchiveError(f"{where}: {name[:100]!r}, expected the path of a picture")
    if not images.is_picture(folder / path) or not (folder / path).is_file():
        raise ArchiveError(f"{where}: no picture {name[:100]!r} in {folder}")
    return folder / path


def picture_beside(points: Path) -> Path:
    """The picture of the same name as a file of points."""
    return picture_of(points.with_suffix(""), points)


def picture_of(stem: Path, points: Path) -> Path:
    """The picture of this name, whatever its suffix, to which a file of points belongs."""
    for suffix in sorted(images.SUFFIXES):
        if (path := stem.with_name(stem.name + suffix)).is_file():
            return path
    raise ArchiveError(f"{points}: no picture {stem.name} in {stem.parent}")


def points_in(path: Path, count: int, headed: bool = False) -> np.ndarray:
    """A file with a line for each point, after one with their number if it is `headed`."""
    found = []
    for where, line in lines(path):
        if headed:
            if line.split() != [str(count)]:
                raise ArchiveError(
                    f"{where}: {line[:40]!r}, expected the number of points, {count}"
                )
            headed = False
        else:
            found.append(numbers(line.split(), 2, where))
    if len(found) != count:
        raise ArchiveError(f"{path}: {len(found)} points, expected {count}")
    return np.array(found)


def _suffix(sample: Sample) -> str:
    return sample.picture.suffix if isinstance(sample.picture, Path) else sample.suffix


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)
