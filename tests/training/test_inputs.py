import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from facealign.core.points import MIRROR
from facealign.faces.cropping import Stats
from facealign.training.augment import Draw, Strength, draw, move_points
from facealign.training.inputs import augmented_input, augmented_on_device, plain_input

CPU = torch.device("cpu")
STATS = Stats(size=48, margin=0.1, border=12, mean=(120.0, 100.0, 90.0), std=(60.0, 50.0, 40.0))
DARK = Stats(size=48, margin=0.1, border=12, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def opencv(pixels: np.ndarray, chosen: Draw, stats: Stats) -> torch.Tensor:
    return augmented_input(pixels, chosen, stats)


def tensors(pixels: np.ndarray, chosen: Draw, stats: Stats) -> torch.Tensor:
    return augmented_on_device(torch.from_numpy(pixels), chosen, stats)


both_ways = pytest.mark.parametrize("augmented", [opencv, tensors])
Augmented = Callable[[np.ndarray, Draw, Stats], torch.Tensor]


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 72, 72, 3), dtype=np.uint8)


def dots(places: np.ndarray) -> np.ndarray:
    """A crop for each place in input pixels, with a soft bright dot there."""
    rows, columns = np.indices((72, 72)) - STATS.border
    x, y = (places[:, i, None, None] for i in range(2))
    light = 250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 1.5**2))
    return np.repeat(light[..., None], 3, axis=-1).round().astype(np.uint8)


def centres_of_mass(inputs: torch.Tensor) -> np.ndarray:
    light = inputs[:, 0].double().numpy()
    rows, columns = np.indices(light.shape[1:])
    total = light.sum(axis=(1, 2))
    x, y = ((light * axis).sum(axis=(1, 2)) / total for axis in (columns, rows))
    return np.column_stack([x, y])


def test_the_plain_input_is_the_crop_without_its_rim_normalised() -> None:
    pixels = noise(2)
    inputs = plain_input(pixels, STATS, CPU)
    assert inputs.shape == (2, 3, 48, 48)
    expected = (pixels[1, 12 + 5, 12 + 7] - np.array(STATS.mean)) / STATS.std
    np.testing.assert_allclose(inputs[1, :, 5, 7], expected, rtol=1e-5)


def test_a_deviation_near_zero_does_not_blow_up_the_input() -> None:
    flat = Stats(size=48, margin=0.1, border=12, mean=(7.0, 7.0, 7.0), std=(0.0, 0.0, 0.0))
    inputs = plain_input(np.full((1, 72, 72, 3), 9, np.uint8), flat, CPU)
    np.testing.assert_array_equal(inputs, np.full((1, 3, 48, 48), 2))


@both_ways
@pytest.mark.parametrize("border", [0, 12])
def test_no_augmentation_gives_the_plain_input(augmented: Augmented, border: int) -> None:
    stats = Stats(72 - 2 * border, 0.1, border, STATS.mean, STATS.std)
    chosen = draw(np.random.default_rng(0), 3, stats.size, Strength(0, 0, 0, 0, 0))
    inputs = augmented(noise(3), chosen, stats)
    np.testing.assert_allclose(inputs, plain_input(noise(3), stats, CPU), atol=1e-3)


@both_ways
def test_a_dot_and_its_point_are_moved_to_the_same_place(augmented: Augmented) -> None:
    count = 40
    rng = np.random.default_rng(1)
    places = rng.uniform(14, 33, (count, 2))
    chosen = draw(rng, count, STATS.size, Strength(0.5, 30, 0.2, 0.06, 0))
    inputs = augmented(dots(places), chosen, DARK)
    assert 0 < chosen.flipped.sum() < count
    points = move_points(np.repeat(places[:, None], 68, axis=1), chosen)[:, 0]
    np.testing.assert_allclose(centres_of_mass(inputs), points, atol=0.15)


@both_ways
def test_a_point_keeps_to_its_own_dot_when_its_name_is_mirrored(augmented: Augmented) -> None:
    points = np.random.default_rng(2).uniform(14, 33, (1, 68, 2))
    chosen = draw(np.random.default_rng(0), 1, STATS.size, Strength(1, 20, 0, 0, 0))
    inputs = augmented(dots(points[:, 36]), chosen, DARK)
    moved = move_points(points, chosen)[:, MIRROR[36]]
    np.testing.assert_allclose(centres_of_mass(inputs), moved, atol=0.15)


@both_ways
def test_the_rim_fills_what_a_shift_uncovers(augmented: Augmented) -> None:
    pixels = noise(1)
    chosen = draw(np.random.default_rng(0), 1, STATS.size, Strength(0, 0, 0, 0, 0))
    shifted = dataclasses.replace(chosen, maps=chosen.maps + [[0, 0, 5], [0, 0, -3]])
    inputs = augmented(pixels, shifted, DARK)
    expected = pixels[0, 12 + 3 : 60 + 3, 12 - 5 : 60 - 5].transpose(2, 0, 1)
    np.testing.assert_allclose(inputs[0], expected, atol=0.02)


@both_ways
def test_gain_and_offset_change_the_normalised_colours(augmented: Augmented) -> None:
    chosen = draw(np.random.default_rng(0), 2, STATS.size, Strength(0, 0, 0, 0, 0.3))
    inputs = augmented(noise(2), chosen, STATS)
    plain = plain_input(noise(2), STATS, CPU).numpy()
    expected = plain * chosen.gain[..., None, None] + chosen.offset[..., None, None]
    np.testing.assert_allclose(inputs, expected, atol=1e-3)
    assert np.abs(expected - plain).max() > 0.1


