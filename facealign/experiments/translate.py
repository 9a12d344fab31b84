"""Write an archive in which a data set's train pictures have their points where networks mean them.

The networks learnt from other annotators, and say where those would see the points. A linear map
brings the data set's own points there, and what is written is the mean of both, so that each
corrects the other's errors. The faces of other data sets, and of other splits, go into the archive
as they are. No stage: it takes networks that are trained already.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from facealign.core.command import run
from facealign.core.errors import FacealignError
from facealign.core.parallel import map_in_order
from facealign.data import archive
from facealign.data.annotations import format_pts
from facealign.evaluation import metrics, translation
from facealign.inference import annotated
from facealign.inference.aligner import Aligner
from facealign.inference.annotated import Known, Measured

EACH = 3  # of so many faces one goes into the archive: the next frame of a film shows little else


def main(faces: Path, dataset: Path, target: Path, *networks: Path) -> None:
    if not networks:
        raise FacealignError("name the networks, .onnx files, that say where the points are meant")
    folder = faces / dataset / "train"
    known, dropped = annotated.known_faces(folder, None)
    looks = [_look(network, known) for network in networks]
    found = [face for face in known if all(face.path in look for look in looks)]
    if not found:
        raise FacealignError(f"{folder}: the detector finds no face on any of its pictures")
    sizes = np.array([looks[0][face.path].size for face in found])
    own = np.array([face.points for face in found])
    meant = np.mean([[look[f.path].points["model"] for f in found] for look in looks], axis=0)
    moved = translation.translate(own, meant, sizes)
    points = {found[i].path: (moved[i] + meant[i]) / 2 for i in range(0, len(found), EACH)}
    archive.pack(target, _files(faces, folder, points))
    before, after = (metrics.mean_distances(its, meant) / sizes for its in (own, moved))
    print(
        f"{folder}: {len(known)} faces, of which the detector misses {len(known) - len(found)}; "
        f"one in {EACH} of the others, {len(points)}, is in {target}\n"
        f"their own points are {before.mean():.2%} of the rectangle's side off the networks', "
        f"translated {after.mean():.2%}"
    )
    for reason in dropped:
        print(f"dropped: {reason}")


def _look(network: Path, known: list[Known]) -> dict[Path, Measured]:
    """By picture, where a face was found."""
    aligner = Aligner(network, threads=1)
    looked = map_in_order(partial(annotated.look, aligner, None), known, network.stem)
    return {result.known.path: result for result in looked if isinstance(result, Measured)}


def _files(
    faces: Path, translated: Path, points: dict[Path, np.ndarray]
) -> Iterator[tuple[str, bytes]]:
    for path in sorted(file for file in faces.rglob("*") if file.is_file()):
        name = path.relative_to(faces)
        if translated not in path.parents:
            yield name.as_posix(), path.read_bytes()
        elif path in points:
            yield name.as_posix(), path.read_bytes()
            yield name.with_suffix(".pts").as_posix(), format_pts(points[path]).encode()


if __name__ == "__main__":
    run(main)
