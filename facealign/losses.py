"""What a wrong point costs. The unit is the crop's side: 0.01 is one hundredth of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from facealign.config import unknown_name
from facealign.errors import FacealignError
from facealign.recipe import Train

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


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


def make_loss(config: Train) -> Loss:
    losses: dict[str, Loss] = {
        "euclid": euclid,
        "l1": l1,
        "wing": lambda p, t: wing(p, t, config.wing_width, config.wing_curvature),
    }
    if config.loss not in losses:
        raise FacealignError(f"train.loss: {unknown_name('loss', config.loss, list(losses))}")
    return losses[config.loss]
