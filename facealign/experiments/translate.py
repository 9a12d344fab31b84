"""Write an archive in which the points of a data set's train pictures follow other annotators.

Networks that were trained on those annotators' points predict where they would put them. A linear
map brings the data set's own points there, and the mean of both is written, so that each corrects
the other's errors. The faces of other data sets, and of other splits, go into the archive as they
are. This is not a stage, since it takes networks that are trained already.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facealign.core.command import run
from facealign.core.errors import ConfigError, InputError
from facealign.core.geometry import box_sizes
from facealign.data import archive
from facealign.data.annotations import format_pts
from facealign.evaluation import metrics, translation
from facealign.inference import annotated
from facealign.inference.aligner import Aligner

EACH = 3  # every third face goes into the archive: the next frames of a video show nearly the same


def main(faces: Path, dataset: Path, target: Path, *networks: Path) -> None:
    if not networks:
        raise ConfigError("networks: none given, expected .onnx files that give the points' places")
    folder = faces / dataset / "train"
    known, dropped = annotated.known_faces(folder, None)
    aligners = [Aligner(path, "dlib", threads=1) for path in networks]
    estimates = [
        annotated.estimate_all(known, aligner, None, aligner.network.path.stem)
        for aligner in aligners
    ]
    found = estimates[0].faces  # the detector's faces, the same for every network
    if not len(found):
        raise InputError(f"{folder}: the detector finds no face on any of its pictures")
    sizes, own = box_sizes(found.boxes), found.points
    meant = np.mean([one.predicted["model"].points for one in estimates], axis=0)
    moved = translation.translate(own, meant, sizes)
    paths = [Path(image) for image in found.images]
    points = {paths[row]: (moved[row] + meant[row]) / 2 for row in range(0, len(found), EACH)}
    archive.pack(target, _files(faces, folder, points))
    before, after = (metrics.mean_distances(its, meant) / sizes for its in (own, moved))
    print(
        f"{folder}: {len(known)} faces, of which the detector misses {len(known) - len(found)}; "
        f"one in {EACH} of the others, {len(points)}, is in {target}\n"
        f"mean distance from the networks' points, as a share of the rectangle's side: "
        f"{before.mean():.2%} before the translation, {after.mean():.2%} after it"
    )
    for reason in dropped:
        print(f"dropped: {reason}")


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
