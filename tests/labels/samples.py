"""Images for labels, and labels of all formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from facealign.labels import conversion, formats
from facealign.labels.faces import Images, LabelledFace

SIZES = {  # odd sides, so that a percentage of them has endless digits
    "a.png": (333, 217),
    "below/photo 2.png": (640, 480),
    'below/Эйлин & co\'s "best" #1, 50%.png': (71, 1023),
}
NAMES = list(SIZES)


def make_images(folder: Path) -> Path:
    for name, (width, height) in SIZES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        data = cv2.imencode(".png", np.zeros((height, width, 3), np.uint8))[1]
        (folder / name).write_bytes(data.tobytes())
    return folder


def place(folder: Path, form: str) -> Path:
    """Where labels of a format go."""
    return folder / f"{form}{formats.FORMATS[form].suffix}"


def save(faces: Sequence[LabelledFace], folder: Path, form: str, images: Path) -> Path:
    path = place(folder, form)
    conversion.write(path, faces, formats.FORMATS[form], Images(images))
    return path


def assert_same(found: Sequence[LabelledFace], expected: Sequence[LabelledFace]) -> None:
    assert [(face.image, face.number, face.names) for face in found] == [
        (face.image, face.number, face.names) for face in expected
    ]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.points, other.points)  # to the last bit; NaN is NaN
        np.testing.assert_array_equal(one.hidden, other.hidden)
