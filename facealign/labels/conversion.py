"""Labels read, written and converted; what a format cannot hold is refused or counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from facealign.core.errors import InputError
from facealign.core.files import require_new, write_text
from facealign.labels import formats
from facealign.labels.faces import Images, LabelledFace, Labels, checked, listed, point_names
from facealign.labels.formats import Format
from facealign.labels.schemes import Change, changed


@dataclass(frozen=True)
class Conversion:
    source: str  # the names of the formats
    target: str
    faces: list[LabelledFace]
    left_out: Counter[str]  # what was not read, or is not in the new format


def convert(
    source: Path,
    target: Path,
    source_format: str | None = None,
    target_format: str | None = None,
    images: Path | None = None,
    change: Change | None = None,
) -> Conversion:
    """`images` is the folder of the images, by default the one that has the labels. `change`
    converts the points to another scheme."""
    chosen = formats.of_new(target, target_format)
    name, labels = read(source, source_format, images)
    if change is not None:
        labels = changed(labels, change, source)
    left_out = labels.left_out + write(target, labels.faces, chosen, _images(source, images))
    return Conversion(name, chosen.name, labels.faces, left_out)


def read(path: Path, name: str | None = None, images: Path | None = None) -> tuple[str, Labels]:
    """The name of the format, and the labels: at least one face."""
    form, content = formats.load(path, name)
    labels = checked(form.read(content, _images(path, images)), path)
    if not labels.faces:
        raise InputError(f"{path}: no labelled face{listed(labels.left_out)}")
    return form.name, labels


def write(path: Path, faces: Sequence[LabelledFace], form: Format, images: Images) -> Counter[str]:
    """What the format does not hold; files that are there are never changed."""
    fitting, lost = _fitted(faces, form, path)
    texts = form.write(path, fitting, images)
    for file in texts:
        require_new(file)
    for file, text in texts.items():
        write_text(file, text)
    return lost


def _images(path: Path, folder: Path | None) -> Images:
    return Images(folder or (path if path.is_dir() else path.parent))


def _fitted(
    faces: Sequence[LabelledFace], form: Format, path: Path
) -> tuple[list[LabelledFace], Counter[str]]:
    """The faces as the format can hold them, and what it cannot."""
    lost: Counter[str] = Counter()
    if not form.hidden:
        lost[f"marks of hidden points, which {form.name} does not have"] = sum(
            int(face.hidden.sum()) for face in faces
        )
    unnamed = [replace(face, names=None) for face in faces]
    fitting = list(faces) if form.names else unnamed
    if form.listed:
        _check_listed(fitting, form, path)
        fitting = fitting if _keeps_order(fitting) else unnamed
    lost[f"faces whose points {form.name} numbers instead of naming them"] = sum(
        old.names != new.names for old, new in zip(faces, fitting, strict=True)
    )
    if form.whole:
        moved = sum(int(np.count_nonzero(np.nan_to_num(face.points % 1))) for face in faces)
        lost[f"coordinates rounded, since {form.name} has whole pixels only"] = moved
    return fitting, +lost


def _check_listed(faces: Sequence[LabelledFace], form: Format, path: Path) -> None:
    """Where points that are not labelled are not there at all, their number must still be clear."""
    if len(schemes := {point_names(face) for face in faces}) > 1:
        counts = " and ".join(str(len(names)) for names in sorted(schemes, key=len))
        raise InputError(
            f"{path}: {form.name} holds one scheme of points, not {counts}: convert them apart"
        )
    labelled = np.any([~np.isnan(face.points[:, 0]) for face in faces], axis=0)
    for place in (0, -1):
        if not labelled[place]:
            number = 1 if place == 0 else len(labelled)
            raise InputError(
                f"{path}: no face has point {number}, so {form.name} would misnumber the others"
            )


def _keeps_order(faces: Sequence[LabelledFace]) -> bool:
    """Whether the order of the names is that in which labelled points first occur."""
    names = faces[0].names
    if names is None:
        return True
    found = dict.fromkeys(
        name
        for face in faces
        for name, (x, _) in zip(names, face.points.tolist(), strict=True)
        if x == x  # not NaN
    )
    return tuple(found) == names and not all(name.isdecimal() for name in names)
