"""A trained network in one file, with all that is needed to rebuild and to use it."""

from __future__ import annotations

import io
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from facealign import models
from facealign.core.errors import FacealignError
from facealign.core.files import atomic_write, sha256
from facealign.faces.cropping import Stats
from facealign.models.parts.codecs import Codec, make_codec
from facealign.models.parts.layers import Shape
from facealign.training.recipe import Train

RELEASED = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True)
class Checkpoint:
    arch: str
    stats: Stats  # the crops it was trained on
    mean_face: torch.Tensor  # (K, 2), input pixels
    recipe: dict[str, Any]  # the params of the training
    epoch: int  # the best one, counted from 1
    validation_nme: float
    weights: dict[str, torch.Tensor]


def shape(checkpoint: Checkpoint) -> Shape:
    # those of before one of these parameters are as its default
    choices = {
        key: checkpoint.recipe[key]
        for key in ("stacks", "width", "trunk")
        if key in checkpoint.recipe
    }
    return Shape(checkpoint.stats.size, checkpoint.mean_face, **choices)


def build(checkpoint: Checkpoint, device: torch.device) -> tuple[nn.Module, Codec]:
    """The network with its weights, ready to predict."""
    network, codec = models.build(checkpoint.arch, shape(checkpoint))
    network.load_state_dict(checkpoint.weights)
    network.to(device).eval()
    return network, make_codec(codec, checkpoint.stats.size, checkpoint.mean_face.to(device))


def initialise(network: nn.Module, config: Train) -> None:
    """Give a new network the weights that `train.init` names."""
    if config.init in ("none", "imagenet") and config.init_sha256:
        raise FacealignError(f"train.init_sha256 is set, but train.init is {config.init}")
    if config.init == "none":
        return
    if config.init == "imagenet":
        models.load_imagenet(config.arch, network)
        return
    path = _released(config.init_sha256) if config.init == "released" else Path(config.init)
    if not path.is_file():
        raise FacealignError(
            f"train.init: {config.init!r} is neither none, imagenet, released nor a file; "
            "DVC removes the products of an earlier run before it trains: copy such a one first"
        )
    if (digest := sha256(path)) != config.init_sha256:
        # the name alone would let other weights pass for the same experiment
        wanted = repr(config.init_sha256) if config.init_sha256 else "it to be set"
        raise FacealignError(f"train.init_sha256: {path} has {digest}, expected {wanted}")
    _take(network, load(path), path)


def _released(digest: str) -> Path:
    files = {sha256(file): file for file in sorted(RELEASED.glob("*.pt"))}
    if digest not in files:
        there = "; ".join(f"{file.name} has {own}" for own, file in files.items())
        raise FacealignError(f"train.init_sha256: {digest!r}: no released weights have it: {there}")
    return files[digest]


def _take(network: nn.Module, source: Checkpoint, path: Path) -> None:
    """All weights of the same name and shape: a network for 68 points can go on from one for 5."""
    own = network.state_dict()
    fitting = {
        name: value
        for name, value in source.weights.items()
        if name in own and own[name].shape == value.shape
    }
    if len(fitting) < len(own) / 2:
        raise FacealignError(
            f"train.init: {len(fitting)} of {len(own)} weights of {path} ({source.arch}) fit this "
            "network: is it of another kind, size or train.width?"
        )
    network.load_state_dict(own | fitting)
    if len(fitting) < len(own):
        print(f"{path}: {len(fitting)} of {len(own)} weights taken", file=sys.stderr)


def halved(checkpoint: Checkpoint) -> Checkpoint:
    """With weights of two bytes, which a network loads into its own of four: half the file."""
    return replace(
        checkpoint,
        weights={
            name: value.half() if value.is_floating_point() else value
            for name, value in checkpoint.weights.items()
        },
    )


def to_dict(checkpoint: Checkpoint) -> dict[str, Any]:
    return vars(checkpoint) | {"stats": asdict(checkpoint.stats)}


def from_dict(values: dict[str, Any]) -> Checkpoint:
    return Checkpoint(**values | {"stats": Stats(**values["stats"])})


def save(checkpoint: Checkpoint, path: Path) -> None:
    # through memory: torch writes the file's own name into it, and the name must not matter
    buffer = io.BytesIO()
    torch.save(to_dict(checkpoint), buffer)
    with atomic_write(path) as part:
        part.write_bytes(buffer.getvalue())


def load(path: Path) -> Checkpoint:
    try:
        return from_dict(torch.load(path, map_location="cpu", weights_only=True))
    except OSError as error:
        raise FacealignError(f"{path}: {error.strerror}") from None
    except Exception:
        # torch raises whatever comes; its words advise to load the file and run what is in it
        raise FacealignError(f"{path}: not a checkpoint of facealign") from None
