"""Measure how similar pairs of real photographs are to a recogniser, and store that in its file.

python -m facealign.recognition.measure RECOGNISER LEARNT PEOPLE [PHOTOGRAPHS ...]

LEARNT is the table data/recognition/people.csv: its people are left out. PEOPLE is a folder of
PERSON/IMAGE, or of files like Ann_Lee_0001.jpg. All folders count for people in one photograph. In
PHOTOGRAPHS, files like 123_1.jpg and 123_2.jpg with their .pts show two faces of one photograph, as
in 300-W.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import onnx

from facealign.core import images, tables
from facealign.core.command import run
from facealign.core.errors import InputError
from facealign.core.files import atomic_write
from facealign.core.parallel import map_in_order
from facealign.data.annotations import read_pts
from facealign.faces import detection
from facealign.inference.aligner import Aligner
from facealign.recognition.people import person_of
from facealign.recognition.recogniser import (
    DIFFERENT,
    FACT,
    KINDS,
    SAME,
    TOGETHER,
    Measured,
    Recogniser,
)
from facealign.reports import duplicates

_LEVELS = np.arange(-20, 21) / 20
_CROP = re.compile(r"(\d+)_\d+")
_OLD_FACT = "facealign.measured"  # one threshold, from pairs of video frames


@dataclass(frozen=True, eq=False)
class Seen:
    path: Path
    hash: int
    annotated: bool
    embeddings: np.ndarray  # of its faces, first the annotated or the most central one


def main(recogniser: Path, learnt: Path, people: Path, *photographs: Path) -> None:
    network, aligner = Recogniser(recogniser, threads=1), Aligner(detector="dlib", threads=1)
    known = set(tables.read(learnt)["person"])
    named, rest = [], []
    hashes: list[int] = []
    for folder in (people, *photographs):
        for seen in _see_all(folder, network, aligner):
            if not len(seen.embeddings) or duplicates.alike(hashes, [seen.hash]):
                continue
            hashes.append(seen.hash)
            name = ""
            if folder == people:
                name = person_of(f"people/all/{seen.path.relative_to(folder).as_posix()}")
            if name not in known:
                named += [(name, seen)] if name else []
                rest.append((folder, seen))
    measured = measure(named, _by_photograph(people, rest))
    model = onnx.load(recogniser)
    kept = [fact for fact in model.metadata_props if fact.key not in (FACT, _OLD_FACT)]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    model.metadata_props.add(key=FACT, value=json.dumps(asdict(measured)))
    with atomic_write(recogniser) as part:
        onnx.save(model, part)
    print("\n".join(_table(measured)))


def measure(
    named: Sequence[tuple[str, Seen]], photographs: Sequence[Sequence[np.ndarray]]
) -> Measured:
    """`named` are pictures with their people, `photographs` the embeddings of their faces."""
    names = np.array([name for name, _ in named])
    central = np.array([seen.embeddings[0] for _, seen in named])
    counts = dict.fromkeys(KINDS, 0)
    above = {kind: np.zeros(len(_LEVELS)) for kind in KINDS}

    def add(kind: str, cosines: np.ndarray) -> None:
        counts[kind] += len(cosines)
        above[kind] += (cosines[:, None] > _LEVELS).sum(axis=0)

    for row in range(len(named)):
        cosines = central[row + 1 :] @ central[row]
        same = names[row + 1 :] == names[row]
        add(SAME, cosines[same])
        add(DIFFERENT, cosines[~same])
    several = 0
    for faces in photographs:
        pairs = np.array([one @ other for one, other in combinations(faces, 2)])
        several += len(pairs) > 0
        add(TOGETHER, pairs)
    if missing := [kind for kind, count in counts.items() if not count]:
        raise InputError(
            f"no pairs of the kind {missing[0]!r}: expected at least two people, two pictures of "
            "one of them, and a picture with two faces"
        )
    shares = {kind: (above[kind] / counts[kind]).tolist() for kind in KINDS}
    return Measured(len(set(names)), several, counts, _LEVELS.tolist(), shares)


def _see_all(folder: Path, recogniser: Recogniser, aligner: Aligner) -> Iterator[Seen]:
    return map_in_order(partial(_see, recogniser, aligner), images.find_pictures(folder), "faces")


def _see(recogniser: Recogniser, aligner: Aligner, path: Path) -> Seen:
    """One picture, in a worker process."""
    picture = images.read(path)
    found = aligner.predict(picture)
    truth = path.with_suffix(".pts")
    if annotated := truth.is_file():
        own = detection.choose(found, read_pts(truth))
        found = [] if own is None else sorted(found, key=lambda face: face is not own)
    else:
        height, width = picture.shape[:2]
        middle = (width - 1) / 2, (height - 1) / 2
        found.sort(key=lambda face: math.dist(face.box.centre, middle))
    embeddings = recogniser([(picture, face.box, face.points) for face in found])
    return Seen(path, duplicates.perceptual_hash(picture), annotated, embeddings)


def _by_photograph(people: Path, pictures: Sequence[tuple[Path, Seen]]) -> list[list[np.ndarray]]:
    """The faces of each photograph: all of a file, or the annotated one of each of its crops."""
    groups: defaultdict[tuple[Path, str], list[Seen]] = defaultdict(list)
    for folder, seen in pictures:
        own = folder != people and seen.annotated
        crop = _CROP.fullmatch(seen.path.stem) if own else None
        groups[folder, crop[1] if crop else str(seen.path)].append(seen)
    return [
        list(group[0].embeddings) if len(group) == 1 else [seen.embeddings[0] for seen in group]
        for group in groups.values()
    ]


def _table(measured: Measured) -> Iterator[str]:
    yield f"{measured.people} people, {measured.photographs} photographs with several faces"
    yield "pairs:      " + "".join(f"{kind:>12}" for kind in KINDS)
    yield "            " + "".join(f"{measured.pairs[kind]:12}" for kind in KINDS)
    for level in np.arange(0, 10) / 10:
        shares = measured.more_similar(level).values()
        yield f"above {level:.1f}:  " + "".join(f"{100 * share:10.3f} %" for share in shares)


if __name__ == "__main__":
    run(main)
