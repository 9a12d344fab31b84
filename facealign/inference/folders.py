"""Landmarks of many pictures, read from and written to files."""

from __future__ import annotations

import csv
import glob
import json
import sys
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from facealign.core import images, tables
from facealign.core.errors import FacealignError
from facealign.core.faces import Face
from facealign.core.files import atomic_write, write_text
from facealign.core.geometry import CORNERS
from facealign.core.parallel import map_in_order
from facealign.core.points import COUNT
from facealign.data.annotations import format_pts
from facealign.faces import alignment, drawing
from facealign.inference.aligner import Aligner, Network, as_dict, find_model

POINT, BOX = (60, 220, 60), (255, 200, 40)
TABLE = "landmarks.csv"
_POSE = ("yaw", "pitch", "roll")


@dataclass(frozen=True)
class Source:
    """A picture, and what its results are called: its path below the folder that was given."""

    path: Path
    name: Path
    error: str = ""  # why there is no picture there


@dataclass(frozen=True)
class Seen:
    """What was found in a picture, or why it could not be read."""

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


Write = Callable[[Source, np.ndarray, Seen], None]


def predict(paths: Sequence[str], form: str, out: Path | None, overlay: bool, model: str) -> int:
    """The command: 0 if every picture could be read. `form` is json, pts or csv."""
    if out is None and (overlay or form == "pts"):
        wanted = "--overlay" if overlay else "--format pts"
        raise FacealignError(f"{wanted} writes files: name their folder with --out DIR")
    sources = find_pictures(paths)
    if out is None:
        seen = look_at_all(sources, model)
        return _count(_as_table(seen, sys.stdout) if form == "csv" else _as_lines(seen))
    suffixes = {".jpg"} if overlay else set()
    _refuse_clashes(sources, out, suffixes | ({".pts"} if form == "pts" else set()))
    seen = look_at_all(sources, model, partial(_write_results, out, form, overlay))
    if form != "csv":
        return _count(seen)
    with atomic_write(out / TABLE) as part, part.open("w", encoding="utf-8", newline="") as file:
        return _count(_as_table(seen, file))


def align(paths: Sequence[str], count: int, size: int, out: Path, model: str) -> int:
    """The command: an aligned crop of each face, by `count` of the five points."""
    sources = find_pictures(paths)
    _refuse_clashes(sources, out, {".png"})
    return _count(look_at_all(sources, model, partial(_write_crops, out, count, size)))


def find_pictures(paths: Sequence[str]) -> list[Source]:
    """Pictures by name, those of folders and of the folders in these, and patterns; and a source
    that has an error for each path that leads to none."""
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
    """No result may take the place of another, nor of a picture or the points beside it."""
    first: dict[Path, Path] = {}
    for source in (source for source in sources if not source.error):
        other = first.setdefault(source.name.with_suffix(""), source.path)
        if other != source.path:
            raise FacealignError(
                f"{other} and {source.path} would have results of the same name; name them "
                "in two runs, by patterns such as 'DIR/*.png', each with its own --out"
            )
        for suffix in sorted(suffixes):
            result = _result(out, source, suffix)
            mine = source.path.parent.resolve() == result.parent.resolve()
            if mine and result.exists():
                raise FacealignError(
                    f"{result} would be overwritten: --out is the folder of the pictures; name "
                    "another one"
                )


def look_at_all(
    sources: Sequence[Source],
    model: str,
    write: Write | None = None,
    processes: int | None = None,
) -> Iterator[Seen]:
    """What is in each picture; `write` makes the files that are a picture's own."""
    Network(find_model(model))  # its errors, before there are processes to say them from
    return map_in_order(partial(_look, model, write), sources, "faces", processes)


def _look(model: str, write: Write | None, source: Source) -> Seen:
    """One picture, in whichever process; files of its own are written there, too."""
    if source.error:
        return Seen(source.path, error=source.error)
    try:
        image = images.read(source.path)
    except FacealignError as error:
        return Seen(source.path, error=str(error))
    faces = aligner(model).predict(image)
    seen = Seen(source.path, image.shape[1], image.shape[0], tuple(faces))
    if write is not None:
        write(source, image, seen)
    return seen


def _write_results(
    out: Path, form: str, overlay: bool, source: Source, image: np.ndarray, seen: Seen
) -> None:
    if form == "json":
        write_text(_result(out, source, ".json"), f"{json.dumps(seen.as_dict())}\n")
    if form == "pts":
        for number, face in enumerate(seen.faces, start=1):
            write_text(_result(out, source, ".pts", number), format_pts(face.points))
    if overlay:
        images.write(_result(out, source, ".jpg"), draw(image, seen.faces))


def _write_crops(
    out: Path, count: int, size: int, source: Source, image: np.ndarray, seen: Seen
) -> None:
    for number, face in enumerate(seen.faces, start=1):
        crop = alignment.align(image, face.points, count, size)
        images.write(_result(out, source, ".png", number), crop)


def _result(out: Path, source: Source, suffix: str, number: int = 1) -> Path:
    """The first face's has the picture's own name, as data sets have it."""
    base = out / source.name.with_suffix("")
    return base.with_name(f"{base.name}{'' if number == 1 else f'_{number}'}{suffix}")


@cache
def aligner(model: str) -> Aligner:
    """A process's own: there is one a core."""
    return Aligner(model, threads=1)


def draw(image: np.ndarray, faces: Sequence[Face]) -> np.ndarray:
    """A copy with boxes and points."""
    picture = image.copy()
    for face in faces:
        drawing.draw_box(picture, face.box, BOX, max(1, round(face.box.width / 150)))
        drawing.draw_points(picture, face.points, POINT, face.box.width / 100)
    return picture


def _as_lines(seen: Iterator[Seen]) -> Iterator[Seen]:
    for one in seen:
        if not one.error:
            print(json.dumps(one.as_dict(), ensure_ascii=False), flush=True)
        yield one


def _as_table(seen: Iterator[Seen], file: TextIO) -> Iterator[Seen]:
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(
        ["image", "face", *CORNERS, *_POSE, *tables.POINT_COLUMNS, *tables.SCORE_COLUMNS]
    )
    for one in seen:
        for number, face in enumerate(one.faces, start=1):
            values = as_dict(face)
            points = [coordinate for point in values["points"] for coordinate in point]
            pose = values["pose"] or dict.fromkeys(_POSE, "")
            known = [one.path, number, *values["box"], *pose.values(), *points]
            # a network of five points, or without scores, leaves columns empty
            gap = [""] * (2 * COUNT - len(points))
            its_scores = values["scores"] or []
            lines.writerow([*known, *gap, *its_scores, *[""] * (COUNT - len(its_scores))])
        yield one


def _count(seen: Iterator[Seen]) -> int:
    pictures, faces, empty, failed = 0, 0, [], []
    for one in seen:
        pictures += 1
        faces += len(one.faces)
        if one.error:
            failed.append(one.error)
        elif not one.faces:
            empty.append(str(one.path))
    for message in failed:
        print(f"error: {message}", file=sys.stderr)
    if empty:
        print(f"no face found in {', '.join(empty)}", file=sys.stderr)
    print(
        f"{pictures} {'picture' if pictures == 1 else 'pictures'}, "
        f"{faces} {'face' if faces == 1 else 'faces'}, {len(failed)} unreadable",
        file=sys.stderr,
    )
    return 1 if failed else 0
