"""CSV files, most with a row for each picture. Numbers read back to the same bits."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from facealign.core.errors import InputError
from facealign.core.files import atomic_write
from facealign.core.text import printable

KEY = "image"  # names the picture of a row: its path, DATASET/SPLIT/FILE
BLOCK = 2_000  # rows that are text at a time: as text they take ten times the memory of numbers
_POINT = re.compile(r"[xy](0|[1-9]\d{0,2})")  # the columns of points

Column = Sequence[str] | Sequence[int] | Sequence[float] | np.ndarray


def dataset_and_split(image: str) -> tuple[str, str]:
    dataset, *folders = image.split("/")
    if not folders:
        raise InputError(f"{image[:100]!r}: expected a path DATASET/SPLIT/FILE")
    return dataset, folders[0]


@dataclass(frozen=True)
class Table:
    path: Path
    columns: dict[str, list[str]]
    first: int = 2  # the line of the first row

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> list[str]:
        if name not in self.columns:
            columns = printable(", ".join(self.columns)[:300])
            raise InputError(f"{self.path}: no column {name!r}, has {columns}")
        return self.columns[name]

    def numbers(self, *names: str) -> np.ndarray:
        """Float64 array (rows, names) of finite numbers."""
        columns = [self[name] for name in names]
        try:
            array = np.array(columns, dtype=np.float64).T.copy()
            if np.isfinite(array).all():
                return array
        except ValueError:
            pass
        number, name, cell = next(
            (number, name, cell)
            for name, column in zip(names, columns, strict=True)
            for number, cell in enumerate(column, start=self.first)
            if not _is_number(cell)
        )
        raise InputError(f"{self.path}:{number}: {name} is {cell[:40]!r}, expected a number")

    def points(self) -> np.ndarray:
        """Float64 array (rows, K, 2), of as many points as the table has columns for."""
        count = max(1, self.point_count)
        return self.numbers(*point_columns(count)).reshape(len(self), count, 2)

    @property
    def point_count(self) -> int:
        """By the last column of a point; others may be missing, which is found when read."""
        found = (_POINT.fullmatch(name) for name in self.columns)
        return max((int(match[1]) + 1 for match in found if match), default=0)


def point_columns(count: int) -> tuple[str, ...]:
    return tuple(f"{axis}{i}" for i in range(count) for axis in "xy")


def score_columns(count: int) -> tuple[str, ...]:
    return tuple(f"score{i}" for i in range(count))


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def read(path: Path) -> Table:
    try:
        return parse(path.read_bytes(), path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def read_blocks(path: Path) -> Iterator[Table]:
    """The rows of a table that may be longer than memory holds as text; at least one block."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from _blocks(file, path, BLOCK)
    except UnicodeDecodeError:
        read(path)  # names the line
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def parse(data: bytes, path: Path) -> Table:
    """A table from the bytes of a file; `path` names it in errors."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}:{number}: not UTF-8") from None
    [table] = _blocks(io.StringIO(text, newline=""), path, None)
    return table


def _blocks(lines: Iterable[str], path: Path, size: int | None) -> Iterator[Table]:
    """Of `size` rows each, or all in one."""
    reader = csv.reader(lines)
    number = 2
    try:
        names = next(reader, [])
        if not names:
            raise InputError(f"{path}: empty, expected a line of column names")
        if repeated := [name for name, count in Counter(names).items() if count > 1]:
            raise InputError(f"{path}:1: two columns {repeated[0][:40]!r}")
        while (rows := list(islice(reader, size))) or number == 2:
            for line, row in enumerate(rows, start=number):
                if len(row) != len(names):
                    raise InputError(f"{path}:{line}: {len(row)} cells, expected {len(names)}")
            columns = zip(*rows, strict=True) if rows else ([] for _ in names)
            yield Table(path, dict(zip(names, map(list, columns), strict=True)), number)
            if not rows:
                return
            number += len(rows)
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: not a table: {error}") from None


def write_rows(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with (
        atomic_write(path) as part,
        part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(names)
        lines.writerows(rows)


def write(path: Path, columns: Mapping[str, Column], points: np.ndarray | None = None) -> None:
    """Write the columns in their order, then the points (rows, K, 2), if any."""
    cells = dict(columns)
    if points is not None:
        names = point_columns(points.shape[1])
        assert not cells.keys() & set(names)
        flat = points.reshape(len(points), len(names))
        cells |= dict(zip(names, flat.T, strict=True))
    write_rows(path, tuple(cells), _rows(tuple(cells.values())))


def _rows(columns: Sequence[Column]) -> Iterator[tuple[object, ...]]:
    for start in range(0, max(map(len, columns), default=0), BLOCK):
        yield from zip(*(_cells(one[start : start + BLOCK]) for one in columns), strict=True)


def stack(points: Sequence[np.ndarray], count: int = 68) -> np.ndarray:
    """The points of faces as one array (N, count, 2), which may be empty."""
    return np.array(points, dtype=np.float64).reshape(-1, count, 2)


def _cells(column: Column) -> Sequence[object]:
    # Python's own numbers print in the shortest form that reads back to the same value
    return column.tolist() if isinstance(column, np.ndarray) else column
