"""The layout of AFLW2000-3D: pictures, and a .mat file beside each with 68 points and the pose.

The points are those of a model of the head that was fitted to the face, so hidden ones are there,
too. They are MATLAB's and count pixels from 1. All faces are for testing; they are grouped by how
far they are turned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from facealign.core.errors import ArchiveError
from facealign.core.points import COUNT
from facealign.data.layouts import mat_v5
from facealign.data.layouts.release import Release, Sample, matrix, picture_beside

_FILES = "image[0-9]*.mat"
_SHAPES = {
    "pt3d_68": (3, COUNT),
    "Pose_Para": (1, 7),  # pitch, yaw and roll in radians; three of translation, and the scale
}


def fits(folder: Path) -> bool:
    return any(path.with_suffix(".jpg").is_file() for path in folder.glob(_FILES))


def read(folder: Path) -> Iterator[Sample]:
    for path in sorted(folder.glob(_FILES)):
        values = mat_v5.load(path)
        points, pose = (_matrix(values, name, path) for name in _SHAPES)
        yield Sample(
            split="test",
            name=path.stem,
            picture=picture_beside(path),
            points=points[:2].T - 1,
            attributes=[_turned(abs(float(np.degrees(pose[0, 1]))))],
        )


def _matrix(values: Mapping[str, np.ndarray], name: str, path: Path) -> np.ndarray:
    if name not in values:
        raise ArchiveError(f"{path}: no numbers {name}")
    return matrix(values[name], f"{path}: {name}", _SHAPES[name])


def _turned(yaw: float) -> str:
    return "yaw 0–30" if yaw <= 30 else "yaw 30–60" if yaw <= 60 else "yaw 60–90"


RELEASE = Release("AFLW2000-3D", re.compile(r"image\d+\.(mat|jpg)|Code"), fits, read)
