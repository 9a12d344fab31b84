"""The points of any methods, as labels in files, scored on annotated faces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from facealign.core import images, tables
from facealign.core.errors import InputError
from facealign.core.faces import Faces
from facealign.core.geometry import Box, overlap
from facealign.core.points import require_common, select
from facealign.data.filtering import DEGENERATE, is_degenerate
from facealign.evaluation import metrics, protocols, scoring
from facealign.evaluation.metrics import Difference, Summary
from facealign.evaluation.scoring import ALL, Tested
from facealign.evaluation.subgroups import Groups
from facealign.faces import detection, quality
from facealign.faces.detection import Found
from facealign.inference.annotated import CED
from facealign.labels import conversion

NORMS = {  # what an error is divided by
    "dlib": "sqrt(H W) of dlib's rectangle",
    "points": protocols.NORMS["points"].words,
    "eyes": protocols.NORMS["eyes"].words,
}


@dataclass(frozen=True, eq=False)
class Board:
    """Methods on the same annotated faces."""

    faces: Faces  # with `dataset`, the true `points`, and a `box` of the norm's size
    tested: dict[str, Tested]  # each method, the best first, on the faces for which it has points
    left_out: Counter[str]

    @property
    def common(self) -> dict[str, Tested]:
        """Each method on the faces for which all have points."""
        shared = set.intersection(*(set(one.faces.images) for one in self.tested.values()))
        return {
            name: one.subset(np.array([image in shared for image in one.faces.images], bool))
            for name, one in self.tested.items()
        }

    def summary(self) -> dict[str, dict[str, Summary]]:
        """As metrics/ced.json; a face for which a method has no points counts as undetected."""
        datasets = sorted(set(self.faces.datasets))
        rows = {name: self.faces.datasets == name for name in datasets if len(datasets) > 1}
        rows[ALL] = np.ones(len(self.faces), bool)
        return {
            dataset: {
                name: its.summary(CED, int(mask.sum()) - len(its.faces))
                for name, its in (
                    (name, one if dataset == ALL else one.subset(one.faces.datasets == dataset))
                    for name, one in self.tested.items()
                )
            }
            for dataset, mask in rows.items()
        }

    def ranked(self) -> list[str]:
        """The methods, the best first; what they did not find counts."""
        return scoring.ranked(self.summary()[ALL])

    def differences(self) -> dict[tuple[str, str], Difference]:
        """Of each two methods, the better first, on the faces for which all have points."""
        return scoring.differences(self.common, CED)

    def write_errors(self, path: Path) -> None:
        """A row for each face; empty where a method has no points."""
        columns: dict[str, tables.Column] = {"image": self.faces["picture"].tolist()}
        for name, its in self.tested.items():
            known = dict(zip(its.faces.images, its.errors.tolist(), strict=True))
            columns[name] = [str(known.get(image, "")) for image in self.faces.images]
        tables.write(path, columns)

    def groups(self) -> Groups:
        """By yaw and size of the face, and by part of it, on the faces that all have points for."""
        common = self.common
        faces = next(iter(common.values())).faces
        sizes = np.array([Box.around(points).width for points in faces.points])
        named = quality.subgroups(faces.points, np.array([]), sizes)
        groups = {
            subject: {
                name: {
                    method: its.subset(group.rows).summary(CED) for method, its in common.items()
                }
                for name, group in its_groups
            }
            for subject, its_groups in named.items()
        }
        parts = {method: scoring.regions(its) for method, its in common.items()}
        if regions := next(iter(parts.values())):
            groups["part"] = {
                region: {method: its[region].summary(CED) for method, its in parts.items()}
                for region in regions
            }
        return groups


def score(truth: Path, methods: Mapping[str, Path], pictures: Path | None, norm: str) -> Board:
    """`truth` and the points of each method are labels in any format that `facealign labels` reads.

    They name images in the folder `pictures`, by default that of the truth; only the norm `dlib`
    opens them.
    """
    folder = pictures or (truth if truth.is_dir() else truth.parent)
    left_out: Counter[str] = Counter()
    annotated = _annotated(_read(truth, folder, left_out), truth)
    matched = {
        name: _matched(annotated, _read(path, folder, left_out), left_out)
        for name, path in methods.items()
    }
    faces = _normalised(annotated, norm, folder, left_out)
    rows = annotated.rows(faces.images).tolist()
    guesses = {name: [its[row] for row in rows] for name, its in matched.items()}
    found = [points for its in guesses.values() for points in its if points is not None]
    count = require_common(*{len(points) for points in [faces.points[0], *found]})
    tested = {}
    for name, its in guesses.items():
        has = np.array([points is not None for points in its], bool)
        if not has.any():
            raise InputError(f"{methods[name]}: no points for any of the {len(faces)} faces")
        own = faces.subset(has)
        points = tables.stack([select(one, count) for one in its if one is not None], count)
        tested[name] = scoring.measure(own, {name: own.with_columns(points=points)})[name]
    board = Board(faces, tested, +left_out)
    return replace(board, tested={name: tested[name] for name in board.ranked()})


def _read(path: Path, folder: Path, left_out: Counter[str]) -> dict[str, list[np.ndarray]]:
    """The points of faces that have all of them, by the path of their image without its suffix."""
    _, labels = conversion.read(path, images=folder)
    found: dict[str, list[np.ndarray]] = {}
    for face in labels.faces:
        if np.isnan(face.points).any():
            left_out[f"{path}: faces with some points only"] += 1
        else:
            key = str(PurePosixPath(face.image).with_suffix(""))
            found.setdefault(key, []).append(face.points)
    return found


def _annotated(known: Mapping[str, Sequence[np.ndarray]], truth: Path) -> Faces:
    rows = [(key, points) for key, its in known.items() for points in its]
    counts = {len(points) for _, points in rows}
    if len(counts) != 1:
        listed = " and ".join(map(str, sorted(counts))) or "none"
        raise InputError(f"{truth}: faces of {listed} points, expected one number of points")
    for key, points in rows:
        if is_degenerate(points):
            raise InputError(f"{truth}: {key}: its points have {DEGENERATE}")
    return Faces.of(
        [f"{key} {number}" for number, (key, _) in enumerate(rows)],
        picture=[key for key, _ in rows],
        dataset=[key.split("/")[0] if "/" in key else ALL for key, _ in rows],
        points=np.array([points for _, points in rows]),
    )


def _normalised(faces: Faces, norm: str, folder: Path, left_out: Counter[str]) -> Faces:
    """With a `box` whose sqrt(H * W) is what errors are divided by."""
    if norm == "eyes":
        sides = metrics.interocular(faces.points).tolist()
        boxes = [Box(0, 0, side, side) for side in sides]
    elif norm == "points":
        boxes = [Box.around(points) for points in faces.points]
    else:
        pictures = _pictures(faces["picture"].tolist(), folder)
        located = detection.locate_all(
            folder, Faces.of(pictures, points=faces.points), (0, 1), "dlib"
        )
        rows = np.array([isinstance(one, Found) for one in located], bool)
        left_out["annotated faces that dlib's detector does not find"] = int((~rows).sum())
        boxes = [one.face.box for one in located if isinstance(one, Found)]
        faces = faces.subset(rows)
    if not len(faces):
        raise InputError(f"{folder}: dlib's detector finds no annotated face; use --norm eyes")
    return faces.with_columns(box=np.array([box.corners for box in boxes]))


def _pictures(keys: Sequence[str], folder: Path) -> list[str]:
    """The files of these images."""
    paths = [path.relative_to(folder).as_posix() for path in images.find_pictures(folder)]
    files = {str(PurePosixPath(path).with_suffix("")): path for path in paths}
    if missing := [key for key in keys if key not in files]:
        raise InputError(
            f"{folder}: no image {missing[0]}, in which dlib's rectangle would be found: name the "
            "folder of the images with --images, or use --norm eyes"
        )
    return [files[key] for key in keys]


def _matched(
    faces: Faces, guesses: Mapping[str, list[np.ndarray]], left_out: Counter[str]
) -> list[np.ndarray | None]:
    """For each face the points in its image that lie most like it; their path may have more
    folders in front."""
    known = set(faces["picture"].tolist())
    found: dict[str, list[np.ndarray]] = {}
    for image, its in guesses.items():
        parts = image.split("/")
        tails = ("/".join(parts[start:]) for start in range(len(parts)))
        key = next((tail for tail in tails if tail in known), None)
        if key is None:
            left_out["images with points that are not annotated"] += 1
        else:
            found.setdefault(key, []).extend(its)
    matched: list[np.ndarray | None] = []
    for key, points in zip(faces["picture"].tolist(), faces.points, strict=True):
        around = Box.around(points)
        near = [(overlap(Box.around(one), around), one) for one in found.get(key, [])]
        likeness, best = max(near, key=lambda pair: pair[0], default=(0.0, None))
        matched.append(best if likeness > 0 else None)
    return matched
