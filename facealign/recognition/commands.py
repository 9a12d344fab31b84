"""The commands `facealign embed` and `facealign compare`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import images
from facealign.core.errors import FacealignError
from facealign.core.geometry import Box
from facealign.core.parallel import map_in_order
from facealign.inference.aligner import Network, find_model
from facealign.inference.folders import Source, aligner, find_pictures
from facealign.recognition.recogniser import RELEASED, Recogniser


@dataclass(frozen=True)
class Faces:
    """Those of a picture, or why it could not be read."""

    path: Path
    boxes: tuple[Box, ...] = ()
    embeddings: np.ndarray | None = None  # (N, dimensions)
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        assert self.embeddings is not None
        return {
            "image": str(self.path),
            "faces": [
                {
                    "box": [round(side, 3) for side in (b.left, b.top, b.right, b.bottom)],
                    "embedding": [round(float(value), 6) for value in embedding],
                }
                for b, embedding in zip(self.boxes, self.embeddings, strict=True)
            ],
        }


def embed(paths: Sequence[str], recogniser: Path, model: str) -> int:
    """A line of JSON for each picture; 0 if all could be read."""
    failed = 0
    empty = []
    for faces in _look(find_pictures(paths), recogniser, model):
        if faces.error:
            print(f"error: {faces.error}", file=sys.stderr)
            failed += 1
            continue
        print(json.dumps(faces.as_dict(), ensure_ascii=False), flush=True)
        if not faces.boxes:
            empty.append(str(faces.path))
    if empty:
        print(f"no face found in {', '.join(empty)}", file=sys.stderr)
    return 1 if failed else 0


def compare(one: str, other: str, recogniser: Path, model: str, as_json: bool) -> int:
    """How alike each face of one picture is to each of the other, the most alike first."""
    measured = Recogniser(recogniser).measured
    sources = [Source(Path(path), Path(path)) for path in (one, other)]
    first, second = _look(sources, recogniser, model)
    for faces in (first, second):
        if faces.error:
            raise FacealignError(faces.error)
        if not faces.boxes:
            raise FacealignError(f"{faces.path}: no face found")
    assert first.embeddings is not None and second.embeddings is not None
    cosines = first.embeddings @ second.embeddings.T
    order = np.argsort(-cosines, axis=None, kind="stable")
    pairs = []
    for place in order.tolist():
        alike = float(cosines.flat[place])
        row, column = divmod(place, cosines.shape[1])
        same = None if measured is None else alike > measured.threshold
        pairs.append({"one": row + 1, "other": column + 1, "similarity": alike, "same": same})
    if as_json:
        known = None if measured is None else vars(measured)
        print(json.dumps({"measured": known, "pairs": pairs}))
        return 0
    verdicts = {None: "", True: "  probably the same person", False: "  no proof that it is"}
    for pair in pairs:
        words = f"{pair['similarity']:.3f}{verdicts[pair['same']]}"
        print(f"face {pair['one']}, face {pair['other']}: {words}")
    if measured is not None:
        print(
            f"(Of {measured.people} people it did not learn, 1 in 100 pairs of different ones and "
            f"{100 * measured.accepted:.0f} in 100 of the same are above "
            f"{measured.threshold:.3f}; of pictures unlike those, such as generated faces, it says "
            "little.)",
            file=sys.stderr,
        )
    return 0


def released() -> Path:
    """The recogniser that comes along."""
    if not RELEASED.is_file():
        raise FacealignError("no recogniser comes along: name one with --recogniser")
    return RELEASED


def _look(sources: Sequence[Source], recogniser: Path, model: str) -> Iterator[Faces]:
    # their errors, before there are processes to say them from
    Recogniser(recogniser)
    Network(find_model(model))
    return map_in_order(partial(_faces, recogniser, model), sources, "faces")


def _faces(recogniser: Path, model: str, source: Source) -> Faces:
    if source.error:
        return Faces(source.path, error=source.error)
    try:
        picture = images.read(source.path)
    except FacealignError as error:
        return Faces(source.path, error=str(error))
    found = aligner(model).predict(picture)
    embeddings = _recogniser(recogniser)([(picture, face.box, face.points) for face in found])
    return Faces(source.path, tuple(face.box for face in found), embeddings)


@cache
def _recogniser(path: Path) -> Recogniser:
    """A process's own: there is one a core."""
    return Recogniser(path, threads=1)
