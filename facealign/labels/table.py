"""A CSV table with a row for each face: `image`, `face`, `x0`, `y0` and so on, as `facealign
predict` writes them, and `hidden0` and so on if a point is hidden.

A point that is not labelled is `nan`; the columns of points that a face does not have are empty.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from math import nan
from pathlib import Path

from facealign.core.errors import AnnotationError
from facealign.core.tables import Table
from facealign.labels.faces import Images, LabelledFace, Labels, face_of, image_name
from facealign.labels.pixels import decimal


def recognise(table: Table) -> bool:
    return {"image", "face", "x0", "y0"} <= table.columns.keys()


def read(table: Table, images: Images) -> Labels:
    count = sum(bool(re.fullmatch(r"x[0-9]+", name)) for name in table.columns)
    axes = [(f"x{number}", f"y{number}") for number in range(count)]
    marks = [name for number in range(count) if (name := f"hidden{number}") in table.columns]
    columns = [[table[name] for name in pair] for pair in axes]
    known = {"image", "face", *marks, *(name for pair in axes for name in pair)}
    seen: dict[tuple[str, str], int] = {}
    faces = []
    for row, (image, face) in enumerate(zip(table["image"], table["face"], strict=True)):
        where = f"{table.path}:{row + 2}"
        first = seen.setdefault((image, face), row + 2)
        if first != row + 2:
            raise AnnotationError(
                f"{where}: face {face[:20]!r} of this image is in line {first}, too"
            )
        cells = [(x[row], y[row]) for x, y in columns]
        while cells and cells[-1] == ("", ""):
            cells.pop()
        places = [
            (_number(x, f"{where}: {axes[i][0]}"), _number(y, f"{where}: {axes[i][1]}"))
            for i, (x, y) in enumerate(cells)
        ]
        hidden = [_mark(table, f"hidden{number}", row) for number in range(len(places))]
        faces.append(face_of(image_name(image, where), places, hidden))
    other = len(table.columns.keys() - known)
    return Labels(faces, Counter({"other columns": other}))


def write(path: Path, faces: Sequence[LabelledFace], images: Images) -> dict[Path, str]:
    count = max(len(face.points) for face in faces)
    marks = any(face.hidden.any() for face in faces)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    header = ["image", "face", *(f"{axis}{number}" for number in range(count) for axis in "xy")]
    table.writerow(header + [f"hidden{number}" for number in range(count)] * marks)
    for face in faces:
        own = len(face.points)
        points = face.points.ravel().tolist() + [""] * 2 * (count - own)
        hidden = face.hidden.astype(int).tolist() + [""] * (count - own)
        table.writerow([face.image, face.number, *points, *(hidden * marks)])
    return {path: text.getvalue()}


def _number(cell: str, where: str) -> float:
    try:
        return nan if cell == "nan" else float(decimal(cell))
    except ArithmeticError:
        raise AnnotationError(f"{where} is {cell[:40]!r}, expected a number or nan") from None


def _mark(table: Table, name: str, row: int) -> bool:
    cell = table.columns[name][row] if name in table.columns else "0"
    if cell not in {"0", "1"}:
        raise AnnotationError(f"{table.path}:{row + 2}: {name} is {cell[:40]!r}, expected 0 or 1")
    return cell == "1"
