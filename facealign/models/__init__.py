"""The networks: one file each, named as `train.arch` names it.

A file has

- `CODEC`, the name of its output's codec;
- `SIZE`, the input sizes that it takes;
- `build(shape)`, or `build(shape, options)` if it has options, which returns the network for inputs
  of (N, 3, size, size);
- `Options`, a frozen dataclass with the annotations of `core.config`, if it has options: they are
  `train.networks.NAME` in params.yaml;
- `load_imagenet(network)`, if there are ImageNet weights for it.

In training mode a network may return a tuple: its intermediate estimates, each with a loss of its
own, and the final one last. In eval mode it returns the final one alone.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from torch import nn

from facealign.core.config import unknown_name
from facealign.core.errors import ConfigError
from facealign.models.parts.layers import Shape


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def options() -> dict[str, type]:
    """The dataclass of the options of each network that has some."""
    found = {name: getattr(file_of(name), "Options", None) for name in names()}
    return {name: kind for name, kind in found.items() if kind}


def build(arch: str, shape: Shape, chosen: Any = None) -> tuple[nn.Module, str]:
    """An untrained network and its codec's name; without `chosen` options it has its defaults."""
    module = file_of(arch)
    module.SIZE.check(arch, shape.size)
    kind = getattr(module, "Options", None)
    network: nn.Module = module.build(shape, chosen or kind()) if kind else module.build(shape)
    return network, module.CODEC


def load_imagenet(arch: str, network: nn.Module) -> None:
    """Load ImageNet weights into `network`, if there are some for it."""
    fill = getattr(file_of(arch), "load_imagenet", None)
    if fill is None:
        having = [name for name in names() if hasattr(file_of(name), "load_imagenet")]
        raise ConfigError(
            f"train.init: there are no ImageNet weights for {arch!r}, only for {', '.join(having)}"
        )
    fill(network)


def file_of(arch: str) -> Any:
    """The module of a network."""
    if arch not in names():
        raise ConfigError(f"train.arch: {unknown_name('network', arch, names())}")
    return importlib.import_module(f"{__name__}.{arch}")
