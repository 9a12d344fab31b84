"""The networks: one file each, named as `train.arch` names it.

A file has `CODEC`, the name of its output's codec, and `build(shape)`, which gives the network for
inputs of (N, 3, size, size). While it trains, a network may give a tuple: its intermediate
estimates, each with a loss of its own, and the answer last. In eval mode it gives the answer alone.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from torch import nn

from facealign.core.config import unknown_name
from facealign.core.errors import FacealignError
from facealign.models.parts.layers import Shape


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def build(arch: str, shape: Shape) -> tuple[nn.Module, str]:
    """The network, untrained, and its codec's name."""
    if arch not in names():
        raise FacealignError(f"train.arch: {unknown_name('network', arch, names())}")
    module = _module(arch)
    network: nn.Module = module.build(shape)
    return network, module.CODEC


def load_imagenet(arch: str, network: nn.Module) -> None:
    """Give `network` the weights of ImageNet, if its file knows where to find them."""
    load = getattr(_module(arch), "load_imagenet", None)
    if load is None:
        having = [name for name in names() if hasattr(_module(name), "load_imagenet")]
        raise FacealignError(
            f"train.init: {arch!r} has no weights of ImageNet. Those that have: {', '.join(having)}"
        )
    load(network)


def _module(arch: str) -> Any:
    return importlib.import_module(f"{__name__}.{arch}")
