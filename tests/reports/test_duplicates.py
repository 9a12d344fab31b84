import cv2
import numpy as np
import pytest

from facealign.inference import benchmark
from facealign.reports.duplicates import LIMIT, alike, perceptual_hash


def bits_between(one: np.ndarray, two: np.ndarray) -> int:
    return (perceptual_hash(one) ^ perceptual_hash(two)).bit_count()


@pytest.fixture(scope="module")
def others() -> list[np.ndarray]:
    """Three generated portraits."""
    return [picture for picture, _ in benchmark.portraits(3)]


@pytest.mark.parametrize("quality", [30, 70])
@pytest.mark.parametrize("scale", [0.4, 1.3])
def test_the_same_picture_saved_and_scaled_anew_looks_alike(
    astronaut: np.ndarray, quality: int, scale: float
) -> None:
    scaled = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, quality])
    saved = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert saved is not None
    assert bits_between(astronaut, saved) <= LIMIT


def test_brighter_or_without_colour_it_looks_alike(astronaut: np.ndarray) -> None:
    brighter = np.clip(astronaut * 0.8 + 40, 0, 255).astype(np.uint8)
    grey = np.repeat(astronaut.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert bits_between(astronaut, brighter) <= LIMIT
    assert bits_between(astronaut, grey) <= LIMIT


def test_other_pictures_do_not(astronaut: np.ndarray, others: list[np.ndarray]) -> None:
    for other in others:
        assert bits_between(astronaut, other) > 2 * LIMIT
    assert bits_between(others[0], others[1]) > LIMIT


def test_pairs_are_found_nearest_first() -> None:
    first, second = [0, 0b1111, 2**64 - 1], [2**64 - 1 - 0b111, 0b11, 0xF0F0F0F0F0F0F0F0]
    assert alike(first, second) == [(0, 1, 2), (2, 0, 3)]
    assert alike(first, second, limit=2) == [(0, 1, 2)]
    assert alike([], second) == alike(first, []) == []
