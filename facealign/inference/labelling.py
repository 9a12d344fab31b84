"""Points for images that have none, by a trained network, to train another one with.

The teacher runs several times on each face. Where its runs disagree, or its points are not where
the detector sees a face, the face is dropped; the others count for more the more the runs agree.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np

from facealign.core import images
from facealign.core.config import Range
from facealign.core.errors import ConfigError, ImageError
from facealign.core.faces import TEACHER, Detection, Faces
from facealign.core.geometry import CORNERS, Affine, overlap
from facealign.core.parallel import map_in_order
from facealign.core.points import can_become, select
from facealign.core.tables import stack
from facealign.data.filtering import Drop, check_names
from facealign.faces.detection import Detect, box_from_points, largest_face
from facealign.inference.network import Network, repeated

# Least IoU of the detector's box and the one expected from the points.
SAME = 0.5


@dataclass(frozen=True)
class Label:
    """The section `label` of params.yaml."""

    datasets: list[str]
    teacher: str
    spread: Annotated[float, Range(0.0001, 1)]


@dataclass(frozen=True, eq=False)
class _Labelled:
    image: str
    size: tuple[int, int]  # width, height
    face: Detection
    points: np.ndarray
    weight: float


def unlabelled_images(
    root: Path, datasets: Sequence[str], test_only: Collection[str] = ()
) -> list[str]:
    """The train images of these data sets that have no `.pts`."""
    check_names("label.datasets", datasets)
    found = []
    for name in dict.fromkeys(datasets):
        if name in test_only:
            raise ConfigError(f"label.datasets: {name!r} is in data.test_only: never trained on")
        folder = root / name / "train"
        if not folder.is_dir():
            present = ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir()))
            raise ConfigError(
                f"label.datasets: the archive has no folder {name}/train; its data sets: {present}"
            )
        files = sorted(folder.rglob("*"))
        with_points = {path.with_suffix("") for path in files if path.suffix.lower() == ".pts"}
        pictures = [path for path in files if images.is_picture(path)]
        own = [path for path in pictures if path.with_suffix("") not in with_points]
        if not own:
            raise ConfigError(f"label.datasets: {name!r} has no train image without .pts")
        found += [path.relative_to(root).as_posix() for path in own]
    return found


def label(
    root: Path, names: Sequence[str], teacher: Path, count: int, detect: Detect, spread: float
) -> tuple[Faces, list[Drop]]:
    """The largest face of each image, with `size`, `box`, `roll`, `source`, `count` points and a
    `weight` from 0 to 1, and the images that are dropped."""
    results: list[_Labelled | Drop] = []
    if names:
        network = Network(teacher, threads=1)
        if not can_become(network.count, count):
            raise ConfigError(
                f"label.teacher: {teacher} gives {network.count} points, which cannot become the "
                f"{count} of data.points"
            )
        work = partial(_label, root, network, detect, spread)
        results = list(map_in_order(work, names, "label"))
    kept = [result for result in results if isinstance(result, _Labelled)]
    corners = [one.face.box.corners for one in kept]
    faces = Faces.of(
        [one.image for one in kept],
        size=np.array([one.size for one in kept], np.int64).reshape(-1, 2),
        box=np.array(corners, np.float64).reshape(-1, len(CORNERS)),
        roll=np.array([one.face.roll for one in kept], np.float64),
        points=stack([select(one.points, count) for one in kept], count),
        source=[TEACHER] * len(kept),
        weight=np.array([one.weight for one in kept], np.float64),
    )
    return faces, [result for result in results if isinstance(result, Drop)]


def _label(
    root: Path, network: Network, detect: Detect, limit: float, name: str
) -> _Labelled | Drop:
    try:
        image = images.read(root / name)
    except ImageError as error:
        return Drop(name, "unreadable_image", str(error).removeprefix(f"{root}/"))
    face = largest_face(image, detect)
    if face is None:
        return Drop(name, "no_face")
    runs = repeated(network, image, face)
    points = runs.mean(axis=0)
    side = np.sqrt(face.box.width * face.box.height)
    spread = float(np.linalg.norm(runs - points, axis=-1).mean() / side)
    if not spread < limit:
        return Drop(name, "teacher_unsure", f"spread {spread:.4f}")
    upright = Affine.similarity(1, -face.roll)(points - face.box.centre) + face.box.centre
    if overlap(face.box, box_from_points(upright)) < SAME:
        return Drop(name, "points_elsewhere")
    height, width = image.shape[:2]
    return _Labelled(name, (width, height), face, points, 1 - spread / limit)
