"""One step of a training: the optimiser, gradient clipping and the weights' moving average."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


def adamw(parameters: Iterable[nn.Parameter], weight_decay: float) -> torch.optim.AdamW:
    every = list(parameters)
    wide = [p for p in every if p.ndim > 1]
    # biases and the factors of norms do not overfit: no decay
    narrow = [p for p in every if p.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": wide, "weight_decay": weight_decay},
            {"params": narrow, "weight_decay": 0.0},
        ],
        fused=True,
    )


def descend(
    loss: torch.Tensor,
    parameters: Iterable[nn.Parameter],
    optimiser: torch.optim.Optimizer,
    rate: float,
    clip: float = 0.0,
) -> None:
    """One step down the gradient, its norm clipped to `clip` unless that is 0."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    if clip:
        nn.utils.clip_grad_norm_(parameters, clip)
    optimiser.step()


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the exponential moving average of a network's weights towards them."""
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - decay)
        else:  # a count of batches
            kept.copy_(new)
