"""Corrected labels against the present ones: what changed, as a patch."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from tempfile import TemporaryDirectory

import numpy as np

from facealign.core.errors import AnnotationError, FacealignError, InputError
from facealign.core.files import require_new
from facealign.core.images import find_pictures
from facealign.data import patches
from facealign.labels import conversion, json_files, labelme
from facealign.labels.faces import MOST_BYTES, LabelledFace, by_image, path_within
from facealign.labels.formats import FORMATS

# pixels by which a tool that rounds when it saves may move a point that nobody touched
ROUNDED, WHOLE = 0.02, 0.5
_SINGLE = {".xml", ".json", ".csv"}  # one file for all images
_SUFFIXES = {*_SINGLE, ".pts"}
_LEAST_BYTES = 1024  # that a file of an archive counts, so that empty ones are not endless
# zipfile raises the last ones for encrypted files and for headers that it cannot read
_BROKEN = (
    *(zipfile.BadZipFile, EOFError, zlib.error),
    *(ValueError, OverflowError, NotImplementedError, RuntimeError),
)


@dataclass(frozen=True)
class Correction:
    """What corrected labels change."""

    format: str
    faces: int  # those that were corrected or left as they are
    points: dict[str, np.ndarray]  # of each image whose label changed
    moved: dict[str, np.ndarray]  # by how many pixels each of its points; NaN if it had no label
    left_out: Counter[str]


def correct(
    source: Path, root: Path, present: Sequence[Path] = (), name: str | None = None
) -> Correction:
    """The labels of a file, folder or zip archive against those of the images below `root`, to
    which the patches `present` already apply."""
    patched = patches.read(present)
    with _opened(source, name) as path:
        # `.pts` are named as the images; any other format has their names
        folder = root if path.is_dir() and any(path.rglob("*.pts")) else None
        form, labels = conversion.read(path, name, folder)
    known = _Known(root)
    limit = WHOLE if FORMATS[form].whole else ROUNDED
    points: dict[str, np.ndarray] = {}
    moved: dict[str, np.ndarray] = {}
    names: dict[str, str] = {}  # of each image in the corrected labels
    for given, faces in by_image(labels.faces).items():
        where = f"{source}: {given!r}"
        image = known.find(given, where)
        first = names.setdefault(image, given)
        if first != given:
            raise AnnotationError(f"{where}: {image} is there as {first!r}, too")
        if len(faces) > 1:
            raise AnnotationError(f"{where}: {len(faces)} faces, expected one")
        before = patches.present(root, image, patched)
        after, distances = _changed(faces[0], before, limit, where)
        if distances.any():
            points[image], moved[image] = after, distances
    return Correction(form, len(names), points, moved, labels.left_out)


def write(path: Path, points: Mapping[str, np.ndarray]) -> None:
    """A patch; a file that is there is never changed."""
    require_new(path)
    counts = sorted({len(its) for its in points.values()})
    if len(counts) > 1:
        listed = " and ".join(map(str, counts))
        raise InputError(f"{path}: a patch has one number of points, not {listed}: apply apart")
    patches.write(path, points)


def _changed(
    face: LabelledFace, before: np.ndarray, limit: float, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """The points, those that nobody moved as they were, and by how much each moved: NaN of one that
    had no label."""
    after = face.points
    if len(after) != len(before):
        raise AnnotationError(f"{where}: {len(after)} points, expected {len(before)}")
    missing, new = (np.isnan(points).any(axis=1) for points in (after, before))
    if lost := np.flatnonzero(missing & ~new).tolist():
        raise AnnotationError(f"{where}: point {lost[0] + 1} is not labelled any more")
    touched = (np.abs(after - before) > limit).any(axis=1) | (new & ~missing)
    if touched.any() and missing.any():
        number = int(missing.argmax()) + 1
        raise AnnotationError(f"{where}: point {number} is not labelled, expected all points")
    with np.errstate(over="ignore"):  # of 1e308, which is far outside
        distances = np.where(touched, np.linalg.norm(after - before, axis=1), 0.0)
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
        if len(ends) > 1:
            raise AnnotationError(f"{where}: {ends[0]} or {ends[1]}? expected one image")
        if not ends:
            raise AnnotationError(f"{where}: no image of this name in {self._root}")
        return ends[0]


@contextmanager
def _opened(source: Path, name: str | None) -> Iterator[Path]:
    """The file or folder of labels, also of those in a zip archive; errors name the archive."""
    if source.suffix.lower() != ".zip":
        yield _within(source, name)
        return
    with TemporaryDirectory() as folder:
        _unzip(source, Path(folder))
        try:
            yield _within(Path(folder), name)
        except FacealignError as error:
            raise type(error)(str(error).replace(folder, str(source))) from None


def _within(path: Path, name: str | None) -> Path:
    """Of a folder with one file for all labels, that file."""
    if not path.is_dir():
        return path
    files = [one for one in sorted(path.rglob("*")) if one.is_file() and _has_labels(one)]
    kinds = {one.suffix.lower() for one in files}
    if len(files) > 1 and ".pts" not in kinds and kinds != {".json"}:
        listed = " and ".join(one.relative_to(path).as_posix() for one in files[:2])
        raise InputError(f"{path}: expected one file of labels, found {listed}")
    if len(files) != 1 or ".pts" in kinds:
        return path
    [file] = files
    return path if _is_labelme(file, name) else file


def _is_labelme(file: Path, name: str | None) -> bool:
    """Whether the file is one of LabelMe's, which has one for each image."""
    if name is not None or file.suffix.lower() != ".json":
        return name == "labelme"
    return labelme.is_one(json_files.load(file))


def _has_labels(path: PurePath) -> bool:
    """By its name. macOS puts a hidden ._x.xml, no XML, beside an x.xml."""
    return path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")


def _unzip(source: Path, folder: Path) -> None:
    """The labels only: pictures stay in the archive."""
    try:
        with zipfile.ZipFile(source) as archive:
            _unpack(archive, source, folder)
    except OSError as error:
        raise AnnotationError(f"{source}: {error.strerror or error}") from None
    except _BROKEN as error:
        reason = str(error)[:200]  # it may quote a header
        raise AnnotationError(f"{source}: not a zip archive that can be read: {reason}") from None


def _unpack(archive: zipfile.ZipFile, source: Path, folder: Path) -> None:
    left = MOST_BYTES
    for member in archive.infolist():
        if not _has_labels(PurePosixPath(member.filename)) or member.is_dir():
            continue
        path = folder / path_within(member.filename, f"{source}: file", "the archive")
        if path.exists():
            raise AnnotationError(f"{source}: two files {member.filename[:100]!r}")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise AnnotationError(
                f"{source}: {member.filename[:100]!r} is neither stored nor deflated"
            )
        with archive.open(member) as file:
            data = file.read(left + 1)
        left -= max(len(data), _LEAST_BYTES)
        if left < 0:
            raise AnnotationError(f"{source}: labels of more than {MOST_BYTES / 2**20:.0f} MiB")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
