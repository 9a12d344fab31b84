import math

import pytest
import torch

from facealign.core.errors import ConfigError
from facealign.models.parts.codecs import CODECS, Codec, make_codec, total_loss
from facealign.training import losses

SIZE = 48
every_codec = pytest.mark.parametrize("name", CODECS)

# pixels: half a step of float32 at a crop's side, times the operations of the method
TOLERANCES = {"coordinates": 2e-5, "heatmap": 2e-4, "integral": 2e-5, "pixel_in_pixel": 2e-5}
# how far from the crop's edge a point must be for the method to give it back, pixels
MARGINS = {"coordinates": 0.0, "heatmap": 0.0, "integral": 2.0, "pixel_in_pixel": 0.0}


def random_points(count: int, points: int = 68, margin: float = 0.0) -> torch.Tensor:
    """Anywhere in the image, which covers [-0.5, SIZE - 0.5]."""
    share = torch.rand(count, points, 2, generator=torch.Generator().manual_seed(count))
    return share * (SIZE - 2 * margin) + margin - 0.5


def codec_of(name: str, points: int = 68) -> Codec:
    return make_codec(name, SIZE, random_points(1, points)[0])


def single(x: float, y: float) -> torch.Tensor:
    return torch.tensor([[[x, y]]])


@every_codec
@pytest.mark.parametrize("points", [68, 5])
def test_decoding_what_was_encoded_gives_the_points_back(name: str, points: int) -> None:
    codec = codec_of(name, points)
    truth = random_points(20, points, MARGINS[name])
    decoded = codec.decode(codec.encode(truth))
    torch.testing.assert_close(decoded, truth, rtol=0, atol=TOLERANCES[name])


@every_codec
def test_points_at_pixels_and_at_cells_borders_come_back(name: str) -> None:
    codec = codec_of(name, 1)
    for value in (2.0, 5.5, 7.0, 7.5, 20.0, 23.5, 40.0):
        decoded = codec.decode(codec.encode(single(value, 27.5)))
        torch.testing.assert_close(decoded, single(value, 27.5), rtol=0, atol=TOLERANCES[name])


@every_codec
def test_a_loss_is_least_at_the_encoded_points_and_pulls_there(name: str) -> None:
    codec = codec_of(name)
    truth = random_points(4, margin=MARGINS[name])
    loss = losses.l2
    ideal = codec.encode(truth)
    assert codec.loss(ideal, truth, loss).item() == pytest.approx(0, abs=1e-9)
    output = ideal + torch.randn(ideal.shape, generator=torch.Generator().manual_seed(0))
    output.requires_grad_()
    before = codec.loss(output, truth, loss)
    (gradient,) = torch.autograd.grad(before, output)
    after = codec.loss(output - 1e-3 * gradient / gradient.norm(), truth, loss)
    assert 0 < after < before


@every_codec
def test_outputs_of_half_precision_are_taken_as_float32(name: str) -> None:
    codec = codec_of(name)
    truth = random_points(4, margin=MARGINS[name])
    output = codec.encode(truth).bfloat16()
    assert codec.decode(output).dtype == torch.float32
    assert codec.loss(output, truth, losses.l1).dtype == torch.float32
    assert torch.equal(codec.decode(output), codec.decode(output.float()))


@every_codec
def test_points_outside_the_crop_are_learnt_as_far_as_the_method_goes(name: str) -> None:
    codec = codec_of(name, 1)
    output = codec.encode(single(-30, 70))
    assert output.isfinite().all()
    assert codec.loss(output, single(-30, 70), losses.l1).isfinite()
    expected = {
        "coordinates": (-30.0, 70.0),
        "heatmap": (-0.5, 47.5),  # the edges of the image
        "integral": (1.5, 45.5),  # the centres of the outermost cells
        "pixel_in_pixel": (-30.0, 70.0),
    }
    decoded = codec.decode(output)
    torch.testing.assert_close(decoded, single(*expected[name]), rtol=0, atol=2e-4)


@every_codec
def test_any_output_decodes_to_finite_points(name: str) -> None:
    codec = codec_of(name)
    shape = codec.encode(random_points(2)).shape
    for output in (torch.zeros(shape), torch.randn(shape) * 100, torch.full(shape, -3.0)):
        assert codec.decode(output).isfinite().all()


