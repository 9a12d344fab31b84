"""Faces and their landmarks in pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from facealign import detectors
from facealign.core import images
from facealign.core.cluster import load_once
from facealign.core.errors import ConfigError, ImageError
from facealign.core.faces import Detection, Face, Pose, as_detection
from facealign.core.geometry import FARTHEST, Affine, Box, possible
from facealign.core.points import COUNT, can_become
from facealign.detectors import Detector
from facealign.faces import pose
from facealign.faces.detection import box_from_points
from facealign.inference import weights
from facealign.inference.network import Network

# A larger picture is not doubled for the detector: its faces are not that small
MAX_DOUBLED = 8_000_000  # pixels, after doubling

Picture = np.ndarray | str | os.PathLike[str]
_Found = TypeVar("_Found", Face, Detection)


class Aligner:
    """Finds the faces of a picture with a detector and their landmarks with a network.

    A picture is a file, or an array of 8 or 16 bits: grey, RGB (OpenCV's are BGR) or RGBA.

    - `model`: released weights by name, an `.onnx` file of `facealign export`, or a checkpoint
      (`.pt`) of the pipeline, which needs the extra `export`.
    - `detector`: a name, or a function that takes an RGB picture and returns the boxes of its
      faces, or `Detection`s, which have a score and a roll, too. The network was trained on boxes
      as dlib's detector gives them.
    - `device`: of the network: "cpu", "cuda" or "cuda:N" (with onnxruntime-gpu), "coreml" (on
      macOS), "openvino" (with onnxruntime-openvino), or "auto": the first of cuda, coreml, openvino
      and cpu that works. The attribute `device` is the one that was taken.
    - `upsample`: how many times "dlib" doubles the picture; tried in this order until a face is
      found. Smaller faces take more time. Other detectors get the picture as it is.
    - `threads`: of the network; None for all cores.
    - `min_score`, `min_size`: of the faces that the detector finds, on its own scale and in pixels
      of the box's side; `largest` keeps one face of each picture.

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
        min_score: float = 0.0,
        min_size: float = 0.0,
        largest: bool = False,
    ) -> None:
        whole = isinstance(upsample, Sequence) and all(type(value) is int for value in upsample)
        if not whole or not upsample or min(upsample) < 0:
            raise ConfigError(
                f"upsample: {upsample!r}, expected non-negative integers, such as (0, 1)"
            )
        for name, least in (("min_score", min_score), ("min_size", min_size)):
            if not isinstance(least, int | float) or not math.isfinite(least):
                raise ConfigError(f"{name}: {least!r}, expected a number")
        self._min_score, self._min_size, self._largest = min_score, min_size, largest
        self._detector = detectors.find_detector(detector)
        self.upsample = tuple(upsample) if self._detector.doubles else (0,)
        path = weights.find_model(model)
        self.network = Network(path, threads, device)
        self.device = self.network.device
        self._settings = (
            path,
            detector,
            self.device,  # other processes need not search again
            tuple(upsample),
            threads,
            min_score,
            min_size,
            largest,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_once, self._settings

    @property
    def selects(self) -> bool:
        """Whether only some of the faces that are found count."""
        return self._largest or self._min_score > 0 or self._min_size > 0

    @property
    def detect_every(self) -> float:
        """Seconds between two runs of the detector on a video; 0 for every frame."""
        return self._detector.every

    def detect(self, picture: Picture) -> list[Detection]:
        """A picture's faces by the detector alone, the most certain first.

        Examples:
            >>> from facealign import Aligner
            >>> len(Aligner("small").detect("photo.jpg"))
            1
        """
        found = self.candidates(open_picture(picture))
        clear = self._detector.clear
        return self._largest_of([one for one in found if one.score is None or one.score >= clear])

    def candidates(self, image: np.ndarray) -> list[Detection]:
        """What may be faces of an RGB picture: `predict` keeps those that `is_face`."""
        for doublings in self.upsample:
            if doublings and image.shape[0] * image.shape[1] << 2 * doublings > MAX_DOUBLED:
                break
            found = self.detect_once(image, doublings)
            if found := [one for one in found if self._is_wanted(one)]:
                return found
        return []

    def detect_once(self, image: np.ndarray, doublings: int = 0) -> list[Detection]:
        """The faces of an RGB picture whose size is doubled so many times."""
        return _checked(self._detector.find(image, doublings), "boxes of the detector")

    def predict(
        self, picture: Picture, boxes: Sequence[Box | Detection] | None = None
    ) -> list[Face]:
        """The faces in these boxes of a picture, or those that the detector finds."""
        (faces,) = self.predict_batch([picture], None if boxes is None else [boxes])
        return faces

    def predict_batch(
        self,
        pictures: Sequence[Picture],
        boxes: Sequence[Sequence[Box | Detection]] | None = None,
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
            found = [self.candidates(image) for image in opened]
        else:
            found = [_checked(picture_boxes, "boxes") for picture_boxes in boxes]
        if len(found) != len(opened):
            raise ConfigError(f"boxes: {len(found)} lists for {len(opened)} pictures")
        each = [
            (image, one) for image, detected in zip(opened, found, strict=True) for one in detected
        ]
        points, scores = self.network.of_many(each)
        faces = iter(
            Face(
                box=one.box,
                points=points[i],
                scores=None if scores is None else scores[i],
                pose=_pose(points[i]),
                score=one.score,
            )
            for i, (_, one) in enumerate(each)
        )
        each_picture = [list(islice(faces, len(detected))) for detected in found]
        if boxes is None:
            return [self._chosen(found_faces) for found_faces in each_picture]
        return each_picture

    def _is_wanted(self, found: Detection) -> bool:
        clear = found.score is None or found.score >= self._min_score
        return clear and min(found.box.width, found.box.height) >= self._min_size

    def _chosen(self, faces: list[Face]) -> list[Face]:
        return self._largest_of([face for face in faces if self.is_face(face)])

    def _largest_of(self, found: list[_Found]) -> list[_Found]:
        if self._largest and found:
            return [max(found, key=lambda one: one.box.width)]
        return found

    def is_face(self, face: Face) -> bool:
        """Whether the detector's score and those of the landmarks are high enough together."""
        if face.score is None:
            return True
        if face.scores is None:
            return face.score >= self._detector.clear
        return face.score + float(face.scores.mean()) >= self._detector.certain


@load_once
def _load_once(*settings: Any) -> Aligner:
    return Aligner(*settings)


def expected_detection(points: np.ndarray) -> Detection:
    """Where a detection would be expected of a face with these points, turned or not."""
    face_pose = _pose(points)
    if face_pose is None:
        return Detection(box_from_points(points))
    roll = face_pose.roll
    upright = box_from_points(Affine.similarity(1, -roll)(points))
    x, y = Affine.similarity(1, roll)(np.array(upright.centre)).tolist()
    half = upright.width / 2
    return Detection(Box(x - half, y - half, x + half, y + half), roll=roll)


def _pose(points: np.ndarray) -> Pose | None:
    return pose.estimate(points) if can_become(len(points), COUNT) else None


def open_picture(picture: Picture) -> np.ndarray:
    """As an RGB array of bytes."""
    if isinstance(picture, np.ndarray):
        return images.as_rgb(picture)
    if isinstance(picture, str | os.PathLike):
        return images.read(Path(picture))
    raise ImageError(
        f"a picture of type {type(picture).__name__}, expected a numpy array or a path"
    )


def _checked(boxes: Sequence[Box | Detection], name: str) -> list[Detection]:
    if not isinstance(boxes, Sequence):
        raise ConfigError(f"{name}: {boxes!r}, expected a list of Box")
    for one in boxes:
        if not isinstance(one, Box | Detection):
            raise ConfigError(f"{name}: {one!r}, expected Box(left, top, right, bottom)")
    found = [as_detection(one) for one in boxes]
    for one in found:
        if not possible(np.array([one.box.corners], dtype=np.float64)).all():
            raise ConfigError(
                f"{name}: {one.box}, expected left < right and top < bottom, within "
                f"{FARTHEST:,.0f} pixels"
            )
        if not math.isfinite(one.roll):
            raise ConfigError(f"{name}: a roll of {one.roll}, expected degrees")
    return found


def as_dict(face: Face) -> dict[str, Any]:
    """The face as `facealign predict --format json` writes it."""
    return {
        "box": [round(side, 3) for side in face.box.corners],
        "score": None if face.score is None else round(face.score, 4),
        "points": face.points.round(3).tolist(),
        "scores": None if face.scores is None else face.scores.astype(float).round(4).tolist(),
        "pose": None
        if face.pose is None
        else {name: round(value, 2) for name, value in vars(face.pose).items()},
    }
