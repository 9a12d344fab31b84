"""MediaPipe's face mesh, to compare with, where the package `mediapipe` is installed."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from facealign.core.geometry import Box

MOST = 20  # faces of a picture; its default is one


def is_installed() -> bool:
    """Whether mediapipe is, in a version that has `solutions`: later ones do not."""
    try:
        _mesh_class()
    except ImportError:
        return False
    return True


def find_faces(image: np.ndarray) -> list[Box]:
    """The boxes around the meshes of an RGB picture."""
    height, width = image.shape[:2]
    found = _mesh().process(image).multi_face_landmarks or []
    return [
        # they are shares of the picture, counted from its outer edge
        Box.around(np.array([(point.x * width, point.y * height) for point in face.landmark]) - 0.5)
        for face in found
    ]


@cache
def _mesh() -> Any:
    return _mesh_class()(static_image_mode=True, max_num_faces=MOST)


def _mesh_class() -> Any:
    from mediapipe.python.solutions.face_mesh import FaceMesh

    return FaceMesh
