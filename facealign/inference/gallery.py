"""Contact sheets of a folder's faces: true points, and a network's beside them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from facealign.core import images
from facealign.core.errors import FacealignError
from facealign.core.geometry import Box
from facealign.core.parallel import map_in_order
from facealign.inference import annotated
from facealign.inference.aligner import Aligner
from facealign.inference.annotated import Known, Lost
from facealign.inference.folders import Source, pictures_below
from facealign.reports import contact_sheet
from facealign.reports.contact_sheet import COLUMNS, PREDICTED, TRUTH, Tile

ROWS = 8  # on a page
_LETTERS = 22  # that fit below a face


@dataclass(frozen=True)
class Shown:
    """What a picture adds to the sheets: faces as they are drawn, and the network's error."""

    tiles: list[np.ndarray] = field(default_factory=list)
    error: float = 0.0
    problem: str = ""  # why the picture is left out
    notice: str = ""


def show(
    folder: Path, table: Path | None, aligner: Aligner, predicted: bool, worst: bool, out: Path
) -> int:
    """The command: 0 if every picture could be shown. `predicted`: draw a network's points beside
    the true ones, too."""
    if not folder.is_dir():
        raise FacealignError(f"{folder}: {'not a' if folder.exists() else 'no such'} folder")
    if out.exists() and not out.is_dir():
        raise FacealignError(f"{out}: not a folder")
    known: list[Known] = []
    dropped: list[str] = []
    draw: Callable[[Known], Shown] | Callable[[Source], Shown]
    if table is not None or _has_points(folder):
        known, dropped = annotated.known_faces(folder, table)
        items: Sequence[Known] | Sequence[Source] = known
        draw = partial(_draw_known, aligner if predicted else None)
    else:
        items = pictures_below(folder)
        draw = partial(_draw_found, aligner)
        if worst:
            raise FacealignError(f"{folder}: --worst needs true points, in .pts or --csv")
        if not items:
            raise FacealignError(f"{folder}: no picture in this folder")
    shown = list(map_in_order(draw, items, "show"))
    if worst:
        shown.sort(key=lambda its: -its.error)
    tiles = [tile for its in shown for tile in its.tiles]
    problems = dropped + [its.problem for its in shown if its.problem]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    for notice in (its.notice for its in shown if its.notice):
        print(notice, file=sys.stderr)
    for old in out.glob("faces_[0-9]*.jpg"):
        old.unlink()  # sheets of an earlier call would pass for this one's
    size = ROWS * COLUMNS
    for number, start in enumerate(range(0, len(tiles), size), start=1):
        page = out / f"faces_{number:03}.jpg"
        images.write(page, contact_sheet.page(tiles[start : start + size]))
        print(page)
    print(f"{len(tiles)} faces, {len(problems)} pictures left out", file=sys.stderr)
    return 1 if problems else 0


def _has_points(folder: Path) -> bool:
    return any(path.with_suffix(".pts").is_file() for path in images.find_pictures(folder))


def _draw_known(aligner: Aligner | None, known: Known) -> Shown:
    box, points, error = Box.around(known.points), [(known.points, TRUTH)], 0.0
    caption = known.path.stem
    if not (box.width and box.height):
        return Shown(problem=f"{known.path}: its points have no width or no height")
    try:
        image = images.read(known.path)
    except FacealignError as problem:
        return Shown(problem=str(problem))
    if aligner is not None:
        seen = annotated.look(aligner, None, known)
        if isinstance(seen, Lost):
            caption, error = f"not found: {caption}", np.inf
        else:
            box, error = seen.box, seen.error("model")
            points.append((seen.points["model"], PREDICTED))
            caption = f"{error:.4f} {caption}"
    return Shown([contact_sheet.draw(Tile(image, box, points, caption[:_LETTERS]))], error)


def _draw_found(aligner: Aligner, source: Source) -> Shown:
    try:
        image = images.read(source.path)
    except FacealignError as problem:
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
