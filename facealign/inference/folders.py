"""Landmarks of many pictures, read from and written to files."""

from __future__ import annotations

import csv
import glob
import json
import sys
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from facealign.core import images, tables
from facealign.core.errors import ConfigError, ImageError
from facealign.core.faces import Face
from facealign.core.files import atomic_write, write_text
from facealign.core.geometry import CORNERS
from facealign.core.parallel import map_in_order
from facealign.core.points import COUNT
from facealign.data.annotations import format_pts
from facealign.faces import alignment
from facealign.faces.drawing import draw
from facealign.inference.aligner import Aligner, as_dict

TABLE = "landmarks.csv"
_POSE = ("yaw", "pitch", "roll")


@dataclass(frozen=True)
class Source:
    """A picture file, or the error of a path that leads to none."""

    path: Path
    name: Path  # of its results: the path below the folder that was given
    error: str = ""


@dataclass(frozen=True)
class Result:
    """The faces of a picture, or the error of one that cannot be read."""

    path: Path
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
            f"{self.pictures} {'picture' if self.pictures == 1 else 'pictures'}, "
            f"{self.faces} {'face' if self.faces == 1 else 'faces'}, "
            f"{len(self.errors)} unreadable",
            file=sys.stderr,
        )
        return 1 if self.errors else 0


Write = Callable[[Source, np.ndarray, Result], None]


def predict(
    paths: Sequence[str], form: str, out: Path | None, overlay: bool, aligner: Aligner
) -> int:
    """Run `facealign predict`; the exit status. `form` is json, pts or csv."""
    if out is None and (overlay or form == "pts"):
        option = "--overlay" if overlay else "--format pts"
        raise ConfigError(f"{option} writes files: name their folder with --out DIR")
    sources = find_pictures(paths)
    write = None
    if out is not None:
        suffixes = ({".jpg"} if overlay else set()) | ({".pts"} if form == "pts" else set())
        _refuse_clashes(sources, out, suffixes)
        write = partial(_write_results, out, form, overlay)
    summary = Summary()
    with _open_table(out) if form == "csv" else nullcontext() as table:
        for result in predict_all(sources, aligner, write):
            summary.add(result)
            if table is not None:
                table.writerows(_rows(result))
            elif out is None and not result.error:
                print(json.dumps(result.as_dict(), ensure_ascii=False), flush=True)
    return summary.report()


def align(paths: Sequence[str], count: int, size: int, out: Path, aligner: Aligner) -> int:
    """Run `facealign align`: crops of the faces aligned by `count` points; the exit status."""
    sources = find_pictures(paths)
    _refuse_clashes(sources, out, {".png"})
    summary = Summary()
    for result in predict_all(sources, aligner, partial(_write_crops, out, count, size)):
        summary.add(result)
    return summary.report()


def find_pictures(paths: Sequence[str]) -> list[Source]:
    """The pictures of files, folders (recursively) and glob patterns."""
    found: dict[Path, Source] = {}
    for text in paths:
        path = Path(text)
        pattern = sorted(glob.glob(text, recursive=True))  # noqa: PTH207  # it may be absolute
        matches = [path] if path.exists() else [Path(match) for match in pattern]
        if not matches:
            found[path] = Source(path, path, f"{text}: no such file or folder")
        for match in matches:
            inside = pictures_below(match) if match.is_dir() else [Source(match, Path(match.name))]
            if not inside:
                suffixes = ", ".join(sorted(images.SUFFIXES))
                found[match] = Source(
                    match, match, f"{match}: no picture in this folder ({suffixes})"
                )
            for source in inside:
                found.setdefault(source.path, source)
    return list(found.values())


def pictures_below(folder: Path) -> list[Source]:
    return [Source(path, path.relative_to(folder)) for path in images.find_pictures(folder)]


def _refuse_clashes(sources: Sequence[Source], out: Path, suffixes: Set[str]) -> None:
    """No result may overwrite another one, a picture or the points beside it."""
    first: dict[Path, Path] = {}
    for source in (source for source in sources if not source.error):
        other = first.setdefault(source.name.with_suffix(""), source.path)
        if other != source.path:
            raise ConfigError(
                f"{other} and {source.path} would have results of the same name; run the command "
                "twice, with patterns such as 'DIR/*.png' and another --out each"
            )
        for suffix in sorted(suffixes):
            result = _result_file(out, source, suffix)
            beside = source.path.parent.resolve() == result.parent.resolve()
            if beside and result.exists():
                raise ConfigError(
                    f"{result} would be overwritten: --out is the folder of the pictures; name "
                    "another folder"
                )


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
    if write is not None:
        write(source, image, result)
    return result


def _write_results(
    out: Path, form: str, overlay: bool, source: Source, image: np.ndarray, result: Result
) -> None:
    if form == "json":
        write_text(_result_file(out, source, ".json"), f"{json.dumps(result.as_dict())}\n")
    if form == "pts":
        for number, face in enumerate(result.faces, start=1):
            write_text(_result_file(out, source, ".pts", number), format_pts(face.points))
    if overlay:
        images.write(_result_file(out, source, ".jpg"), draw(image, result.faces))


def _write_crops(
    out: Path, count: int, size: int, source: Source, image: np.ndarray, result: Result
) -> None:
    for number, face in enumerate(result.faces, start=1):
        crop = alignment.align(image, face.points, count, size)
        images.write(_result_file(out, source, ".png", number), crop)


def _result_file(out: Path, source: Source, suffix: str, number: int = 1) -> Path:
    """NAME for the first face, as in data sets, NAME_2 for the second, and so on."""
    base = out / source.name.with_suffix("")
    return base.with_name(f"{base.name}{'' if number == 1 else f'_{number}'}{suffix}")


@contextmanager
def _open_table(folder: Path | None) -> Iterator[Any]:
    """A CSV writer to a file in the folder, or to the standard output."""
    if folder is None:
        yield _table(sys.stdout)
        return
    with atomic_write(folder / TABLE) as part, part.open("w", encoding="utf-8", newline="") as file:
        yield _table(file)


def _table(file: TextIO) -> Any:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(
        ["image", "face", *CORNERS, *_POSE, *tables.POINT_COLUMNS, *tables.SCORE_COLUMNS]
    )
    return table


def _rows(result: Result) -> Iterator[list[Any]]:
    """A row for each face; a network of five points or without scores leaves columns empty."""
    for number, face in enumerate(result.faces, start=1):
        values = as_dict(face)
        points = [coordinate for point in values["points"] for coordinate in point]
        pose = values["pose"] or dict.fromkeys(_POSE, "")
        scores = values["scores"] or []
        yield [
            *(result.path, number, *values["box"], *pose.values()),
            *(points + [""] * (2 * COUNT - len(points))),
            *(scores + [""] * (COUNT - len(scores))),
        ]