ALL = Strength(
    0.5, 30, 0.2, 0.1, 0.4, grey=0.4, blur=0.02, cover=0.6, light=0.4, noise=0.1, style=0.5
)


def test_opencv_and_tensors_make_the_same_input() -> None:
    smooth = dots(np.random.default_rng(5).uniform(5, 43, (40, 2)))
    chosen = draw(np.random.default_rng(6), 40, STATS.size, ALL)
    assert 0 < chosen.grey.sum() < 40 and 0 < (chosen.blur > 0).sum() < 40
    assert 0 < (chosen.style > 0).sum() < 40
    # OpenCV rounds to whole levels after each step, and turns by 32nds of a pixel
    difference = (opencv(smooth, chosen, DARK) - tensors(smooth, chosen, DARK)).abs()
    assert difference.mean() < 1
    assert difference.max() < 8


@both_ways
def test_a_cover_hides_what_it_covers_and_nothing_else(augmented: Augmented) -> None:
    chosen = draw(np.random.default_rng(0), 1, STATS.size, Strength(0, 0, 0, 0, 0))
    covered = dataclasses.replace(
        chosen, cover=np.array([[5, 10, 20, 12]]), paint=np.array([[1, 2, 3]], np.uint8)
    )
    before, after = (augmented(noise(1), one, DARK)[0] for one in (chosen, covered))
    assert (after[:, 10:12, 5:20].permute(1, 2, 0) == torch.tensor([1.0, 2.0, 3.0])).all()
    same = after == before
    same[:, 10:12, 5:20] = True
    assert same.all()


@both_ways
def test_a_grey_face_has_one_colour_and_its_light(augmented: Augmented) -> None:
    chosen = draw(np.random.default_rng(0), 1, STATS.size, Strength(0, 0, 0, 0, 0, grey=1))
    grey = augmented(noise(1), chosen, DARK)[0]
    assert torch.equal(grey[0], grey[1]) and torch.equal(grey[0], grey[2])
    red, green, blue = noise(1)[0, 12:-12, 12:-12].astype(float).transpose(2, 0, 1)
    np.testing.assert_allclose(grey[0], 0.299 * red + 0.587 * green + 0.114 * blue, atol=1)


@both_ways
def test_light_falls_off_from_one_side_to_the_other(augmented: Augmented) -> None:
    pixels = np.full((1, 72, 72, 3), 100, np.uint8)
    chosen = draw(np.random.default_rng(0), 1, STATS.size, Strength(0, 0, 0, 0, 0))
    lit = dataclasses.replace(chosen, light=np.array([[0.3, -0.1]]))
    values = augmented(pixels, lit, DARK)[0].double().numpy()
    np.testing.assert_allclose(values[:, 0, 0], 100 * (1 - 0.3 + 0.1), rtol=1e-5)
    np.testing.assert_allclose(values[:, -1, -1], 100 * (1 + 0.3 - 0.1), rtol=1e-5)
    assert values.mean() == pytest.approx(100)


@both_ways
def test_noise_has_its_deviation_and_no_mean(augmented: Augmented) -> None:
    chosen = draw(np.random.default_rng(0), 2, STATS.size, Strength(0, 0, 0, 0, 0))
    noisy = dataclasses.replace(
        chosen, noise=np.array([8.0, 0.0]), place=np.array([[3, 40], [0, 0]])
    )
    before, after = (augmented(noise(2), one, DARK).double() for one in (chosen, noisy))
    added = after - before
    assert added[0].std().item() == pytest.approx(8, rel=0.05)
    assert added[0].mean().item() == pytest.approx(0, abs=0.3)
    assert (added[1] == 0).all()


@both_ways
def test_another_style_keeps_brightness_and_contrast(augmented: Augmented) -> None:
    pixels = noise(20) // 4 + 96  # so that nothing is cut off
    chosen = draw(np.random.default_rng(0), 20, STATS.size, Strength(0, 0, 0, 0, 0, style=1))
    other = dataclasses.replace(chosen, style=np.ones(20))
    before, after = plain_input(pixels, DARK, CPU), augmented(pixels, other, DARK)
    assert ((before - after).abs().mean((1, 2, 3)) > 5).all()
    np.testing.assert_allclose(after.mean((2, 3)), before.mean((2, 3)), atol=0.5)
    np.testing.assert_allclose(after.std((2, 3)), before.std((2, 3)), rtol=0.05)


@both_ways
def test_blur_spreads_a_dot_by_its_deviation(augmented: Augmented) -> None:
    pixels = np.zeros((1, 72, 72, 3), np.uint8)
    pixels[0, 36, 36] = 255
    pixels[0, 35:38, 35:38] = 255
    chosen = draw(np.random.default_rng(0), 1, STATS.size, Strength(0, 0, 0, 0, 0))
    blurred = dataclasses.replace(chosen, blur=np.array([0.9]))
    light = augmented(pixels, blurred, DARK)[0, 0].double().numpy()
    places = np.arange(48)
    weights = light.sum(axis=0) / light.sum()
    mean = (weights * places).sum()
    # the dot's own width, three pixels, and the Gaussian's
    assert (weights * (places - mean) ** 2).sum() == pytest.approx(2 / 3 + 0.81, rel=0.05)
