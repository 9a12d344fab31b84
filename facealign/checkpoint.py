"""A trained network in one file, with all that is needed to rebuild and to use it."""

from __future__ import annotations

import io
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from facealign import models
from facealign.codecs import Codec, make_codec
from facealign.cropping import Stats
from facealign.errors import FacealignError
from facealign.files import replacing
from facealign.layers import Shape


@dataclass(frozen=True)
class Checkpoint:
    arch: str
    stats: Stats  # the crops it was trained on
    mean_face: torch.Tensor  # (68, 2), input pixels
    recipe: dict[str, Any]  # the params of the training
    epoch: int  # the best one, counted from 1
    validation_nme: float
    weights: dict[str, torch.Tensor]


def build(checkpoint: Checkpoint, device: torch.device) -> tuple[nn.Module, Codec]:
    """The network with its weights, ready to predict."""
    shape = Shape(checkpoint.stats.size, checkpoint.mean_face)
    network, codec = models.build(checkpoint.arch, shape)
    network.load_state_dict(checkpoint.weights)
    network.to(device).eval()
    return network, make_codec(codec, checkpoint.stats.size, checkpoint.mean_face.to(device))


def save(checkpoint: Checkpoint, path: Path) -> None:
    values = vars(checkpoint) | {"stats": asdict(checkpoint.stats)}
    # through memory: torch writes the file's own name into it, and the name must not matter
    buffer = io.BytesIO()
    torch.save(values, buffer)
    with replacing(path) as part:
        part.write_bytes(buffer.getvalue())


def load(path: Path) -> Checkpoint:
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
        return Checkpoint(**values | {"stats": Stats(**values["stats"])})
    except OSError as error:
        raise FacealignError(f"{path}: {error.strerror}") from None
    except (RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise FacealignError(f"{path}: not a checkpoint of facealign: {error}") from None