@every_codec
def test_loss_and_gradient_run_under_deterministic_algorithms(name: str) -> None:
    codec = codec_of(name)
    output = torch.randn(codec.encode(random_points(2)).shape, requires_grad=True)
    torch.use_deterministic_algorithms(True)
    try:
        codec.loss(output, random_points(2), losses.l2).backward()  # type: ignore[no-untyped-call]
        codec.decode(output)
    finally:
        torch.use_deterministic_algorithms(False)
    assert output.grad is not None and output.grad.isfinite().all()


def test_coordinates_are_shares_of_the_crop_from_the_mean_face() -> None:
    codec = make_codec("coordinates", SIZE, torch.full((68, 2), 20.0))
    points = torch.full((1, 68, 2), 20.0)
    points[0, 1] = torch.tensor([32.0, 8.0])
    encoded = codec.encode(points)
    assert encoded.shape == (1, 136)
    assert encoded[0, :4].tolist() == [0, 0, 0.25, -0.25]


def test_an_output_of_zero_is_the_mean_face() -> None:
    mean = random_points(1)[0]
    decoded = make_codec("coordinates", SIZE, mean).decode(torch.zeros(2, 136))
    assert torch.equal(decoded, mean.expand(2, 68, 2))


def test_a_heatmap_is_a_gaussian_around_the_point() -> None:
    # the centre of cell 3 is pixel 4 * 3 + 1.5; the point is a quarter of a cell left of it
    maps = codec_of("heatmap", 1).encode(single(12.5, 25.5))
    assert maps.shape == (1, 1, 12, 12)
    # exp(-d² / 2) in the row of the point, of d = 0.25, 1.25 and 0.75
    assert maps[0, 0, 6, 3:5].tolist() == pytest.approx([0.969233, 0.457833])
    assert maps[0, 0, 6, 2].item() == pytest.approx(0.754840)
    assert maps[0, 0, 7, 3].item() == pytest.approx(0.969233 * 0.606531, rel=1e-5)


def test_a_heatmaps_peak_is_refined_by_the_parabola_of_its_logarithm() -> None:
    maps = torch.full((1, 1, 12, 12), -0.2)
    maps[0, 0, 6, 3] = 0.8
    maps[0, 0, 6, 4] = 0.4
    # downwards both neighbours are the floor of a hundredth of the peak; to the right the
    # logarithms are -4.6052, 0 and -0.6931 beside the peak's: a step of 3.9120 / (2 * 5.2983) cells
    decoded = codec_of("heatmap", 1).decode(maps)[0, 0].tolist()
    assert decoded == pytest.approx([4 * (3 + 0.369178) + 1.5, 4 * 6 + 1.5], abs=1e-4)


