"""Landmarks of the faces in a picture, from one ONNX file: no torch, no training."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from facealign.core import images
from facealign.core.errors import FacealignError
from facealign.core.faces import Face, Pose
from facealign.core.geometry import Box, crop_map
from facealign.core.points import COUNT
from facealign.faces import detection, pose

WEIGHTS = Path(__file__).parents[1] / "weights"
DEFAULT = "cascade"

# Beyond this a picture is not doubled for the detector: its faces are not that small
LARGEST_DOUBLED = 8_000_000  # pixels, doubled

Picture = np.ndarray | str | os.PathLike[str]


def open_session(path: Path, threads: int | None) -> Any:
    """onnxruntime's, with all cores unless said otherwise."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # errors only
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Network:
    """A network in an ONNX file as `facealign.export` writes it."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        if threads is not None and not (_is_whole(threads) and threads >= 1):
            raise FacealignError(f"threads: {threads!r}, expected None or a whole number from 1 on")
        try:
            self._session = open_session(path, threads)
            (crops,) = self._session.get_inputs()
            self.size: int = crops.shape[1]
            facts = self._session.get_modelmeta().custom_metadata_map
            self.margin = float(facts["facealign.margin"])
            self.rim = int(facts.get("facealign.rim", "0"))  # of the crops that it learnt from
        # onnxruntime's own errors share no base but Exception
        except Exception as error:
            reason = "no such file" if not path.is_file() else str(error).splitlines()[0]
            raise FacealignError(f"{path}: not a network of facealign: {reason}") from None

    def __call__(
        self, image: np.ndarray, boxes: Sequence[Box]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Points (N, K, 2) in the picture's pixels, and their scores (N, K) if it gives any."""
        return self.of_many([(image, box) for box in boxes])

    def of_many(
        self, faces: Sequence[tuple[np.ndarray, Box]]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The same of faces from several pictures."""
        to_crops = [crop_map(box, self.margin, self.size) for _, box in faces]
        crops = [
            images.warp(image, to_crop, self.size, self.rim)
            for (image, _), to_crop in zip(faces, to_crops, strict=True)
        ]
        stacked = np.array(crops, np.uint8).reshape(-1, self.size, self.size, 3)
        found, *scores = self._session.run(None, {"crops": stacked})
        points = [
            to_crop.inverse()(face.astype(np.float64))
            for to_crop, face in zip(to_crops, found, strict=True)
        ]
        return np.array(points, np.float64).reshape(found.shape), scores[0] if scores else None


class Aligner:
    """Finds faces with dlib's detector and their 68 points with a network.

    >>> faces = Aligner().predict("photo.jpg")
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = DEFAULT,
        upsample: Sequence[int] = (0, 1),
        threads: int | None = None,
    ) -> None:
        """`model`: released weights by name, or an ONNX file. `upsample`: how often the picture is
        doubled for the detector, tried in this order until it finds a face. `threads`: of the
        network; all cores unless said otherwise."""
        whole = isinstance(upsample, Sequence) and all(map(_is_whole, upsample))
        if not whole or not upsample or min(upsample) < 0:
            raise FacealignError(
                f"upsample: {upsample!r}, expected whole numbers from 0 on, such as (0, 1)"
            )
        self.network = Network(find_model(model), threads)
        self.upsample = tuple(upsample)

    def detect(self, image: np.ndarray) -> list[Box]:
        """dlib's rectangles in an RGB picture, the most certain first."""
        for doublings in self.upsample:
            if doublings and image.shape[0] * image.shape[1] << 2 * doublings > LARGEST_DOUBLED:
                break
            if boxes := detection.find_faces(image, doublings):
                return boxes
        return []

    def predict(self, picture: Picture, boxes: Sequence[Box] | None = None) -> list[Face]:
        """The faces of a picture: a file, or an array (height, width[, channels]) in RGB order.
        Without `boxes` they are looked for."""
        (faces,) = self.predict_batch([picture], None if boxes is None else [boxes])
        return faces

    def predict_batch(
        self, pictures: Sequence[Picture], boxes: Sequence[Sequence[Box]] | None = None
    ) -> list[list[Face]]:
        """Of several pictures at once, which keeps all cores busy; they must fit into memory."""
        if isinstance(pictures, str | os.PathLike):
            raise FacealignError(f"pictures: {str(pictures)!r}, expected a list of them")
        opened = [open_picture(picture) for picture in pictures]
        found = (
            [self.detect(image) for image in opened]
            if boxes is None
            else [_checked(its) for its in boxes]
        )
        if len(found) != len(opened):
            raise FacealignError(f"{len(found)} lists of boxes for {len(opened)} pictures")
        each = [(image, box) for image, its in zip(opened, found, strict=True) for box in its]
        points, scores = self.network.of_many(each)
        faces = iter(
            Face(box, points[i], None if scores is None else scores[i], _pose(points[i]))
            for i, (_, box) in enumerate(each)
        )
        return [list(islice(faces, len(its))) for its in found]


def _pose(points: np.ndarray) -> Pose | None:
    return pose.estimate(points) if len(points) == COUNT else None


def open_picture(picture: Picture) -> np.ndarray:
    if isinstance(picture, np.ndarray):
        return images.as_rgb(picture)
    if isinstance(picture, str | os.PathLike):
        return images.read(Path(picture))
    raise FacealignError(
        f"a picture of type {type(picture).__name__}, expected a numpy array or a path"
    )


def _checked(boxes: Sequence[Box]) -> Sequence[Box]:
    if not isinstance(boxes, Sequence):
        raise FacealignError(f"boxes: {boxes!r}, expected a list of Box")
    for box in boxes:
        if not isinstance(box, Box):
            raise FacealignError(f"box {box!r}, expected Box(left, top, right, bottom)")
        if not (box.width > 0 and box.height > 0 and math.isfinite(box.width + box.height)):
            raise FacealignError(f"{box}: expected left < right and top < bottom")
    return boxes


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def released() -> list[str]:
    """The names of the weights that come along."""
    return sorted(file.stem for file in WEIGHTS.glob("*.onnx"))


def find_model(model: str | os.PathLike[str]) -> Path:
    """The file of released weights, or the path that was given."""
    if not isinstance(model, str | os.PathLike):
        raise FacealignError(f"model: {model!r}, expected a name or a path")
    path = Path(model)
    if str(model) in released() and not path.is_file():
        return WEIGHTS / f"{model}.onnx"
    if path.suffix != ".onnx":
        raise FacealignError(
            f"model {str(model)!r}: neither a file (.onnx, .pt) nor one of {', '.join(released())}"
        )
    return path


def as_dict(face: Face) -> dict[str, Any]:
    """As `facealign predict --format json` has it."""
    return {
        "box": [round(side, 3) for side in face.box.corners],
        "points": face.points.round(3).tolist(),
        "scores": None if face.scores is None else face.scores.astype(float).round(4).tolist(),
        "pose": None
        if face.pose is None
        else {name: round(value, 2) for name, value in vars(face.pose).items()},
    }
