"""The labels that are probably wrong, with their pictures, for an annotation tool."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from facealign.core import images
from facealign.core.errors import InputError
from facealign.core.faces import Faces
from facealign.core.files import atomic_write, require_new
from facealign.core.geometry import Box
from facealign.data import patches
from facealign.labels import conversion
from facealign.labels.faces import Images, LabelledFace, image_name
from facealign.labels.formats import FORMATS
from facealign.reports import contact_sheet
from facealign.reports.contact_sheet import PREDICTED, TRUTH, Tile

FILES = {"cvat": "annotations.xml", "label-studio": "tasks.json", "imglab": "faces.xml"}
SHEET = "sheet.jpg"
SHOWN = 120  # faces of the sheet, at most


def export(
    suspects: Path, target: Path, form: str, first: int, root: Path, present: Sequence[Path] = ()
) -> Faces:
    """Write the `first` faces of the table to the folder or zip archive `target`: their pictures,
    their present labels in the tool's format, and a sheet. Returns these faces."""
    require_new(target)
    ranked = Faces.read(suspects, "score").subset(slice(first))
    if not len(ranked):
        raise InputError(f"{suspects}: no ranked face; name networks in suspects.networks")
    for image in ranked.images:
        image_name(image, str(suspects))
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", dir=target.parent) as beside:
        folder = Path(beside, target.name)
        _write(ranked, folder, form, root, present)
        if target.suffix.lower() == ".zip":
            _zip(folder, target)
        else:
            folder.rename(target)
    return ranked


def _write(ranked: Faces, folder: Path, form: str, root: Path, present: Sequence[Path]) -> None:
    patched = patches.read(present)
    labels = [patches.present(root, image, patched) for image in ranked.images]
    faces, tiles = [], []
    for row, (image, points) in enumerate(zip(ranked.images, labels, strict=True)):
        picture = images.read(root / image)
        size = picture.shape[1], picture.shape[0]
        faces.append(LabelledFace(image, points, np.zeros(len(points), bool), size=size))
        if row < SHOWN:
            tiles.append(_tile(picture, ranked, row, points))
        (folder / image).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / image, folder / image)
    conversion.write(folder / FILES[form], faces, FORMATS[form], Images(folder))
    images.write(folder / SHEET, contact_sheet.sheet(tiles))


def _tile(picture: np.ndarray, ranked: Faces, row: int, label: np.ndarray) -> Tile:
    labelled = label[np.isfinite(label).all(axis=1)]
    wanted = ranked.points[row]
    caption = f"{row + 1} {ranked['kind'][row]} {ranked['score'][row]:.1f}"
    box = Box.around(np.concatenate([labelled, wanted]))
    return Tile(picture, box, [(wanted, PREDICTED), (labelled, TRUTH)], caption)


def _zip(folder: Path, target: Path) -> None:
    """The same files give the same bytes; pictures are compressed already."""
    with atomic_write(target) as part, zipfile.ZipFile(part, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = path.relative_to(folder).as_posix()
                archive.writestr(zipfile.ZipInfo(name), path.read_bytes())
