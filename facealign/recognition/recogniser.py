"""Face embeddings from an ONNX file, without torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from facealign.core import images
from facealign.core.cluster import load_once
from facealign.core.geometry import Box
from facealign.core.points import select
from facealign.inference.network import LARGEST, Session
from facealign.recognition import aligned_faces
from facealign.recognition.recipe import Points

RELEASED = Path(__file__).with_name("weights") / "recogniser.onnx"
_BATCH = 64
_DIMENSIONS = 4096  # of an embedding, at most
FACT = "facealign.similarities"  # of the metadata: what was measured
SAME, DIFFERENT, TOGETHER = "same", "different", "together"
KINDS = (SAME, DIFFERENT, TOGETHER)  # pairs of one person, of two, of two in one photograph


@dataclass(frozen=True)
class Measured:
    """How similar pairs of real photographs are, as `facealign.recognition.measure` stores it."""

    people: int
    photographs: int  # with several faces
    pairs: dict[str, int]  # of each of KINDS
    levels: list[float]  # cosines, rising
    above: dict[str, list[float]]  # the share of each kind's pairs that exceeds each level

    @staticmethod
    def parse(text: str) -> Measured:
        """Of anyone's file: ValueError if it is anything else."""
        try:
            read = Measured(**json.loads(text))
            curves = np.array([read.levels, *(read.above[kind] for kind in KINDS)], np.float64)
            counts = [read.people, read.photographs, *(read.pairs[kind] for kind in KINDS)]
        except (TypeError, LookupError, OverflowError, RecursionError) as error:
            raise ValueError(str(error)) from None
        levels, *above = curves
        sound = (
            curves.size > 0
            and all(type(count) is int and count > 0 for count in counts)
            and bool((np.diff(levels) > 0).all() and (curves[1:] >= 0).all())
            and bool((curves <= 1).all())
        )
        if not sound:
            raise ValueError("counts, levels or shares out of range")
        pairs = {kind: read.pairs[kind] for kind in KINDS}
        shares = {kind: share.tolist() for kind, share in zip(KINDS, above, strict=True)}
        return Measured(read.people, read.photographs, pairs, levels.tolist(), shares)

    def more_similar(self, cosine: float) -> dict[str, float]:
        """The share of each kind's pairs that are more similar; linear between two levels."""
        return {kind: float(np.interp(cosine, self.levels, self.above[kind])) for kind in KINDS}


class Recogniser:
    """A recogniser in an ONNX file as the stage `recognize` writes it.

    Pickled as its settings: each process that receives it loads the file once.
    """

    def __init__(self, path: Path, threads: int | None = None, device: str = "cpu") -> None:
        self._session = Session(path, "recogniser", "points", threads, device)
        self._settings = path, threads, self._session.device
        facts = self._session.facts
        self.points: str = facts["facealign.points"]
        if self.points not in map(str, get_args(Points)):
            raise self._session.error(f"facealign.points is {self.points[:40]!r}")
        self.rim = int(self._session.number("rim", 0, LARGEST))
        measured = facts.get(FACT)
        try:
            self.measured = None if measured is None else Measured.parse(measured)
        except ValueError:
            raise self._session.error(f"{FACT} is {str(measured)[:40]!r}") from None
        self.size = self._session.size
        self._check(self._session.trial)

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
            self._check(self._session.run(cut[start : start + _BATCH]))
            for start in range(0, max(len(cut), 1), _BATCH)
        ]
        return np.concatenate(found)

    def _check(self, outputs: list[np.ndarray]) -> np.ndarray:
        """Embeddings (N, dimensions), of length 1."""
        shapes = [output.shape for output in outputs]
        if len(shapes) != 1 or len(shapes[0]) != 2 or not 1 <= shapes[0][1] <= _DIMENSIONS:
            raise self._session.error(f"outputs of {shapes}, expected one embedding a face")
        if not np.isfinite(outputs[0]).all():
            raise self._session.error("it gives embeddings that are no numbers")
        return outputs[0]


@load_once
def _load_once(path: Path, threads: int | None, device: str) -> Recogniser:
    return Recogniser(path, threads, device)
