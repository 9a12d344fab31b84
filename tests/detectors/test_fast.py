import math

import cv2
import numpy as np
import pytest

from facealign import Aligner
from facealign.core.geometry import Affine, Box
from facealign.detectors import fast, hog
from facealign.experiments.fit_boxes import fit
from facealign.inference.detector_comparison import turn

FACE = Box(179, 83, 266, 170)  # the astronaut's, dlib's
ANGLES = [0, 45, 90, 135, 180, 225, 270, 315]


def error(box: Box, other: Box) -> float:
    """The distance of the middles and the difference of the sides, as a share of the side."""
    apart = math.dist(box.centre, other.centre)
    return max(apart, abs(box.width - other.width)) / other.width


def test_the_box_is_like_dlibs(astronaut: np.ndarray) -> None:
    [found] = fast.find_faces(astronaut)
    assert error(found.box, FACE) < 0.12
    assert found.score is not None and found.score > 0.9
    assert abs(found.roll - 3) < 4


@pytest.mark.parametrize("degrees", ANGLES)
def test_a_face_is_found_at_any_angle(astronaut: np.ndarray, degrees: float) -> None:
    [upright] = fast.find_faces(astronaut)
    image, there = turn(astronaut[:300, 80:380], degrees)
    best = fast.find_faces(image)[0]
    middle = there(np.array(upright.box.centre) - (80, 0))
    assert math.dist(best.box.centre, middle.tolist()) < 0.2 * upright.box.width
    assert abs((best.roll - upright.roll - degrees + 180) % 360 - 180) < 20


@pytest.mark.parametrize("degrees", ANGLES)
def test_its_points_turn_with_it(astronaut: np.ndarray, degrees: float) -> None:
    aligner = Aligner("small", threads=1)
    [upright] = aligner.predict(astronaut)
    image, there = turn(astronaut[:300, 80:380], degrees)
    best = aligner.predict(image)[0]
    apart = np.linalg.norm(best.points - there(upright.points - (80, 0)), axis=1).mean()
    assert apart < 0.04 * upright.box.width


@pytest.mark.parametrize("factor", [0.3, 0.5, 2, 6])
def test_at_any_scale_it_is_the_same_box(astronaut: np.ndarray, factor: float) -> None:
    [one] = fast.find_faces(astronaut)
    flags = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(astronaut, None, fx=factor, fy=factor, interpolation=flags)
    [other] = fast.find_faces(scaled)
    # the outer edges of both images meet
    expected = Box(*((edge + 0.5) * factor - 0.5 for edge in one.box.corners))
    assert error(other.box, expected) < 0.05


def test_small_faces_are_looked_for_in_parts(astronaut: np.ndarray) -> None:
    scene = np.full((960, 1280, 3), 90, np.uint8)
    face = cv2.resize(astronaut[:256, 96:352], (100, 100), interpolation=cv2.INTER_AREA)
    places = [(20, 30), (1100, 40), (600, 430), (30, 840), (1150, 850)]
    for x, y in places:
        scene[y : y + 100, x : x + 100] = face
    found = [one for one in fast.find_faces(scene) if (one.score or 0) > fast.CLEAR]
    assert len(found) == len(places)
    for x, y in places:
        middle = (x + 50, y + 49)
        assert min(math.dist(one.box.centre, middle) for one in found) < 8


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (30, 20)])
def test_images_without_a_face(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    assert fast.find_faces(np.zeros((*shape, 3), np.uint8)) == []
    assert Aligner("small", threads=1).predict(rng.integers(0, 256, (*shape, 3), np.uint8)) == []


def test_a_box_map_moves_turns_and_grows_with_the_keypoints() -> None:
    box_map = fast.BoxMap(SHAPE, np.random.default_rng(2).normal(0, 0.1, (9, 4)))
    keypoints = SHAPE * 80 + np.random.default_rng(3).normal(0, 4, (4, 2)) + (300, 200)
    box, roll = box_map(keypoints)
    move = Affine.translation(7, -30) @ Affine.similarity(1.7, 200)
    moved, turned_roll = box_map(move(keypoints))
    assert moved.centre == pytest.approx(move(np.array(box.centre)).tolist())
    assert moved.width == pytest.approx(1.7 * box.width)
    assert (turned_roll - roll) % 360 == pytest.approx(200)


SHAPE = np.array([[-0.4, -0.3], [0.4, -0.3], [0.0, 0.1], [0.0, 0.5]])


def test_a_box_map_is_learnt_from_faces_that_follow_one() -> None:
    rng = np.random.default_rng(4)
    truth = fast.BoxMap(SHAPE, rng.normal(0, 0.1, (9, 4)))
    keypoints, targets = [], []
    for _ in range(200):
        move = Affine.translation(*rng.normal(0, 100, 2)) @ Affine.similarity(
            rng.uniform(20, 200), rng.uniform(-180, 180)
        )
        six = move(np.concatenate([SHAPE + rng.normal(0, 0.05, (4, 2)), np.zeros((2, 2))]))
        box, roll = truth(six)
        keypoints.append(six)
        targets.append([*box.centre, box.width, roll])
    upside_down = np.array(targets)
    upside_down[:10, 3] += 180  # the keypoints of a few faces are wrong
    learnt = fit(np.array(keypoints), upside_down)
    for six, target in zip(keypoints, targets, strict=True):
        box, roll = learnt(six)
        assert [*box.centre, box.width] == pytest.approx(target[:3], rel=0.03, abs=3)
        assert abs((roll - target[3] + 180) % 360 - 180) < 3


def test_faces_are_selected_by_score_and_size(astronaut: np.ndarray) -> None:
    small = cv2.resize(astronaut, (360, 360), interpolation=cv2.INTER_AREA)
    both = np.zeros((512, 872, 3), np.uint8)
    both[:, :512], both[:360, 512:] = astronaut, small
    assert len(Aligner("small", threads=1).predict(both)) == 2
    [one] = Aligner("small", threads=1, largest=True).predict(both)
    [same] = Aligner("small", threads=1, min_size=80).predict(both)
    assert one.box == same.box and one.box.width > 80
    assert Aligner("small", threads=1, min_score=0.99).predict(both) == []


def test_dlibs_boxes_and_scores(astronaut: np.ndarray) -> None:
    [found] = hog.find_faces(astronaut, 0)
    assert found.box == FACE and found.roll == 0
    assert found.score is not None and found.score > 0.5
