from pathlib import Path

import numpy as np
import pytest

from facealign import Aligner, Box, Detection, Tracker
from facealign.core.geometry import Affine
from facealign.core.images import warp
from facealign.inference import benchmark
from facealign.inference.tracker import Smoother
from facealign.synthesis.film import film, still, swaying

FPS = 30.0


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner(threads=1)


@pytest.fixture(scope="module")
def lively() -> list[tuple[np.ndarray, np.ndarray]]:
    return list(film(swaying, 40, seed=11))


@pytest.mark.slow
def test_a_false_detection_is_not_tracked(
    aligner: Aligner, lively: list[tuple[np.ndarray, np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, _ = lively[0]
    real = aligner.detect(frame)
    wall = Detection(Box(2, 2, 82, 82))  # a corner of the background
    monkeypatch.setattr(aligner, "detect", lambda image: [*real, wall])
    tracker = Tracker(aligner)
    assert len(tracker(frame, 0.0)) == tracker.tracks == len(real)


class TestSmoother:
    def test_a_still_face_has_little_jitter(self, face: np.ndarray) -> None:
        rng = np.random.default_rng(0)
        smoother = Smoother(face)
        raw = face + rng.normal(0, 0.5, (60, *face.shape))
        smooth = np.array([smoother(points, 160, 1 / FPS) for points in raw])
        jitter = [np.abs(np.diff(points, axis=0)).mean() for points in (raw, smooth)]
        assert jitter[1] < jitter[0] / 4

    def test_a_moving_face_has_no_lag(self, face: np.ndarray) -> None:
        """One box width a second; a plain low-pass filter of 0.4 Hz would lag by 0.4 s."""
        smoother = Smoother(face)
        for frame in range(1, 40):
            moved = face + (160 * frame / FPS, 0)
            shown = smoother(moved, 160, 1 / FPS)
        assert np.abs(shown - moved).max() < 0.01 * 160

    def test_an_opening_mouth_is_shown_at_once(self, face: np.ndarray) -> None:
        smoother = Smoother(face)
        for _ in range(20):
            smoother(face, 160, 1 / FPS)
        opened = face.copy()
        for frame in range(1, 7):
            opened[55:60, 1] = face[55:60, 1] + 4 * frame
            shown = smoother(opened, 160, 1 / FPS)
            assert np.abs(shown - opened).max() <= 0.01 * 160 + 1e-9
        assert np.abs(shown[:48] - face[:48]).max() < 0.5


def test_a_face_is_tracked_without_the_detector(
    lively: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    tracker = Tracker(Aligner(detector="dlib", upsample=(0,), threads=1))
    tracks, errors = set(), []
    for frame, (picture, truth) in enumerate(lively):
        (one,) = tracker(picture, frame / FPS)
        tracks.add(one.track)
        size = np.ptp(truth, axis=0).mean()
        errors.append(np.linalg.norm(one.face.points - truth, axis=1).mean() / size)
    assert tracks == {1}
    assert tracker.detections == 2  # in the first frame and after a second
    assert np.mean(errors) < 0.025


def test_a_lost_face_is_dropped_and_the_next_one_gets_a_new_number(
    aligner: Aligner, lively: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    tracker = Tracker(aligner)
    picture, _ = lively[0]
    empty = np.full_like(picture, 90)
    assert [one.track for one in tracker(picture, 0.0)] == [1]
    assert tracker(empty, 0.1) == []
    assert tracker(empty, 0.2) == []
    both = np.hstack([picture, picture])
    assert sorted(one.track for one in tracker(both, 0.3)) == [2, 3]
    assert sorted(one.track for one in tracker(both, 0.4)) == [2, 3]


def test_the_fast_detector_sees_a_new_face_at_once(
    aligner: Aligner, lively: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    tracker = Tracker(aligner)
    picture, _ = lively[0]
    alone = np.hstack([picture, np.full_like(picture, 90)])
    assert [one.track for one in tracker(alone, 0.0)] == [1]
    assert [one.track for one in tracker(np.hstack([picture, picture]), 1 / FPS)] == [1, 2]
    assert tracker.detections == 2


def test_a_face_that_turns_over_is_not_lost(aligner: Aligner, astronaut: np.ndarray) -> None:
    """A whole turn in a second and a third, at 30 frames a second."""
    tracker = Tracker(aligner)
    part = astronaut[:300, 80:380]
    middle = Affine.translation(149.5, 149.5)
    first = None
    for frame in range(41):
        turn = middle @ Affine.similarity(1, 9 * frame) @ middle.inverse()
        [one] = tracker(warp(part, turn, 300), frame / FPS)
        assert one.track == 1
        first = one.face if first is None else first
        apart = np.linalg.norm(one.face.points - turn(first.points), axis=1).mean()
        assert apart < 0.05 * first.box.width


def test_two_tracks_that_meet_on_one_face_become_one(
    aligner: Aligner, lively: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    """Two copies of a face approach each other until they coincide."""
    picture, _ = lively[0]
    tracker = Tracker(aligner)
    middle = picture.shape[1] // 2
    counts = []
    for frame, apart in enumerate([240, 220, 200, 180, 150, 120, 90, 60, 30, 0]):
        left = np.roll(picture, -apart // 2, axis=1)
        right = np.roll(picture, apart // 2, axis=1)
        both = np.hstack([left[:, :middle], right[:, middle:]])
        counts.append(len(tracker(both, frame / 30)))
    assert max(counts) == 2 and counts[-1] == 1


def test_lag_is_measured_and_a_constant_offset_has_none() -> None:
    times = np.arange(60) / FPS
    shift = np.stack([np.sin(7 * times), np.cos(5 * times)], axis=1)[:, None]
    truth = 100 + 30 * shift + np.zeros((60, 4, 2))
    late = truth[np.maximum(np.arange(60) - 2, 0)] + 3
    assert benchmark.lag(late, truth, FPS) == pytest.approx(2000 / FPS, abs=6)
    assert benchmark.lag(truth + 3, truth, FPS) == pytest.approx(0, abs=1)


def test_in_a_still_film_only_the_noise_changes() -> None:
    (one, points), (other, same) = film(still, 2, seed=3)
    np.testing.assert_array_equal(points, same)
    difference = other.astype(int) - one
    assert 2 < difference.std() < 9
    assert Box.around(points).width > 100


@pytest.mark.slow
def test_smoothed_points_have_less_jitter_than_dlibs_and_no_lag(
    aligner: Aligner, model: Path
) -> None:
    figures = benchmark.steadiness("cascade", aligner, model, frames=40, seed=12)
    smoothed, dlib = figures["cascade, smoothed"], figures["dlib, each_frame"]
    assert smoothed["jitter"] < 0.3 * dlib["jitter"]
    assert abs(smoothed["lag_ms"]) < 10
    assert smoothed["error"] < dlib["error"]
