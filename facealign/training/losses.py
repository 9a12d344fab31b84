"""The losses: each a function of prediction and target, registered by `@loss`.

A loss with options has a frozen dataclass of them with the annotations of `core.config`; they are
`train.losses.NAME` in params.yaml, and its third argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar

import torch

from facealign.core.config import Range, unknown_name
from facealign.core.errors import ConfigError
from facealign.models.parts.codecs import Codec, Kind, Loss


@dataclass(frozen=True)
class Entry:
    function: Callable[..., torch.Tensor]
    compares: Kind
    options: type | None


LOSSES: dict[str, Entry] = {}
Function = TypeVar("Function", bound=Callable[..., torch.Tensor])


def loss(compares: Kind, options: type | None = None) -> Callable[[Function], Function]:
    """Register a function by its name. `compares` is what it fits: the points, as shares of the
    crop's side, or heatmaps, whose values run from 0 to 1."""

    def register(function: Function) -> Function:
        LOSSES[function.__name__] = Entry(function, compares, options)
        return function

    return register


def options() -> dict[str, type]:
    """The dataclass of the options of each loss that has some."""
    return {name: entry.options for name, entry in LOSSES.items() if entry.options}


def make_loss(name: str, codec: Codec, chosen: Any = None) -> Loss:
    """The loss of this name, which must fit the codec; without `chosen` options, its defaults."""
    if name not in LOSSES:
        raise ConfigError(f"train.loss: {unknown_name('loss', name, list(LOSSES))}")
    entry = LOSSES[name]
    if entry.compares != codec.COMPARES:
        valid = [other for other, its in LOSSES.items() if its.compares == codec.COMPARES]
        raise ConfigError(
            f"train.loss: {name} compares {entry.compares}, but the network of train.arch needs a "
            f"loss of {codec.COMPARES}. Valid: {', '.join(valid)}"
        )
    if entry.options is None:
        return entry.function
    return partial(entry.function, options=chosen or entry.options())


@loss("points")
def euclid(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean distance of a point: the metric itself, without its normaliser."""
    squares = (predicted - target).reshape(len(target), -1, 2).square().sum(-1)
    return (squares + 1e-12).sqrt().mean()  # the root has no gradient at zero


@loss("points")
def l1(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (predicted - target).abs().mean()


@dataclass(frozen=True)
class WingOptions:
    """train.losses.wing, explained in params.yaml."""

    width: Annotated[float, Range(1e-6, 10)] = 0.04
    curvature: Annotated[float, Range(1e-6, 10)] = 0.01


@loss("points", WingOptions)
def wing(predicted: torch.Tensor, target: torch.Tensor, options: WingOptions) -> torch.Tensor:
    """Feng et al. 2018: logarithmic up to `width`, which emphasises small errors; then linear."""
    width, curvature = options.width, options.curvature
    error = (predicted - target).abs()
    small = width * torch.log1p(error / curvature)
    joint = width - width * math.log1p(width / curvature)
    return torch.where(error < width, small, error - joint).mean()


@loss("points")
def smooth_l1(predicted: torch.Tensor, target: torch.Tensor, joint: float = 0.01) -> torch.Tensor:
    """Girshick 2015: quadratic up to `joint`, so that small errors count less; then linear."""
    error = (predicted - target).abs()
    return torch.where(error < joint, error.square() / (2 * joint), error - joint / 2).mean()


@loss("heatmaps")
def l2(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (predicted - target).square().mean()


@loss("heatmaps")
def adaptive_wing(
    predicted: torch.Tensor,
    target: torch.Tensor,
    omega: float = 14,
    theta: float = 0.5,
    epsilon: float = 1,
    alpha: float = 2.1,
) -> torch.Tensor:
    """Wang et al. 2019: like `wing` where the target is 1, like `l2` where it is 0.

    So peaks must be matched closely, and the many background cells do not dominate.
    """
    error = (predicted - target).abs()
    power = alpha - target
    ratio = (theta / epsilon) ** power
    slope = omega * power * (theta / epsilon) ** (power - 1) / (epsilon * (1 + ratio))
    small = omega * torch.log1p((error / epsilon) ** power)
    large = slope * (error - theta) + omega * torch.log1p(ratio)
    return torch.where(error < theta, small, large).mean()
