"""Landmarks of many pictures, read from and written to files."""

from __future__ import annotations

import csv
import errno
import itertools
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from facealign.core import images, tables
from facealign.core.errors import ConfigError, ImageError, InputError
from facealign.core.faces import Face
from facealign.core.files import atomic_write
from facealign.core.geometry import CORNERS
from facealign.core.parallel import map_in_order
from facealign.core.points import COUNT
from facealign.data.annotations import format_pts
from facealign.faces import alignment
from facealign.faces.drawing import draw
from facealign.inference.aligner import Aligner, as_dict
from facealign.inference.listing import Source, find_pictures

TABLE = "landmarks.csv"
_POSE = ("yaw", "pitch", "roll")
# of files whose names are too long with their suffix, or not allowed in that file system
_BAD_NAME = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)


@dataclass(frozen=True)
class Result:
    """The faces of a picture, or the error of one that cannot be read."""

    path: Path | str  # or a URL
    width: int = 0
    height: int = 0
    faces: tuple[Face, ...] = ()
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "image": str(self.path),
            "width": self.width,
            "height": self.height,
            "faces": [as_dict(face) for face in self.faces],
        }


@dataclass
class Summary:
    """Counts of a command's results, for its last line and its exit status."""

    pictures: int = 0
    faces: int = 0
    empty: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.pictures += 1
        self.faces += len(result.faces)
        if result.error:
            self.errors.append(result.error)
        elif not result.faces:
            self.empty.append(str(result.path))

    def report(self) -> int:
        """Print it to the standard error; the exit status."""
        for message in self.errors:
            print(f"error: {message}", file=sys.stderr)
        if self.empty:
            print(f"no face found in {', '.join(self.empty)}", file=sys.stderr)
        print(
            f"{self.pictures} {'image' if self.pictures == 1 else 'images'}, "
            f"{self.faces} {'face' if self.faces == 1 else 'faces'}, "
            f"{len(self.errors)} failed",
            file=sys.stderr,
        )
        return 1 if self.errors else 0


Write = Callable[[Source, np.ndarray, Result], None]


def predict(
    paths: Sequence[str], form: str, out: Path | None, overlay: bool, aligner: Aligner
) -> int:
    """Run `facealign predict`; the exit status. `form` is json, pts or csv."""
    table_file = _table_file(form, out, aligner.network.count)
    if (out is None or out == table_file) and (overlay or form == "pts"):
        option = "--overlay" if overlay else "--format pts"
        raise ConfigError(f"{option} writes files: name their folder with --out DIR")
    sources = find_pictures(paths, out)
    write = None
    if out is not None and out != table_file:
        sources = _named_apart(sources)
        write = partial(_write_results, out, form, overlay)
    summary = Summary()
    count = aligner.network.count
    with _open_table(table_file, count) if form == "csv" else nullcontext() as table:
        for result in predict_all(sources, aligner, write):
            summary.add(result)
            if table is not None:
                table.writerows(rows(result, count))
            elif out is None and not result.error:
                print(json.dumps(result.as_dict()), flush=True)
    return summary.report()


def align(paths: Sequence[str], count: int, size: int, out: Path, aligner: Aligner) -> int:
    """Run `facealign align`: crops of the faces aligned by `count` points; the exit status."""
    sources = _named_apart(find_pictures(paths, out))
    summary = Summary()
    for result in predict_all(sources, aligner, partial(_write_crops, out, count, size)):
        summary.add(result)
    return summary.report()


def _named_apart(sources: Sequence[Source]) -> list[Source]:
    """The pictures, each with the names that its further faces must not take."""
    first: dict[str, Source] = {}
    for source in (source for source in sources if not source.error):
        other = first.setdefault(str(source.name.with_suffix("")), source)
        if other.path != source.path:
            raise ConfigError(
                f"{other.path} and {source.path} would have results of the same name; run the "
                "command twice, with patterns such as 'DIR/*.png' and another --out each"
            )
    taken: dict[Path, set[int]] = {}
    for name in first:
        numbered = re.fullmatch(r"(.+)_([1-9][0-9]*)", name)
        if numbered and numbered[1] in first:
            taken.setdefault(first[numbered[1]].path, set()).add(int(numbered[2]))
    return [
        replace(source, taken=frozenset(taken[source.path])) if source.path in taken else source
        for source in sources
    ]


def predict_all(
    sources: Sequence[Source],
    aligner: Aligner,
    write: Write | None = None,
    processes: int | None = None,
) -> Iterator[Result]:
    """The faces of each picture in order; `write` saves the files of one picture."""
    return map_in_order(partial(_predict, aligner, write), sources, "faces", processes)