def test_a_heatmap_never_leaves_its_peaks_cell() -> None:
    maps = torch.rand(8, 68, 12, 12, generator=torch.Generator().manual_seed(5))
    decoded = codec_of("heatmap").decode(maps)
    peak = maps.flatten(2).argmax(2)
    cell = torch.stack([peak % 12, peak // 12], -1)
    assert ((decoded - (4 * cell + 1.5)).abs() <= 2 + 1e-5).all()


def test_the_integral_is_the_expectation_of_the_softmax() -> None:
    logits = torch.full((1, 1, 12, 12), -1e4)
    logits[0, 0, 2, 1] = 0.0
    logits[0, 0, 2, 5] = 1.0986123  # three times as likely
    decoded = codec_of("integral", 1).decode(logits)[0, 0].tolist()
    assert decoded == pytest.approx([4 * (1 / 4 + 5 * 3 / 4) + 1.5, 4 * 2 + 1.5])


def test_the_integrals_loss_sees_shares_of_the_side() -> None:
    codec = codec_of("integral", 1)
    output = codec.encode(single(20, 20))
    assert codec.loss(output, single(24.8, 20), losses.l1).item() == pytest.approx(0.05)


def test_pixel_in_pixel_marks_the_cell_and_the_way_from_its_centre() -> None:
    # the centre of cell 2 at stride 8 is pixel 19.5, that of cell 1 is 11.5
    maps = codec_of("pixel_in_pixel", 1).encode(single(21.5, 9.5))
    assert maps.shape == (1, 3, 6, 6)
    assert maps[0, 0].sum() == 1
    assert maps[0, :, 1, 2].tolist() == [1, 0.25, -0.25]


def test_pixel_in_pixel_takes_the_offsets_of_the_best_cell() -> None:
    maps = torch.zeros(1, 6, 6, 6)  # two points
    maps[0, 0, 4, 3], maps[0, 2, 4, 3], maps[0, 4, 4, 3] = 0.6, 0.5, -0.125
    maps[0, 1, 0, 5], maps[0, 3, 0, 5], maps[0, 5, 0, 5] = 0.1, 0.0, 1.5
    decoded = codec_of("pixel_in_pixel", 2).decode(maps)[0].tolist()
    assert decoded == [[8 * 3.5 + 3.5, 8 * 3.875 + 3.5], [8 * 5 + 3.5, 8 * 1.5 + 3.5]]


def test_pixel_in_pixels_loss_is_of_scores_and_of_offsets_at_the_true_cell() -> None:
    codec = codec_of("pixel_in_pixel", 1)
    truth = single(21.5, 9.5)
    output = codec.encode(truth)
    output[0, 0, 1, 2] = 0.5
    output[0, 0, 5, 5] = 0.5
    output[0, 1, 1, 2] = 0.5  # a quarter of a cell too far right: 2 of 48 pixels
    output[0, 1, 5, 5] = 9.0  # of no cell that counts
    expected = 10 / 128 * (8 / 48) * (0.25 + 0.25) + (2 / 48) / 2
    assert codec.loss(output, truth, losses.l1).item() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["heatmap", "integral", "pixel_in_pixel"])
def test_a_crop_that_no_map_fits_is_an_error(name: str) -> None:
    with pytest.raises(ConfigError, match=f"crop.size: the codec {name} needs a multiple of"):
        make_codec(name, 50, torch.zeros(68, 2))


def test_the_total_loss_is_the_mean_over_all_estimates() -> None:
    codec = make_codec("coordinates", SIZE, torch.zeros(1, 2))
    outputs = (torch.tensor([[0.1, 0.0]]), torch.tensor([[0.0, 0.5]]))
    truth = torch.zeros(1, 1, 2)
    assert total_loss(codec, outputs, truth, losses.l1).item() == pytest.approx((0.05 + 0.25) / 2)
    assert total_loss(codec, outputs[1], truth, losses.l1).item() == pytest.approx(0.25)


def test_an_unknown_codec_is_answered_with_the_valid_ones() -> None:
    valid = "coordinates, heatmap, integral, pixel_in_pixel"
    with pytest.raises(ConfigError, match=rf"unknown codec 'heatmaps'.*Valid: {valid}"):
        make_codec("heatmaps", SIZE, torch.zeros(68, 2))


class TestDoubts:
    """The third number of a network that says how far off it expects each point to be."""

    SIZE = 100

    def cost(self, error: float, expected: float) -> float:
        codec = make_codec("coordinates", self.SIZE, torch.zeros(1, 2))
        output = torch.tensor([[[error, 0.0, math.log(expected)]]])
        return codec.loss(output, torch.zeros(1, 1, 2), losses.l1).item()

    def test_they_change_no_point(self) -> None:
        codec = make_codec("coordinates", self.SIZE, torch.full((1, 2), 50.0))
        output = torch.tensor([[[0.1, -0.2, 7.0]]])
        torch.testing.assert_close(codec.decode(output), torch.tensor([[[60.0, 30.0]]]))

    def test_their_cost_is_least_where_they_are_right(self) -> None:
        costs = {expected: self.cost(0.04, expected) for expected in (0.02, 0.03, 0.04, 0.05, 0.08)}
        assert min(costs, key=costs.__getitem__) == 0.04
        assert costs[0.04] == pytest.approx(0.02 + 0.01 * (1 + math.log(0.04)))

    def test_to_be_right_about_a_large_error_is_no_excuse_for_it(self) -> None:
        codec = make_codec("coordinates", self.SIZE, torch.zeros(1, 2))
        output = torch.tensor([[[0.04, 0.0, -3.0]]], requires_grad=True)
        codec.loss(output, torch.zeros(1, 1, 2), losses.l1).backward()  # type: ignore[no-untyped-call]
        assert output.grad is not None
        assert output.grad[0, 0, :2].tolist() == [0.5, 0.0]  # of l1 alone
