"""The layouts of iBUG's own releases, 300-W and Menpo 2D: pictures with a `.pts` beside each.

The names of folders say which faces are for testing, and which of these are the common and which
the challenging ones of 300-W. Menpo's profiles have 39 points, which `filter` drops.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from facealign.core.errors import ArchiveError
from facealign.data.annotations import read_pts
from facealign.data.layouts.release import Release, Sample, picture_beside, split_of

_300W = re.compile("afw|helen|ibug|lfpw")
_MENPO = re.compile(r"menpo.*(train|test).*", re.IGNORECASE)


def _read(
    folder: Path, parts: re.Pattern[str], sample: Callable[[Path], Sample]
) -> Iterator[Sample]:
    for part in sorted(_folders(folder, parts)):
        for path in sorted(part.rglob("*.pts")):
            if not path.name.startswith("."):
                yield sample(path)


def _folders(folder: Path, parts: re.Pattern[str]) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and parts.fullmatch(path.name)]


def _fits_300w(folder: Path) -> bool:
    """One of these names may be that of another folder."""
    return len(_folders(folder, _300W)) > 1


def _read_300w(folder: Path) -> Iterator[Sample]:
    def sample(path: Path) -> Sample:
        names = path.relative_to(folder).with_suffix("")
        tested = names.parts[0] == "ibug" or "testset" in names.parts
        kinds = ["challenging" if names.parts[0] == "ibug" else "common"] if tested else []
        if not tested and names.parts[0] != "afw" and "trainset" not in names.parts:
            raise ArchiveError(f"{path}: neither in trainset/ nor in testset/, of 300-W")
        return Sample(
            split="test" if tested else "train",
            name=names.as_posix(),
            picture=picture_beside(path),
            points=read_pts(path),
            attributes=kinds,
        )

    return _read(folder, _300W, sample)


def _fits_menpo(folder: Path) -> bool:
    return any(any(part.rglob("*.pts")) for part in _folders(folder, _MENPO))


def _read_menpo(folder: Path) -> Iterator[Sample]:
    has_test = any("test" in part.name.lower() for part in _folders(folder, _MENPO))

    def sample(path: Path) -> Sample:
        names = path.relative_to(folder).with_suffix("")
        split = "test" if "test" in names.parts[0].lower() else "train"
        return Sample(
            split=split if has_test else split_of(names.name),
            name=names.as_posix(),
            picture=picture_beside(path),
            points=read_pts(path),
        )

    return _read(folder, _MENPO, sample)


RELEASES = (
    Release("300W", _300W, _fits_300w, _read_300w),
    Release("Menpo", _MENPO, _fits_menpo, _read_menpo),
)
