"""The optimiser of all trainings."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


def adamw(parameters: Iterable[nn.Parameter], weight_decay: float) -> torch.optim.AdamW:
    every = list(parameters)
    wide = [p for p in every if p.ndim > 1]
    # biases and the norms' factors have nothing to gain from being small
    narrow = [p for p in every if p.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": wide, "weight_decay": weight_decay},
            {"params": narrow, "weight_decay": 0.0},
        ],
        fused=True,
    )


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate
