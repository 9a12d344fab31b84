"""The logged model as MLflow loads it: `mlflow models serve`, or `mlflow.pyfunc.load_model`."""

from __future__ import annotations

from typing import Any

import numpy as np

from facealign.inference.aligner import Aligner


class Served:
    def __init__(self, checkpoint: str) -> None:
        self.aligner = Aligner(checkpoint)

    def predict(self, image: np.ndarray, params: dict[str, Any] | None = None) -> np.ndarray:
        """The points (faces, points, 2) of the faces in an RGB image (H, W, 3), in pixels."""
        faces = self.aligner.predict(np.asarray(image))
        if not faces:
            return np.empty((0, 0, 2))
        return np.array([face.points for face in faces], np.float64)


def _load_pyfunc(path: str) -> Served:
    """Called by MLflow with the checkpoint's path."""
    return Served(path)
