"""Parameters and operations of a network."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


def operations(network: nn.Module, size: int) -> int:
    """Of the convolutions and dense layers, for one face; a multiply-add counts as two."""
    training = network.training
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 3, size, size))
    network.train(training)
    return counter.get_total_flops()
