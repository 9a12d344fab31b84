"""The networks: one file each, named as `train.arch` names it.

A file has `CODEC`, the name of its output's codec, and `build(size)`, which gives the network for
inputs of (N, 3, size, size).
"""

from __future__ import annotations

import importlib
import pkgutil

from torch import nn

from facealign.config import unknown_name
from facealign.errors import FacealignError


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def build(arch: str, size: int) -> tuple[nn.Module, str]:
    """The network, untrained, and its codec's name."""
    if arch not in names():
        raise FacealignError(f"train.arch: {unknown_name('network', arch, names())}")
    module = importlib.import_module(f"{__name__}.{arch}")
    network: nn.Module = module.build(size)
    return network, module.CODEC
