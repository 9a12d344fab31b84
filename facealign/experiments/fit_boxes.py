"""Learn how the fast detector's keypoints give dlib's rectangle and the roll of the face.

From the train faces of the pipeline, after `dvc repro detect`: `python -m
facealign.experiments.fit_boxes data/faces data/index.csv data/boxes.csv
facealign/detectors/weights/boxes.json`. Every fifth face is held out to measure on. The map of the
package is from generated faces (`demo: {pictures: 2400, people: 0, odd: 0.13}`), not photographs.
"""

from __future__ import annotations

import hashlib
import math
from functools import partial
from pathlib import Path

import numpy as np

from facealign.core import images
from facealign.core.command import run
from facealign.core.errors import InputError
from facealign.core.faces import TRUTH, Faces
from facealign.core.files import write_json
from facealign.core.geometry import Affine, Box
from facealign.core.parallel import map_in_order
from facealign.detectors.blazeface import BlazeFace, Kind
from facealign.detectors.fast import USED, BoxMap, features, pose
from facealign.faces import pose as head_pose

KINDS: tuple[Kind, ...] = ("short", "full")
FURTHEST = 45.0  # degrees by which images are turned: keypoints of faces turned further err
THRESHOLD = 0.3
WRONG_ROLL, WRONG_SIDE = 25.0, 0.4  # errors, degrees and log, of keypoints that are not the face's


def main(root: Path, index: Path, boxes: Path, target: Path) -> None:
    found = Faces.read(boxes)
    faces = found.subset(np.array([source != TRUTH for source in found["source"]]))
    faces = faces.join(Faces.read(index)).where(split="train")
    each = list(zip(faces.images, faces.boxes, faces.points, strict=True))
    results = [
        one for face in map_in_order(partial(_examples, root), each, "faces") for one in face
    ]
    stored = {}
    for kind in KINDS:
        own = [example for name, example in results if name == kind]
        if len(own) < 50:
            raise InputError(f"{boxes}: {kind} found {len(own)} faces, expected at least 50")
        held = np.array([example[0] for example in own])
        keypoints = np.array([example[1] for example in own])
        targets = np.array([example[2] for example in own])
        box_map = fit(keypoints[~held], targets[~held])
        errors = np.array(
            [_errors(box_map, *one) for one in zip(keypoints[held], targets[held], strict=True)]
        )
        right = np.abs(errors[:, 3]) < WRONG_ROLL
        errors = errors[right]
        print(
            f"{kind}: {len(own)} of {2 * len(faces)} found, {held.sum()} of them held out, "
            f"{(~right).sum()} of these with a wrong roll"
        )
        for name, values in (("mean", errors.mean(axis=0)), ("deviation", errors.std(axis=0))):
            across, down, size, roll = values
            print(
                f"  {name}: middle {across:.1%}, {down:.1%} and side {size:.1%} of the side, roll "
                f"{roll:.1f} degrees"
            )
        stored[kind] = {"shape": box_map.shape.tolist(), "weights": box_map.weights.tolist()}
    write_json(target, stored)


def fit(keypoints: np.ndarray, targets: np.ndarray) -> BoxMap:
    """From keypoints (N, 6, 2) and the targets (N, 4): middle, side and roll of the face."""
    shape = np.array([[-0.4, -0.35], [0.4, -0.35], [0.0, 0.1], [0.0, 0.5]])
    shape = shape - shape.mean(axis=0)
    for _ in range(3):  # to the mean shape
        moved = np.array([pose(one[:USED], shape)[1] for one in keypoints])
        shape = moved.mean(axis=0)
        shape = shape - shape.mean(axis=0)
    rows, wanted = [], []
    for one, (x, y, side, roll) in zip(keypoints, targets, strict=True):
        to_image, remaining = pose(one[:USED], shape)
        across, down = to_image.inverse()(np.array([x, y])).tolist()
        turned = math.degrees(math.atan2(to_image.matrix[1, 0], to_image.matrix[0, 0]))
        rows.append(features(remaining))
        wanted.append(
            [across, down, math.log(side / to_image.scale), (roll - turned + 180) % 360 - 180]
        )
    known, goals = np.array(rows), np.array(wanted)
    weights = np.linalg.lstsq(known, goals, rcond=None)[0]
    for _ in range(3):  # without keypoints that are not the face's, as of one that is upside down
        off = np.abs(known @ weights - goals)
        right = (off[:, 2] < WRONG_SIDE) & (off[:, 3] < WRONG_ROLL)
        weights = np.linalg.lstsq(known[right], goals[right], rcond=None)[0]
    return BoxMap(shape, weights)


def _errors(box_map: BoxMap, keypoints: np.ndarray, target: np.ndarray) -> list[float]:
    """Of the middle as shares of the side, of the side as a share, of the roll in degrees."""
    box, roll = box_map(keypoints)
    x, y, side, true_roll = target.tolist()
    upright = Affine.similarity(1 / side, -true_roll)
    across, down = upright(np.array(box.centre) - (x, y)).tolist()
    return [across, down, box.width / side - 1, (roll - true_roll + 180) % 360 - 180]


_Example = tuple[bool, np.ndarray, tuple[float, float, float, float]]


def _examples(root: Path, face: tuple[str, np.ndarray, np.ndarray]) -> list[tuple[Kind, _Example]]:
    """The keypoints of a face as it is, and with the image turned: the network errs differently."""
    name, corners, points = face
    image, box = images.read(root / name), Box(*corners)
    digest = hashlib.sha256(name.encode()).digest()
    held, turn = digest[0] % 5 == 0, (digest[1] / 255 * 2 - 1) * FURTHEST
    roll = head_pose.estimate(points).roll
    height, width = image.shape[:2]
    (x, y), half = ((width - 1) / 2, (height - 1) / 2), math.hypot(width, height) / 2
    square = Box(x - half, y - half, x + half, y + half)
    found: list[tuple[Kind, _Example]] = []
    for kind in KINDS:
        for by, region in ((0.0, None), (turn, square)):
            seen = BlazeFace(kind)(image, region, THRESHOLD, by)
            near = [one for one in seen if box.holds(one.keypoints[:USED]).all()]
            if near:
                target = (*box.centre, math.sqrt(box.width * box.height), roll)
                found.append((kind, (held, near[0].keypoints, target)))
    return found


if __name__ == "__main__":
    run(main)
