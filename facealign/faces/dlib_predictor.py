"""The baseline: dlib's own 68-point predictor, or one that was trained here."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import dlib
import numpy as np

from facealign.core import images, tables
from facealign.core.cluster import load_once
from facealign.core.config import Range, Seed
from facealign.core.errors import ConfigError, ModelError
from facealign.core.faces import Faces
from facealign.core.files import sha256
from facealign.core.geometry import Box
from facealign.core.parallel import map_in_order

_FILE = "models/shape_predictor_68_face_landmarks.dat"


@dataclass(frozen=True)
class Dlib:
    """The section `dlib` of params.yaml."""

    predictor: str
    sha256: str
    # the second baseline, and what dlib's options of the same names are for it
    train: bool = False
    cascade_depth: Annotated[int, Range(1, 100)] = 10
    num_trees_per_cascade_level: Annotated[int, Range(1, 10_000)] = 500
    tree_depth: Annotated[int, Range(1, 12)] = 4
    nu: Annotated[float, Range(0.001, 1)] = 0.1
    oversampling_amount: Annotated[int, Range(1, 1000)] = 20
    seed: Seed = 1


# As in params.yaml (a test compares them), for the commands that run without that file
PUBLISHED = Dlib(
    "face_recognition_models", "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"
)


def predictor_file(config: Dlib) -> Path:
    """The model's file, a path or part of a package, checked against its hash."""
    predictor = config.predictor
    path = Path(predictor)
    if not path.is_file():
        # located without an import: face_recognition_models itself needs an old setuptools
        try:
            spec = importlib.util.find_spec(predictor) if predictor.isidentifier() else None
        except ValueError:  # __main__
            spec = None
        folders = spec.submodule_search_locations if spec else None
        if not folders:
            raise ConfigError(
                f"dlib.predictor: {predictor!r} is neither a file nor an installed package"
            )
        path = Path(folders[0]) / _FILE
        if not path.is_file():
            raise ModelError(f"dlib.predictor: package {predictor!r} has no {_FILE}")
    digest = sha256(path)
    if digest != config.sha256:
        raise ModelError(f"dlib.sha256: {path} has {digest}, expected {config.sha256}")
    return path


def whole_pixels(box: Box) -> np.ndarray:
    """The corners (4,) as dlib's rectangles have them."""
    return np.array([round(corner) for corner in box.corners], dtype=np.int64)


def predict(image: np.ndarray, box: Box, model: Path) -> np.ndarray:
    """Points (K, 2), image pixels; 68 of dlib's own model."""
    shape = _predictor(model)(image, dlib.rectangle(*whole_pixels(box).tolist()))
    return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)


def predict_all(root: Path, faces: Faces, model: Path) -> np.ndarray:
    """Points (faces, K, 2), image pixels, of faces with `box`."""
    boxed = [(image, faces.box(row)) for row, image in enumerate(faces.images)]
    found = list(map_in_order(partial(_predict, root, model), boxed, "dlib"))
    # there may be no face that shows how many points the model has
    blank = predict(np.zeros((2, 2), np.uint8), Box(0, 0, 1, 1), model)
    return tables.stack(found, len(blank))


def _predict(root: Path, model: Path, face: tuple[str, Box]) -> np.ndarray:
    image, box = face
    return predict(images.read(root / image), box, model)


@load_once
def _predictor(model: Path) -> Any:
    try:
        return dlib.shape_predictor(str(model))
    except RuntimeError as error:
        raise ModelError(f"{model}: not a predictor of dlib: {error}") from None