def _predict(aligner: Aligner, write: Write | None, source: Source) -> Result:
    """One picture, in a worker process."""
    if source.error:
        return Result(source.path, error=source.error)
    try:
        image = images.read(source.path)
    except ImageError as error:
        return Result(source.path, error=str(error))
    faces = aligner.predict(image)
    result = Result(source.path, image.shape[1], image.shape[0], tuple(faces))
    try:
        if write is not None:
            write(source, image, result)
    except OSError as error:
        if error.errno not in _BAD_NAME:
            raise
        return Result(source.path, error=f"{error.filename}: {error.strerror}")
    except InputError as error:  # points that cannot be aligned
        return Result(source.path, error=f"{source.path}: {error}")
    return result


def _write_results(
    out: Path, form: str, overlay: bool, source: Source, image: np.ndarray, result: Result
) -> None:
    files = _result_files(out, source)
    if form == "json":
        _save(next(files), ".json", f"{json.dumps(result.as_dict())}\n".encode())
    if form == "pts":
        for file, face in zip(files, result.faces, strict=False):
            _save(file, ".pts", format_pts(face.points).encode())
    if overlay:
        drawn = images.encode(".jpg", draw(image, result.faces))
        _save(next(_result_files(out, source)), ".jpg", drawn)


def _write_crops(
    out: Path, count: int, size: int, source: Source, image: np.ndarray, result: Result
) -> None:
    for file, face in zip(_result_files(out, source), result.faces, strict=False):
        crop = alignment.align(image, face.points, count, size)
        _save(file, ".png", images.encode(".png", crop))


def _result_files(out: Path, source: Source) -> Iterator[Path]:
    """Without suffix: NAME for the first face, as in data sets, NAME_2 for the second, and so on.

    A number is left out if another picture has that name.
    """
    first = out / source.name.with_suffix("")
    yield first
    for number in itertools.count(2):
        if number not in source.taken:
            yield first.with_name(f"{first.name}_{number}")


def _save(file: Path, suffix: str, data: bytes) -> None:
    """Write a result, but never change a file: it may be the user's or another picture's."""
    path = file.with_name(file.name + suffix)
    if os.path.lexists(path):
        if path.is_file() and path.read_bytes() == data:
            return
        raise ConfigError(
            f"{path} would be overwritten: it is there already, with other contents; name another "
            "folder with --out"
        )
    with atomic_write(path) as part:
        part.write_bytes(data)


def _table_file(form: str, out: Path | None, count: int) -> Path | None:
    """The file of --format csv: `out` itself if it ends in .csv. It may replace a table only."""
    if out is None:
        return None
    if form != "csv":
        if out.suffix.lower() == ".csv":
            raise ConfigError(f"--out {out} names a table: add --format csv")
        return None
    path = out if out.suffix.lower() == ".csv" else out / TABLE
    if path.is_dir():
        raise ConfigError(f"{path} is a folder, expected a file")
    if path.exists():
        with path.open("rb") as file:
            if file.readline().strip() != ",".join(columns(count)).encode():
                raise ConfigError(
                    f"{path} would be overwritten: it is not a table of `facealign predict`"
                )
    return path


@contextmanager
def _open_table(path: Path | None, count: int) -> Iterator[Any]:
    """A CSV writer to a file, or to the standard output; the finished rows are never lost."""
    if path is None:
        yield begin_table(sys.stdout, count)
        return
    incomplete = path.with_name(f"{path.stem}.incomplete.csv")
    with atomic_write(path) as part:
        try:
            # a file name that is not UTF-8 holds surrogates
            with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                yield begin_table(file, count)
        except BaseException:
            part.replace(incomplete)
            print(f"stopped: the finished rows are in {incomplete}", file=sys.stderr)
            raise
    incomplete.unlink(missing_ok=True)


def begin_table(file: TextIO, count: int) -> Any:
    """A CSV writer that has written the header."""
    table = csv.writer(file, lineterminator="\n")
    table.writerow(columns(count))
    return table


def columns(count: int) -> tuple[str, ...]:
    """Of the table of a network of `count` points."""
    wide = _wide(count)
    points, scores = tables.point_columns(wide), tables.score_columns(wide)
    return ("image", "face", *CORNERS, "score", *_POSE, *points, *scores)


def rows(result: Result, count: int) -> Iterator[list[Any]]:
    """A row for each face; a network of five points or without scores leaves columns empty."""
    wide = _wide(count)
    for number, face in enumerate(result.faces, start=1):
        values = as_dict(face)
        points = [coordinate for point in values["points"] for coordinate in point]
        pose = values["pose"] or dict.fromkeys(_POSE, "")
        scores = values["scores"] or []
        score = "" if values["score"] is None else values["score"]
        yield [
            *(result.path, number, *values["box"], score, *pose.values()),
            *(points + [""] * (2 * wide - len(points))),
            *(scores + [""] * (wide - len(scores))),
        ]


def _wide(count: int) -> int:
    """For how many points a table has columns; those of 68 hold the five, too."""
    return COUNT if count == 5 else count
