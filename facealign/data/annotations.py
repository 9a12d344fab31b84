"""iBUG `.pts` files. They count pixels from 1; every array of the project counts from 0."""

import re
from collections.abc import Collection, Iterator
from decimal import Context, Decimal
from pathlib import Path

import numpy as np

from facealign.core.errors import AnnotationError

# Decimal shifts the origin without rounding, so that points survive any number of round trips
_EXACT = Context(prec=800)
MOST_BYTES = 2**20  # of a file; one of 68 points has about 2,500
_HEADER = re.compile(r"(version|n_points)\s*:\s*(\S+)", re.IGNORECASE)
_COMMENT = re.compile(r"(#|//).*")


def read_pts(path: Path) -> np.ndarray:
    """Points (N, 2), 0-based: as many as the file has, and NaN where it says nan."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise AnnotationError(f"{path}: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise AnnotationError(f"{path}: more than {MOST_BYTES:,} bytes, no file of points")
    text = data.decode("utf-8-sig", errors="replace")
    if "{" in text and "}" not in text.rpartition("{")[2]:
        raise AnnotationError(f"{path}: cut short: no closing brace")
    declared: int | None = None
    points: list[tuple[float, float]] = []
    for number, line in _lines(text):
        header = _HEADER.fullmatch(line)
        if header is None:
            points.append(_point(line, f"{path}:{number}"))
            continue
        name, value = header.group(1).lower(), header.group(2)
        if name == "version" and value not in {"1", "2", "1.0", "2.0"}:
            raise AnnotationError(f"{path}:{number}: version {value[:40]}, expected 1 or 2")
        if name == "n_points":
            if not value.isdecimal() or len(value) > 9:
                raise AnnotationError(
                    f"{path}:{number}: n_points {value[:40]!r}, expected a whole number"
                )
            declared = int(value)
    if declared is not None and declared != len(points):
        raise AnnotationError(f"{path}: {len(points)} points, but n_points says {declared}")
    return np.array(points, dtype=np.float64).reshape(-1, 2)


def format_pts(points: np.ndarray) -> str:
    return pts_text([(_shift(repr(x), 1), _shift(repr(y), 1)) for x, y in points.tolist()])


def pts_text(points: Collection[tuple[str | Decimal, str | Decimal]]) -> str:
    """A file of points that are 1-based already."""
    lines = "".join(f"{x} {y}\n" for x, y in points)
    return f"version: 1\nn_points: {len(points)}\n{{\n{lines}}}\n"


def from_1(number: str) -> float:
    """A 1-based coordinate as a 0-based one; ArithmeticError if it is not a number."""
    return float(_shift(number, -1))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, without comments, braces and blank ones."""
    for number, line in enumerate(text.splitlines(), start=1):
        content = _COMMENT.sub("", line).replace("{", " ").replace("}", " ").strip()
        if content:
            yield number, content


def _point(line: str, where: str) -> tuple[float, float]:
    words = line.split()
    if len(words) != 2:
        raise AnnotationError(f"{where}: {line[:100]!r}, expected a point's two numbers")
    try:
        x, y = map(from_1, words)
    except ArithmeticError:  # not a number, or one out of range
        raise AnnotationError(f"{where}: {line[:100]!r}, expected a point's two numbers") from None
    return x, y


def _shift(number: str, by: int) -> Decimal:
    return _EXACT.add(_EXACT.create_decimal(number), Decimal(by))
