"""Corrected labels against the present ones: what changed, as a patch."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import numpy as np

from facealign.core.errors import AnnotationError, InputError
from facealign.core.images import find_pictures
from facealign.data import patches
from facealign.labels import conversion
from facealign.labels.faces import MOST_BYTES, LabelledFace, by_image, image_name
from facealign.labels.formats import FORMATS

# pixels by which a tool that rounds when it saves may move a point that nobody touched
ROUNDED, WHOLE = 0.02, 0.5
_SINGLE = {".xml", ".json", ".csv"}  # one file for all images
_SUFFIXES = {*_SINGLE, ".pts"}


@dataclass(frozen=True)
class Correction:
    """What corrected labels change."""

    format: str
    faces: int  # those that were corrected or left as they are
    points: dict[str, np.ndarray]  # of each image whose label changed
    moved: dict[str, np.ndarray]  # by how many pixels each of their points
    left_out: Counter[str]


def correct(
    source: Path, root: Path, present: Sequence[Path] = (), name: str | None = None
) -> Correction:
    """The labels of a file, folder or zip archive against those of the images below `root`, to
    which the patches `present` already apply."""
    patched = patches.read(present)
    with _opened(source) as path:
        # `.pts` are named as the images; any other format has their names
        folder = root if path.is_dir() and any(path.rglob("*.pts")) else None
        form, labels = conversion.read(path, name, folder)
    known = _Known(root)
    limit = WHOLE if FORMATS[form].whole else ROUNDED
    points: dict[str, np.ndarray] = {}
    moved: dict[str, np.ndarray] = {}
    corrected = by_image(labels.faces)
    for given, faces in corrected.items():
        where = f"{source}: {given!r}"
        if len(faces) > 1:
            raise AnnotationError(f"{where}: {len(faces)} faces, expected one")
        image = known.find(given, where)
        before = patches.present(root, image, patched)
        after, distances = _changed(faces[0], before, limit, where)
        if distances.any():
            if image in points:
                raise AnnotationError(f"{where}: {image} is there under another name, too")
            points[image], moved[image] = after, distances
    return Correction(form, len(corrected), points, moved, labels.left_out)


def write(path: Path, points: Mapping[str, np.ndarray]) -> None:
    """A patch; a file that is there is never changed."""
    if path.exists():
        raise InputError(f"{path} is there already; remove it or write to another place")
    counts = sorted({len(its) for its in points.values()})
    if len(counts) > 1:
        listed = " and ".join(map(str, counts))
        raise InputError(f"{path}: a patch has one number of points, not {listed}: apply apart")
    patches.write(path, points)


def _changed(
    face: LabelledFace, before: np.ndarray, limit: float, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """The points, those that nobody moved as they were, and by how much each moved."""
    after = face.points
    if len(after) != len(before):
        raise AnnotationError(f"{where}: {len(after)} points, expected {len(before)}")
    missing = np.isnan(after).any(axis=1)
    if lost := np.flatnonzero(missing & ~np.isnan(before).any(axis=1)).tolist():
        raise AnnotationError(f"{where}: point {lost[0] + 1} is not labelled any more")
    touched = (np.abs(after - before) > limit).any(axis=1) | (np.isnan(before).any(1) & ~missing)
    if touched.any() and missing.any():
        number = int(missing.argmax()) + 1
        raise AnnotationError(f"{where}: point {number} is not labelled, expected all points")
    distances = np.where(touched, np.linalg.norm(after - np.nan_to_num(before), axis=1), 0.0)
    return np.where(touched[:, None], after, before), distances


class _Known:
    """The images below a folder, found by their paths or by ends of them: tools put a folder in
    front, or leave out all."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_name: dict[str, list[str]] = {}
        for path in find_pictures(root):
            self._by_name.setdefault(path.name, []).append(path.relative_to(root).as_posix())

    def find(self, given: str, where: str) -> str:
        alike = self._by_name.get(PurePosixPath(given).name, [])
        if given in alike:
            return given
        ends = [
            one for one in alike if f"/{one}".endswith(f"/{given}") or given.endswith(f"/{one}")
        ]
        if len(ends) != 1:
            several = f"; {' or '.join(ends[:2])}?" if ends else ""
            raise AnnotationError(f"{where}: no image of this name in {self._root}{several}")
        return ends[0]


@contextmanager
def _opened(source: Path) -> Iterator[Path]:
    """The file or folder of labels, also of those in a zip archive."""
    if source.suffix.lower() != ".zip":
        yield _within(source)
        return
    with TemporaryDirectory() as folder:
        _unzip(source, Path(folder))
        yield _within(Path(folder))


def _within(path: Path) -> Path:
    """Of a folder with one file for all labels, that file."""
    if not path.is_dir():
        return path
    files = [one for one in sorted(path.rglob("*")) if one.suffix.lower() in _SUFFIXES]
    return files[0] if len(files) == 1 and files[0].suffix.lower() in _SINGLE else path


def _unzip(source: Path, folder: Path) -> None:
    """The labels only: pictures stay in the archive."""
    left = MOST_BYTES
    try:
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                if PurePosixPath(member.filename).suffix.lower() not in _SUFFIXES:
                    continue
                path = folder / image_name(member.filename, str(source))
                with archive.open(member) as file:
                    data = file.read(left + 1)
                left -= len(data)
                if left < 0:
                    raise AnnotationError(
                        f"{source}: labels of more than {MOST_BYTES / 2**20:.0f} MiB"
                    )
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    except OSError as error:
        raise AnnotationError(f"{source}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        raise AnnotationError(f"{source}: not a zip archive that can be read: {error}") from None
