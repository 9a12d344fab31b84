"""What a wrong point costs. The unit is the crop's side: 0.01 is one hundredth of it.

`l2` and `adaptive_wing` are of heatmaps, whose values run from 0 to 1. Which loss fits which
network, its codec says.
"""

from __future__ import annotations

import math

import torch

from facealign.core.config import unknown_name
from facealign.core.errors import FacealignError
from facealign.models.parts.codecs import Loss
from facealign.training.recipe import Train


def euclid(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean distance of a point: the metric itself, but for its normaliser."""
    squares = (predicted - target).reshape(len(target), -1, 2).square().sum(-1)
    return (squares + 1e-12).sqrt().mean()  # the root has no slope at zero


def l1(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (predicted - target).abs().mean()


def wing(
    predicted: torch.Tensor, target: torch.Tensor, width: float, curvature: float
) -> torch.Tensor:
    """Feng et al. 2018: a logarithm up to `width`, so small errors still count; then linear."""
    error = (predicted - target).abs()
    small = width * torch.log1p(error / curvature)
    joint = width - width * math.log1p(width / curvature)
    return torch.where(error < width, small, error - joint).mean()


def smooth_l1(predicted: torch.Tensor, target: torch.Tensor, joint: float = 0.01) -> torch.Tensor:
    """Girshick 2015: quadratic up to `joint`, so that small errors pull less; then linear."""
    error = (predicted - target).abs()
    return torch.where(error < joint, error.square() / (2 * joint), error - joint / 2).mean()


def l2(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (predicted - target).square().mean()


def adaptive_wing(
    predicted: torch.Tensor,
    target: torch.Tensor,
    omega: float = 14,
    theta: float = 0.5,
    epsilon: float = 1,
    alpha: float = 2.1,
) -> torch.Tensor:
    """Wang et al. 2019, for heatmaps: like `wing` where the target is 1, like `l2` where it is 0.

    So a peak must be met exactly, and the many cells of the background do not drown it.
    """
    error = (predicted - target).abs()
    power = alpha - target
    ratio = (theta / epsilon) ** power
    slope = omega * power * (theta / epsilon) ** (power - 1) / (epsilon * (1 + ratio))
    small = omega * torch.log1p((error / epsilon) ** power)
    large = slope * (error - theta) + omega * torch.log1p(ratio)
    return torch.where(error < theta, small, large).mean()


def make_loss(config: Train) -> Loss:
    losses: dict[str, Loss] = {
        "euclid": euclid,
        "l1": l1,
        "smooth_l1": smooth_l1,
        "wing": lambda p, t: wing(p, t, config.wing_width, config.wing_curvature),
        "l2": l2,
        "adaptive_wing": adaptive_wing,
    }
    if config.loss not in losses:
        raise FacealignError(f"train.loss: {unknown_name('loss', config.loss, list(losses))}")
    return losses[config.loss]
