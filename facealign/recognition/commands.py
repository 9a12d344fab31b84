"""The commands `facealign embed` and `facealign compare`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import images
from facealign.core.errors import ImageError, InputError, ModelError
from facealign.core.geometry import Box
from facealign.core.parallel import map_in_order
from facealign.inference.aligner import Aligner
from facealign.inference.listing import Source, find_pictures
from facealign.recognition.recogniser import KINDS, RELEASED, Measured, Recogniser


@dataclass(frozen=True, eq=False)
class Faces:
    """The embedded faces of a picture, or the error of one that cannot be read."""

    path: Path
    boxes: tuple[Box, ...]
    embeddings: np.ndarray  # (N, dimensions)
    error: str = ""

    @staticmethod
    def unreadable(path: Path, error: str) -> Faces:
        return Faces(path, (), np.empty((0, 0)), error)

    def as_dict(self) -> dict[str, Any]:
        return {
            "image": str(self.path),
            "faces": [
                {
                    "box": [round(side, 3) for side in b.corners],
                    "embedding": [round(float(value), 6) for value in embedding],
                }
                for b, embedding in zip(self.boxes, self.embeddings, strict=True)
            ],
        }


def load(path: Path | None, device: str) -> Recogniser:
    """The recogniser of this file, or the bundled one."""
    if path is None and not RELEASED.is_file():
        raise ModelError("there is no bundled recogniser: name one with --recogniser")
    return Recogniser(path or RELEASED, threads=1, device=device)


def embed(paths: Sequence[str], recogniser: Recogniser, aligner: Aligner) -> int:
    """Run `facealign embed`: print a line of JSON for each picture; the exit status."""
    failed = 0
    empty = []
    for faces in _embed_all(find_pictures(paths), recogniser, aligner):
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


def compare(one: str, other: str, recogniser: Recogniser, aligner: Aligner, as_json: bool) -> int:
    """Run `facealign compare`: print the similarity of each pair of faces, highest first."""
    sources = [Source(Path(path), Path(path)) for path in (one, other)]
    first, second = _embed_all(sources, recogniser, aligner)
    for faces in (first, second):
        if faces.error:
            raise ImageError(faces.error)
        if not faces.boxes:
            raise ImageError(f"{faces.path}: no face found")
    measured = recogniser.measured
    cosines = first.embeddings @ second.embeddings.T
    order = np.argsort(-cosines, axis=None, kind="stable")
    pairs = []
    for place in order.tolist():
        similarity = float(cosines.flat[place])
        row, column = divmod(place, cosines.shape[1])
        higher = None if measured is None else measured.more_similar(similarity)
        pair = {"one": row + 1, "other": column + 1, "similarity": similarity}
        pairs.append(pair | {"more_similar": higher})
    if as_json:
        known = None if measured is None else vars(measured)
        print(json.dumps({"measured": known, "pairs": pairs}))
        return 0
    for pair in pairs:
        shares = "" if measured is None else _in_words(measured, pair["more_similar"])
        print(f"face {pair['one']}, face {pair['other']}: {pair['similarity']:.3f}{shares}")
    if measured is not None:
        print(
            f"(Measured on photographs of {measured.people} people and {measured.photographs} with "
            "several faces. The shares are not the probability that a pair is of one person, and "
            "do not hold for other pictures, such as generated faces.)",
            file=sys.stderr,
        )
    return 0


def _in_words(measured: Measured, shares: Mapping[str, float]) -> str:
    same, different, together = (_percent(shares[kind], measured.pairs[kind]) for kind in KINDS)
    return (
        f" (higher: {same} of pairs of one person, {different} of two people, {together} of two "
        "people in one photograph)"
    )


def _percent(share: float, pairs: int) -> str:
    least = max(3 / pairs, 1e-4)  # if none of n pairs is more similar, up to 3 / n may be (95 %)
    if share < least:
        return f"under {100 * least:.1g} %"
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def _embed_all(
    sources: Sequence[Source], recogniser: Recogniser, aligner: Aligner
) -> Iterator[Faces]:
    return map_in_order(partial(_embed, recogniser, aligner), sources, "faces")


def _embed(recogniser: Recogniser, aligner: Aligner, source: Source) -> Faces:
    """One picture, in a worker process."""
    if source.error:
        return Faces.unreadable(source.path, source.error)
    try:
        picture = images.read(source.path)
    except ImageError as error:
        return Faces.unreadable(source.path, str(error))
    found = aligner.predict(picture)
    try:
        embeddings = recogniser([(picture, face.box, face.points) for face in found])
    except InputError as error:  # points that cannot be aligned
        return Faces.unreadable(source.path, f"{source.path}: {error}")
    return Faces(source.path, tuple(face.box for face in found), embeddings)
