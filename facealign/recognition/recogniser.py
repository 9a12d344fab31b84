"""Face embeddings from an ONNX file, without torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import images
from facealign.core.errors import ModelError
from facealign.core.geometry import Box
from facealign.core.points import select
from facealign.inference.network import open_session
from facealign.recognition import aligned_faces

RELEASED = Path(__file__).with_name("weights") / "recogniser.onnx"
_BATCH = 64


@dataclass(frozen=True)
class Measured:
    """A recogniser's error rates, measured on pairs of held-out people."""

    threshold: float  # the cosine above which one in a hundred pairs of different people lies
    accepted: float  # the share of pairs of one person above it
    people: int


class Recogniser:
    """A recogniser in an ONNX file as the stage `recognize` writes it.

    Pickled as its settings: each process that receives it loads the file once.
    """

    def __init__(self, path: Path, threads: int | None = None, device: str = "cpu") -> None:
        self._settings = path, threads, device
        self._session = open_session(path, "recogniser", threads, device)
        facts = self._session.get_modelmeta().custom_metadata_map
        if "facealign.points" not in facts:
            raise ModelError(
                f"{path}: not a recogniser of facealign: its metadata has no facealign.points, "
                "expected a recogniser.onnx of `make recognition`"
            )
        self.points: str = facts["facealign.points"]
        self.rim = int(facts["facealign.rim"])
        said = facts.get("facealign.measured")
        self.measured = None if said is None else Measured(**json.loads(said))
        (inputs,) = self._session.get_inputs()
        self.size: int = inputs.shape[1]

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_once, self._settings

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
        """Of crops (N, size, size, 3) without a rim."""
        found = [
            self._session.run(["embeddings"], {"crops": cut[start : start + _BATCH]})[0]
            for start in range(0, max(len(cut), 1), _BATCH)
        ]
        return np.concatenate(found)


@cache
def _load_once(path: Path, threads: int | None, device: str) -> Recogniser:
    return Recogniser(path, threads, device)
