"""What a training is made of: the section `train` of params.yaml, explained there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from facealign.config import Count, Range, Seed, Share


@dataclass(frozen=True)
class Train:
    arch: str
    loss: str
    wing_width: Annotated[float, Range(1e-6)]
    wing_curvature: Annotated[float, Range(1e-6)]
    epochs: Count
    batch: Count
    learning_rate: Annotated[float, Range(0)]
    warmup: Share
    weight_decay: Annotated[float, Range(0)]
    validation: Share
    seed: Seed
    flip: Share
    rotation: Annotated[float, Range(0, 180)]
    scale: Annotated[float, Range(0, 0.9)]
    shift: Annotated[float, Range(0, 0.5)]
    colour: Share
