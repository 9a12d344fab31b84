"""What a network costs to store and to run, counted and not measured."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


def operations(network: nn.Module, size: int) -> int:
    """Of one face's convolutions and dense layers; a multiplication and its addition are two."""
    training = network.training
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 3, size, size))
    network.train(training)
    return counter.get_total_flops()
