"""Which pictures of an unpacked data set can be used, and why the others are dropped."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import images, tables
from facealign.core.errors import AnnotationError, ArchiveError, ConfigError, ImageError, InputError
from facealign.core.faces import Faces
from facealign.core.files import is_utf8, write_json
from facealign.core.geometry import SMALLEST
from facealign.core.parallel import map_in_order
from facealign.core.points import (
    COUNT,
    PROFILE_COUNT,
    can_become,
    eyes,
    scheme_of,
    select,
    use,
)
from facealign.core.schemes.scheme import Scheme
from facealign.core.tables import dataset_and_split, stack
from facealign.data import attributes, patches
from facealign.data.annotations import read_pts
from facealign.data.patches import Patched

SPLITS = ("train", "test")
HELD_BACK = "held_back"  # why a train picture of `data.test_only` is dropped
DEGENERATE = "no width, no height or no distance of the eyes"
# names of files, charts and columns are made of it
_NAME = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True)
class Data:
    """The section `data` of params.yaml."""

    archive: str
    points: int | str  # a number, or a file
    datasets: tuple[str, ...]
    test_only: frozenset[str]
    patches: list[str]  # tables of corrected points, in the order in which they apply


@dataclass(frozen=True)
class Drop:
    """A file that is no face to learn from or to test on."""

    image: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class _Candidate:
    picture: str
    annotation: str
    patched: Patched | None = None


@dataclass(frozen=True, eq=False)
class _Kept:
    image: str
    size: tuple[int, int]  # width, height
    points: np.ndarray


def filter_faces(
    root: Path,
    datasets: Sequence[str],
    test_only: Collection[str] = (),
    count: int = COUNT,
    patched: Mapping[str, Patched] | None = None,
) -> tuple[Faces, list[Drop]]:
    """Every file of the data sets under `root`: the faces of `count` points, and what is dropped.

    Points of other schemes are converted where there is a map: 68 points also give the five. The
    train pictures of `test_only` are dropped unopened. `patched` has the points that images get
    instead of their own.
    """
    if not root.is_dir():
        raise InputError(f"{root}: not a folder")
    check_names("data.datasets", datasets)
    for name in sorted(test_only):
        if name not in datasets:
            raise ConfigError(
                f"data.test_only: {name!r} is not in data.datasets, which has {', '.join(datasets)}"
            )
    candidates, drops = _pair_files(root, datasets, test_only)
    if patched:
        _check_patches(root, patched, candidates, drops)
        candidates = [replace(one, patched=patched.get(one.picture)) for one in candidates]
    results = list(map_in_order(partial(_examine, root, scheme_of(count)), candidates, "filter"))
    drops += [result for result in results if isinstance(result, Drop)]
    kept = [result for result in results if isinstance(result, _Kept)]
    faces = Faces.of(
        [face.image for face in kept],
        size=np.array([face.size for face in kept], dtype=np.int64).reshape(-1, 2),
        points=stack([face.points for face in kept], count),
    )
    return faces, sorted(drops, key=lambda drop: drop.image)


def require_train(faces: Faces, drops: Iterable[Drop], count: int = COUNT) -> None:
    """Refuse faces that nothing can be learnt from, and say what became of the train images."""
    if (faces.splits == "train").any():
        return
    reasons = Counter(
        f"{drop.reason} ({drop.detail})" if drop.reason == "wrong_count" else drop.reason
        for drop in drops
        if dataset_and_split(drop.image)[1] == "train"
    )
    listed = ", ".join(f"{number} {reason}" for reason, number in reasons.most_common())
    raise InputError(
        f"data.datasets: no train image with {count} points; dropped: {listed or 'none'}"
    )


def is_degenerate(points: np.ndarray) -> bool:
    """Whether no error of these points (K, 2) could be given as a share of the face."""
    with np.errstate(over="ignore"):
        sides = np.ptp(points, axis=0)
        distance = np.abs(np.subtract(*eyes(points)))
    return bool((sides < SMALLEST).any() or (distance < SMALLEST).all())


def check_names(key: str, datasets: Iterable[str]) -> None:
    for name in datasets:
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{key}: {name!r}, expected up to 64 letters, digits, _, - and .: rename the folder"
            )
        if name.lower() == "all":
            raise ConfigError(f"{key}: {name!r} stands for the sum of all: rename the folder")


def summarise(faces: Faces, drops: Iterable[Drop], patched: Collection[str] = ()) -> dict[str, Any]:
    """Kept and dropped (by reason) for each data set and split, and kept with patched labels, if
    there are patches."""
    kept = Counter(zip(faces.datasets, faces.splits, strict=True))
    dropped: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for drop in drops:
        dropped[dataset_and_split(drop.image)][drop.reason] += 1
    summary: dict[str, Any] = {}
    for dataset, split in sorted(kept.keys() | dropped.keys()):
        reasons = dict(sorted(dropped[dataset, split].items()))
        summary.setdefault(dataset, {})[split] = {
            "kept": kept[dataset, split],
            "dropped": sum(reasons.values()),
            "reasons": reasons,
        }
    if patched:
        of_patched = Counter(dataset_and_split(image) for image in faces.images if image in patched)
        for dataset, splits in summary.items():
            for split, counts in splits.items():
                counts["patched"] = of_patched[dataset, split]
    return summary


def write_outcome(
    faces: Faces,
    drops: Sequence[Drop],
    dropped: Path,
    summary: Path,
    patched: Collection[str] = (),
) -> None:
    """Write why faces were dropped to the table `dropped`, and the counts to `summary`."""
    tables.write_rows(dropped, [field.name for field in fields(Drop)], map(astuple, drops))
    counts = summarise(faces, drops, patched)
    write_json(summary, counts)
    print(json.dumps(counts, indent=2))


def _pair_files(
    root: Path, datasets: Sequence[str], test_only: Collection[str]
) -> tuple[list[_Candidate], list[Drop]]:
    present = sorted(path.name for path in root.iterdir() if path.is_dir())
    candidates: list[_Candidate] = []
    drops: list[Drop] = []
    for dataset in dict.fromkeys(datasets):
        if dataset not in present:
            raise ConfigError(
                f"data.datasets: the archive has no {dataset!r}, it has {', '.join(present)}"
            )
        held_back = "train" if dataset in test_only else None
        for split in SPLITS:
            if split != held_back and not (root / dataset / split).is_dir():
                raise ArchiveError(f"{root / dataset}: no folder {split!r} in the archive")
        for folder in sorted((root / dataset).iterdir()):
            found, lost = _pair_folder(root, folder)
            if folder.name == held_back:
                lost += [Drop(candidate.picture, HELD_BACK) for candidate in found]
                found = []
            candidates += found
            drops += lost
    return candidates, drops


def _pair_folder(root: Path, folder: Path) -> tuple[list[_Candidate], list[Drop]]:
    """Pair the pictures of a split with the `.pts` of the same name."""
    if folder.name not in SPLITS:
        return [], [Drop(_key(root, path), "outside_splits") for path in _files(folder)]
    pictures: defaultdict[Path, list[Path]] = defaultdict(list)
    annotations: dict[Path, Path] = {}
    drops: list[Drop] = []
    for path in _files(folder):
        if path.name == attributes.FILE:
            continue
        if not path.is_file():  # opening a pipe would wait for ever
            drops.append(Drop(_key(root, path), "unknown_file", "a link, pipe, device or socket"))
            continue
        stem = path.with_suffix("")
        is_pts = path.suffix.lower() == ".pts" and not path.name.startswith(".")
        if is_pts and stem not in annotations:
            annotations[stem] = path
        elif images.is_picture(path):
            pictures[stem].append(path)
        else:
            drops.append(Drop(_key(root, path), "unknown_file"))
    candidates = []
    for stem, paths in pictures.items():
        if stem not in annotations:
            drops += [Drop(_key(root, path), "no_points") for path in paths]
        elif len(paths) > 1:
            detail = f"{len(paths)} pictures share one .pts"
            drops += [Drop(_key(root, path), "ambiguous", detail) for path in paths]
        else:
            candidates.append(_Candidate(_key(root, paths[0]), _key(root, annotations[stem])))
    drops += [
        Drop(_key(root, path), "no_image")
        for stem, path in annotations.items()
        if stem not in pictures
    ]
    return candidates, drops


def _check_patches(
    root: Path,
    patched: Mapping[str, Patched],
    candidates: Iterable[_Candidate],
    drops: Iterable[Drop],
) -> None:
    labelled = {one.picture for one in candidates}
    reasons = {drop.image: drop.reason for drop in drops if drop.reason != HELD_BACK}
    patches.require_images(patched, labelled, reasons, root)


def _examine(root: Path, scheme: Scheme, candidate: _Candidate) -> _Kept | Drop:
    if scheme.source is not None:  # a worker process does not know it yet
        use(scheme)
    image = candidate.picture
    try:
        points = read_pts(root / candidate.annotation)
    except AnnotationError as error:
        if candidate.patched is None:
            return Drop(image, "unreadable_points", _within(root, error))
        points = candidate.patched.points
    if candidate.patched is not None:
        patches.require_count(candidate.patched, len(points))
        points = candidate.patched.points
    if len(points) == PROFILE_COUNT:
        return Drop(image, "profile_39")
    if not can_become(len(points), scheme.count):
        return Drop(image, "wrong_count", f"{len(points)} points")
    if not np.isfinite(points).all():
        return Drop(image, "not_finite", f"{int((~np.isfinite(points)).sum())} coordinates")
    with np.errstate(over="ignore"):  # of 1e308, which is far outside
        points = select(points, scheme.count)
    if is_degenerate(points):
        return Drop(image, "degenerate", DEGENERATE)
    try:
        height, width = images.read(root / image).shape[:2]
    except ImageError as error:
        return Drop(image, "unreadable_image", _within(root, error))
    if (np.abs(points - (width / 2, height / 2)) > 1.5 * np.array([width, height])).any():
        return Drop(
            image, "far_outside", "a point lies more than a picture's size beyond its border"
        )
    return _Kept(image, (width, height), points)


def _files(folder: Path) -> list[Path]:
    """All files below, sorted."""
    if not folder.is_dir():
        return [folder]
    return sorted(path for path in folder.rglob("*") if not path.is_dir())


def _key(root: Path, path: Path) -> str:
    key = path.relative_to(root).as_posix()
    if not is_utf8(key):
        raise InputError(f"{root}: {key!r}: a name that is not UTF-8: rename the file")
    return key


def _within(root: Path, error: InputError) -> str:
    """The message with paths relative to `root`."""
    return str(error).removeprefix(f"{root}/")
