"""The networks: one file each, named as `train.arch` names it.

A file has `CODEC`, the name of its output's codec, and `build(shape)`, which gives the network for
inputs of (N, 3, size, size). While it trains, a network may give a tuple: its intermediate
estimates, each with a loss of its own, and the answer last. In eval mode it gives the answer alone.
"""

from __future__ import annotations

import importlib
import pkgutil

from torch import nn

from facealign.config import unknown_name
from facealign.errors import FacealignError
from facealign.layers import Shape


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def build(arch: str, shape: Shape) -> tuple[nn.Module, str]:
    """The network, untrained, and its codec's name."""
    if arch not in names():
        raise FacealignError(f"train.arch: {unknown_name('network', arch, names())}")
    module = importlib.import_module(f"{__name__}.{arch}")
    network: nn.Module = module.build(shape)
    return network, module.CODEC
