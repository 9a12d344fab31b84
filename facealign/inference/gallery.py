"""Contact sheets of a folder's faces: true points, and a network's beside them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from facealign.core import images
from facealign.core.errors import ConfigError, ImageError, InputError
from facealign.core.faces import Faces
from facealign.core.geometry import Box
from facealign.core.parallel import map_in_order
from facealign.evaluation import scoring
from facealign.inference import annotated
from facealign.inference.aligner import Aligner
from facealign.inference.annotated import Estimate
from facealign.inference.listing import Source
from facealign.reports import contact_sheet
from facealign.reports.contact_sheet import COLUMNS, PREDICTED, TRUTH, Tile

ROWS = 8  # on a page
_LETTERS = 22  # that fit below a face

Known = tuple[str, np.ndarray]  # a picture's path and its true points


@dataclass(frozen=True)
class Shown:
    """The faces of a picture as they are drawn, and the network's error."""

    tiles: list[np.ndarray] = field(default_factory=list)
    error: float = 0.0
    problem: str = ""  # why the picture is left out
    notice: str = ""


def show(
    folder: Path, table: Path | None, aligner: Aligner, predicted: bool, worst: bool, out: Path
) -> int:
    """Run `facealign show`; the exit status. `predicted` adds the network's points to true ones."""
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a' if folder.exists() else 'no such'} folder")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: not a folder")
    dropped: list[str] = []
    items: Sequence[Known] | Sequence[Source]
    draw: Callable[[Known], Shown] | Callable[[Source], Shown]
    if table is not None or _has_points(folder):
        if aligner.selects:
            raise ConfigError(
                "--min-score, --min-size and --largest choose among found faces: "
                f"{table or folder} has the true points"
            )
        known, dropped = annotated.known_faces(folder, table)
        items = list(zip(known.images, known.points, strict=True))
        draw = partial(_draw_known, aligner if predicted else None)
    else:
        pictures = images.find_pictures(folder)
        items = [Source(path, path.relative_to(folder)) for path in pictures]
        draw = partial(_draw_found, aligner)
        if worst:
            raise ConfigError(f"{folder}: --worst needs true points, in .pts or --csv")
        if not items:
            raise InputError(f"{folder}: no picture in this folder")
    shown = list(map_in_order(draw, items, "show"))
    if worst:
        shown.sort(key=lambda one: -one.error)
    tiles = [tile for one in shown for tile in one.tiles]
    problems = dropped + [one.problem for one in shown if one.problem]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    for notice in (one.notice for one in shown if one.notice):
        print(notice, file=sys.stderr)
    for old in out.glob("faces_[0-9]*.jpg"):
        old.unlink()  # so that no sheet of an earlier call is taken for one of this call
    size = ROWS * COLUMNS
    for number, start in enumerate(range(0, len(tiles), size), start=1):
        page = out / f"faces_{number:03}.jpg"
        images.write(page, contact_sheet.page(tiles[start : start + size]))
        print(page)
    print(f"{_count(tiles, 'face')}, {_count(problems, 'image')} left out", file=sys.stderr)
    return 1 if problems else 0


def _has_points(folder: Path) -> bool:
    return any(path.with_suffix(".pts").is_file() for path in images.find_pictures(folder))


def _draw_known(aligner: Aligner | None, known: Known) -> Shown:
    path, truth = known
    box, points, error = Box.around(truth), [(truth, TRUTH)], 0.0
    caption = Path(path).stem
    try:
        image = images.read(Path(path))
    except ImageError as problem:
        return Shown(problem=str(problem))
    if aligner is not None:
        seen = annotated.estimate(aligner, None, known)
        if isinstance(seen, Estimate):
            box, predicted = seen.box, seen.points["model"]
            face = Faces.of([path], box=np.array([box.corners]), points=truth[None])
            tested = scoring.measure(face, {"model": face.with_columns(points=predicted[None])})
            error = float(tested["model"].errors[0])
            points.append((predicted, PREDICTED))
            caption = f"{error:.4f} {caption}"
        else:
            caption, error = f"not found: {caption}", np.inf
    return Shown([contact_sheet.draw(Tile(image, box, points, caption[:_LETTERS]))], error)


def _draw_found(aligner: Aligner, source: Source) -> Shown:
    try:
        image = images.read(source.path)
    except ImageError as problem:
        return Shown(problem=str(problem))
    faces = aligner.predict(image)
    if not faces:
        return Shown(notice=f"no face found: {source.path}")
    caption = source.path.stem[:_LETTERS]
    return Shown(
        [
            contact_sheet.draw(Tile(image, face.box, [(face.points, PREDICTED)], caption))
            for face in faces
        ]
    )


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
