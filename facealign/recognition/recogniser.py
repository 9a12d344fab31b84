"""Face embeddings from an ONNX file: unit vectors whose dot product is the cosine similarity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facealign.core import images
from facealign.core.errors import ModelError
from facealign.core.geometry import Box
from facealign.core.points import select
from facealign.inference.aligner import open_session
from facealign.recognition import aligned_faces

RELEASED = Path(__file__).with_name("weights") / "recogniser.onnx"
_BATCH = 64


@dataclass(frozen=True)
class Measured:
    """Verification by a recogniser, measured on pairs of people held out of its training."""

    threshold: float  # cosine similarity at a false accept rate of 0.01
    accepted: float  # the true accept rate there
    people: int


class Recogniser:
    """An ONNX file that the stage `recognize` has written."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        try:
            self._session = open_session(path, threads)
            (inputs,) = self._session.get_inputs()
            self.size: int = inputs.shape[1]
            facts = self._session.get_modelmeta().custom_metadata_map
            self.points: str = facts["facealign.points"]
            self.rim = int(facts["facealign.rim"])
            measured = facts.get("facealign.measured")
            self.measured = None if measured is None else Measured(**json.loads(measured))
        # the errors of onnxruntime have no common base but Exception
        except Exception as error:
            reason = "expected a recogniser.onnx of `make recognition`"
            if not path.is_file():
                reason = "no such file"
            elif not isinstance(error, KeyError) and path.suffix == ".onnx":
                reason = str(error).splitlines()[0]
            raise ModelError(f"{path}: not a recogniser of facealign: {reason}") from None

    def __call__(self, faces: Sequence[tuple[np.ndarray, Box, np.ndarray]]) -> np.ndarray:
        """Embeddings (N, dimensions) of faces: RGB picture, dlib's rectangle, 68 or 5 points."""
        cut = [
            images.warp(
                picture,
                aligned_faces.to_input(box, select(points, 5), self.points, self.size),
                self.size,
                self.rim,
            )
            for picture, box, points in faces
        ]
        return self.of_crops(np.array(cut, np.uint8).reshape(-1, self.size, self.size, 3))

    def of_crops(self, cut: np.ndarray) -> np.ndarray:
        """Embeddings of crops (N, size, size, 3) without a rim."""
        embeddings = [
            self._session.run(["embeddings"], {"crops": cut[start : start + _BATCH]})[0]
            for start in range(0, max(len(cut), 1), _BATCH)
        ]
        return np.concatenate(embeddings)
