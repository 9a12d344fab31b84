"""Faces and their landmarks in pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import images
from facealign.core.errors import ConfigError, ImageError
from facealign.core.faces import Face, Pose
from facealign.core.geometry import FARTHEST, Box, possible
from facealign.core.points import COUNT
from facealign.faces import pose
from facealign.inference import detectors, weights
from facealign.inference.detectors import Detector
from facealign.inference.network import Network

# A larger picture is not doubled for the detector: its faces are not that small
MAX_DOUBLED = 8_000_000  # pixels, after doubling

Picture = np.ndarray | str | os.PathLike[str]


class Aligner:
    """Finds the faces of a picture with a detector and their landmarks with a network.

    A picture is a file, or an array of 8 or 16 bits: grey, RGB (OpenCV's are BGR) or RGBA.

    - `model`: released weights by name, an `.onnx` file of `facealign export`, or a checkpoint
      (`.pt`) of the pipeline, which needs the extra `export`.
    - `detector`: a name, or a function that takes an RGB picture and returns the boxes of its
      faces. The network was trained on boxes as dlib's detector gives them.
    - `device`: of the network, "cpu", "cuda" or "cuda:N"; CUDA needs onnxruntime-gpu.
    - `upsample`: how many times a named detector doubles the picture; tried in this order until a
      face is found. Smaller faces take more time. A function gets the picture as it is.
    - `threads`: of the network; None for all cores.

    An aligner can be sent to other processes, which then load its network once each.

    Examples:
        >>> from facealign import Aligner, Box
        >>> aligner = Aligner("small")
        >>> [face] = aligner.predict("photo.jpg")
        >>> face.points.shape, face.scores.shape
        ((68, 2), (68,))
        >>> [face] = aligner.predict("photo.jpg", boxes=[Box(166, 73, 273, 180)])
        >>> face.box.width
        107
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = weights.DEFAULT,
        detector: str | Detector = detectors.DEFAULT,
        device: str = "cpu",
        upsample: Sequence[int] = (0, 1),
        threads: int | None = None,
    ) -> None:
        whole = isinstance(upsample, Sequence) and all(type(value) is int for value in upsample)
        if not whole or not upsample or min(upsample) < 0:
            raise ConfigError(
                f"upsample: {upsample!r}, expected non-negative integers, such as (0, 1)"
            )
        self.upsample = (0,) if callable(detector) else tuple(upsample)
        self._find = detectors.find_detector(detector)
        path = weights.find_model(model)
        self.network = Network(path, threads, device)
        self._settings = path, detector, device, tuple(upsample), threads

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_once, self._settings

    def detect(self, picture: Picture) -> list[Box]:
        """The boxes of a picture's faces, the most certain first.

        Examples:
            >>> from facealign import Aligner
            >>> len(Aligner("small").detect("photo.jpg"))
            1
        """
        image = open_picture(picture)
        for doublings in self.upsample:
            if doublings and image.shape[0] * image.shape[1] << 2 * doublings > MAX_DOUBLED:
                break
            if boxes := self.detect_once(image, doublings):
                return boxes
        return []

    def detect_once(self, image: np.ndarray, doublings: int = 0) -> list[Box]:
        """The boxes of an RGB picture whose size is doubled so many times."""
        return _checked(self._find(image, doublings), "boxes of the detector")

    def predict(self, picture: Picture, boxes: Sequence[Box] | None = None) -> list[Face]:
        """The faces in these boxes of a picture, or those that the detector finds."""
        (faces,) = self.predict_batch([picture], None if boxes is None else [boxes])
        return faces

    def predict_batch(
        self, pictures: Sequence[Picture], boxes: Sequence[Sequence[Box]] | None = None
    ) -> list[list[Face]]:
        """The faces of each of several pictures, in one run of the network.

        Examples:
            >>> from facealign import Aligner
            >>> [len(faces) for faces in Aligner("small").predict_batch(["photo.jpg", "photo.jpg"])]
            [1, 1]
        """
        if isinstance(pictures, str | os.PathLike):
            raise ConfigError(f"pictures: {str(pictures)!r}, expected a list of pictures")
        opened = [open_picture(picture) for picture in pictures]
        if boxes is None:
            found = [self.detect(image) for image in opened]
        else:
            found = [_checked(picture_boxes, "boxes") for picture_boxes in boxes]
        if len(found) != len(opened):
            raise ConfigError(f"boxes: {len(found)} lists for {len(opened)} pictures")
        each = [
            (image, box)
            for image, picture_boxes in zip(opened, found, strict=True)
            for box in picture_boxes
        ]
        points, scores = self.network.of_many(each)
        faces = iter(
            Face(box, points[i], None if scores is None else scores[i], _pose(points[i]))
            for i, (_, box) in enumerate(each)
        )
        return [list(islice(faces, len(picture_boxes))) for picture_boxes in found]


@cache
def _load_once(*settings: Any) -> Aligner:
    return Aligner(*settings)


def _pose(points: np.ndarray) -> Pose | None:
    return pose.estimate(points) if len(points) == COUNT else None


def open_picture(picture: Picture) -> np.ndarray:
    """As an RGB array of bytes."""
    if isinstance(picture, np.ndarray):
        return images.as_rgb(picture)
    if isinstance(picture, str | os.PathLike):
        return images.read(Path(picture))
    raise ImageError(
        f"a picture of type {type(picture).__name__}, expected a numpy array or a path"
    )


def _checked(boxes: Sequence[Box], name: str) -> list[Box]:
    if not isinstance(boxes, Sequence):
        raise ConfigError(f"{name}: {boxes!r}, expected a list of Box")
    for box in boxes:
        if not isinstance(box, Box):
            raise ConfigError(f"{name}: {box!r}, expected Box(left, top, right, bottom)")
        if not possible(np.array([box.corners], dtype=np.float64)).all():
            raise ConfigError(
                f"{name}: {box}, expected left < right and top < bottom, within {FARTHEST:,.0f} "
                "pixels"
            )
    return list(boxes)


def as_dict(face: Face) -> dict[str, Any]:
    """The face as `facealign predict --format json` writes it."""
    return {
        "box": [round(side, 3) for side in face.box.corners],
        "points": face.points.round(3).tolist(),
        "scores": None if face.scores is None else face.scores.astype(float).round(4).tolist(),
        "pose": None
        if face.pose is None
        else {name: round(value, 2) for name, value in vars(face.pose).items()},
    }
