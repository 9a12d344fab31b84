import math
from collections.abc import Callable

import pytest
import torch

from facealign.core.errors import ConfigError
from facealign.models.parts.codecs import CODECS, make_codec
from facealign.training import losses

WIDTH = 0.04
POINTS = make_codec("coordinates", 48, torch.zeros(1, 2))


def of(loss: Callable[..., torch.Tensor], *values: float) -> float:
    """The loss of the errors `values` of one face."""
    predicted = torch.tensor([values], dtype=torch.float64)
    return loss(predicted, torch.zeros_like(predicted)).item()


def slope(loss: Callable[..., torch.Tensor], *values: float) -> list[float]:
    predicted = torch.tensor([values], dtype=torch.float64, requires_grad=True)
    value = loss(predicted, torch.zeros_like(predicted))
    (gradient,) = torch.autograd.grad(value, predicted)
    return gradient[0].tolist()


def wing(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return losses.wing(predicted, target, losses.WingOptions(width=WIDTH, curvature=0.01))


def test_euclid_is_the_mean_distance_of_the_points() -> None:
    assert of(losses.euclid, 3, 4, 0, -1) == pytest.approx(3)  # of 5 and 1
    assert slope(losses.euclid, 3, 4, 0, -1) == pytest.approx([0.3, 0.4, 0, -0.5])


def test_euclid_has_a_slope_at_no_error() -> None:
    assert of(losses.euclid, 0, 0) == pytest.approx(0, abs=1e-5)
    assert slope(losses.euclid, 0, 0) == [0, 0]


def test_l1_is_the_mean_of_the_coordinates_errors() -> None:
    assert of(losses.l1, 3, -4, 0, 1) == 2
    assert slope(losses.l1, 3, -4, 2, 1) == [0.25, -0.25, 0.25, 0.25]


def test_wing_is_a_logarithm_up_to_its_width() -> None:
    assert of(wing, 0.03, -0.01) == pytest.approx(0.04 * (math.log(4) + math.log(2)) / 2)
    # the logarithm's slope: 0.04 / (0.01 + error), shared by two
    assert slope(wing, 0.03, -0.01) == pytest.approx([0.5, -1])


def test_wing_is_linear_beyond_its_width() -> None:
    at_width = 0.04 * math.log(5)
    assert of(wing, 0.1) == pytest.approx(at_width + 0.06)
    assert slope(wing, 0.1, -7.0) == pytest.approx([0.5, -0.5])


def test_wing_has_no_step_at_its_width() -> None:
    assert of(wing, WIDTH - 1e-9) == pytest.approx(of(wing, WIDTH + 1e-9), abs=1e-8)
    assert of(wing, WIDTH) == pytest.approx(0.04 * math.log(5))


def test_smooth_l1_is_quadratic_up_to_a_hundredth_of_the_side() -> None:
    assert of(losses.smooth_l1, 0.004) == pytest.approx(0.004**2 / 0.02)
    assert of(losses.smooth_l1, 0.03, -0.004) == pytest.approx((0.025 + 0.0008) / 2)
    assert slope(losses.smooth_l1, 0.004) == pytest.approx([0.4])
    assert slope(losses.smooth_l1, 0.03, -2, 0, -0.005) == pytest.approx([0.25, -0.25, 0, -0.125])


def test_l2_is_the_mean_square() -> None:
    assert of(losses.l2, 3, -1) == 5
    assert slope(losses.l2, 3, -1) == [3, -1]


def test_adaptive_wing_is_sharper_where_the_target_is_higher() -> None:
    assert adaptive(0.2, 0) == pytest.approx(14 * math.log(1 + 0.2**2.1))
    assert adaptive(0.8, 1) == pytest.approx(14 * math.log(1 + 0.2**1.1))
    assert adaptive_slope(0.2, 0) == pytest.approx(14 * 2.1 * 0.2**1.1 / (1 + 0.2**2.1))
    assert adaptive_slope(0.8, 1) == pytest.approx(-14 * 1.1 * 0.2**0.1 / (1 + 0.2**1.1))
    assert [round(adaptive_slope(0.2, 0), 2), round(adaptive_slope(0.8, 1), 2)] == [4.84, -11.20]


def test_adaptive_wing_is_linear_beyond_its_joint() -> None:
    at_joint, steepness = 14 * math.log(1 + 0.5**2.1), 14 * 2.1 * 0.5**1.1 / (1 + 0.5**2.1)
    assert adaptive_slope(0.7, 0) == pytest.approx(steepness)
    assert adaptive_slope(-5, 0) == pytest.approx(-steepness)
    assert adaptive(0.7, 0) == pytest.approx(at_joint + 0.2 * steepness)


def test_adaptive_wing_has_no_slope_at_no_error() -> None:
    for target in (0.0, 0.5, 1.0):
        assert adaptive(target, target) == 0
        assert adaptive_slope(target, target) == 0


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_adaptive_wing_has_no_step_and_no_kink_at_its_joint(target: float) -> None:
    below, above = target + 0.5 - 1e-7, target + 0.5 + 1e-7
    assert adaptive(below, target) == pytest.approx(adaptive(above, target), abs=1e-5)
    assert adaptive_slope(below, target) == pytest.approx(adaptive_slope(above, target), rel=1e-5)


def test_smooth_l1_has_no_step_and_no_kink_at_its_joint() -> None:
    assert of(losses.smooth_l1, 0.01 - 1e-9) == pytest.approx(0.005, rel=1e-6)
    assert of(losses.smooth_l1, 0.01 + 1e-9) == pytest.approx(0.005, rel=1e-6)
    assert slope(losses.smooth_l1, 0.01 - 1e-9) == pytest.approx([1])


def adaptive(predicted: float, target: float) -> float:
    values = torch.tensor([[predicted], [target]], dtype=torch.float64)
    return losses.adaptive_wing(*values).item()


def adaptive_slope(predicted: float, target: float) -> float:
    values = torch.tensor([predicted], dtype=torch.float64, requires_grad=True)
    loss = losses.adaptive_wing(values, torch.tensor([target], dtype=torch.float64))
    (gradient,) = torch.autograd.grad(loss, values)
    return gradient.item()


@pytest.mark.parametrize("name", losses.LOSSES)
@pytest.mark.parametrize("codec_name", CODECS)
def test_a_codec_gets_the_losses_that_fit_it(name: str, codec_name: str) -> None:
    codec = make_codec(codec_name, 48, torch.zeros(1, 2))
    if losses.LOSSES[name].compares == codec.COMPARES:
        loss = losses.make_loss(name, codec)
        assert of(loss, 0.1, 0.1) > of(loss, 0.01, 0.01) >= 0
    else:
        with pytest.raises(ConfigError, match=f"train.loss: {name} compares"):
            losses.make_loss(name, codec)


def test_a_loss_that_does_not_fit_is_answered_with_those_that_do() -> None:
    with pytest.raises(ConfigError) as error:
        losses.make_loss("wing", make_codec("heatmap", 48, torch.zeros(1, 2)))
    assert str(error.value).startswith(
        "train.loss: wing compares points, but the network of train.arch needs a loss of heatmaps. "
        "Valid: l2, adaptive_wing"
    )


def test_the_options_shape_the_wing() -> None:
    loss = losses.make_loss("wing", POINTS, losses.WingOptions(width=0.2, curvature=0.1))
    assert of(loss, 0.1) == pytest.approx(0.2 * math.log(2))


def test_an_unknown_loss_is_answered_with_the_nearest_and_the_valid_ones() -> None:
    with pytest.raises(ConfigError, match=r"'wings', did you mean wing\? Valid: euclid, l1, "):
        losses.make_loss("wings", POINTS)
