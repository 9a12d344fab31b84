"""The layout of COFW: two .mat files with pictures and 29 points each.

Of a face there are 29 x, 29 y and whether each point is hidden, which a `.pts` file cannot say. The
points are MATLAB's and count pixels from 1. The boxes in the files are not needed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import images
from facealign.core.errors import ArchiveError, DependencyError, FacealignError, ImageError
from facealign.core.schemes.published import COFW
from facealign.data.layouts.release import Release, Sample, matrix

FILES = {  # split -> file, its pictures, its points
    "train": ("COFW_train_color.mat", "IsTr", "phisTr"),
    "test": ("COFW_test_color.mat", "IsT", "phisT"),
}
_ROWS = 3 * COFW.count
MOST_NUMBERS = 3 * 10**8  # of an array; a picture of 100 million pixels has so many


def fits(folder: Path) -> bool:
    return any((folder / name).is_file() for name, _, _ in FILES.values())


def read(folder: Path) -> Iterator[Sample]:
    for split, (name, pictures, points) in FILES.items():
        path = folder / name
        if not path.is_file():
            raise ArchiveError(f"{folder}: no file {name}, of COFW")
        with _opened(path) as file:
            cells = _variable(file, pictures, path).ravel()
            shape = (_ROWS, len(cells))
            table = matrix(_variable(file, points, path), f"{path}: {points}", shape)
            for number, cell in enumerate(cells):
                yield Sample(
                    split=split,
                    name=f"{number + 1:04}",
                    picture=_picture(file[cell], f"{path}: {pictures}, picture {number + 1}"),
                    points=table[: 2 * COFW.count, number].reshape(2, -1).T - 1,
                )


def _picture(data: Any, where: str) -> np.ndarray:
    """HDF5 has MATLAB's axes in reverse: (channels, width, height), or (width, height) if grey."""
    try:
        return images.as_rgb(_array(data, where).T)
    except ImageError as error:
        raise ArchiveError(f"{where}: {error}") from None


def _array(data: Any, where: str) -> np.ndarray:
    if data.external or data.is_virtual:
        raise ArchiveError(f"{where}: its numbers are in another file")
    if math.prod(data.shape) > MOST_NUMBERS:  # a few bytes of a file can say so
        raise ArchiveError(f"{where}: an array of shape {data.shape}, at most {MOST_NUMBERS:,}")
    return np.asarray(data)


def _variable(file: Any, name: str, path: Path) -> np.ndarray:
    from h5py import HardLink

    if not isinstance(file.get(name, getlink=True), HardLink):  # it may lead to another file
        raise ArchiveError(f"{path}: no variable {name}")
    return _array(file[name], f"{path}: {name}")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import h5py
    except ModuleNotFoundError:
        raise DependencyError(f"{path}: to read it, pip install '.[datasets]' in a clone") from None
    try:
        with h5py.File(path, "r") as file:
            yield file
    except FacealignError:
        raise
    except Exception as error:  # a damaged file makes h5py raise almost anything
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ArchiveError(f"{path}: not a .mat file of version 7.3: {reason}") from None


RELEASE = Release("COFW", re.compile(r"COFW_\w+\.mat"), fits, read)
