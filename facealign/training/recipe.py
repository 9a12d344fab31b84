"""What a training is made of: the section `train` of params.yaml, explained there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from facealign.core.config import Count, Range, Seed, Share

STRONGEST_BLUR = 0.02  # of the crop's side; beyond it a face has no landmarks to see


@dataclass(frozen=True)
class Train:
    arch: str
    stacks: Annotated[int, Range(1, 8)]
    width: Annotated[int, Range(16, 256)]  # oneDNN crashes on fewer than 8 channels, half of it
    trunk: Literal["residual", "efficientnet"]
    dropout: Share
    points: Literal[68, 5]
    init: str
    init_sha256: str
    loss: str
    wing_width: Annotated[float, Range(1e-6)]
    wing_curvature: Annotated[float, Range(1e-6)]
    epochs: Count
    patience: Annotated[int, Range(0)]
    batch: Count
    learning_rate: Annotated[float, Range(0)]
    warmup: Share
    weight_decay: Annotated[float, Range(0)]
    clip: Annotated[float, Range(0)]
    ema: Annotated[float, Range(0, 0.999999)]
    precision: Literal["float32", "bfloat16"]
    validation: Share
    fold: Annotated[int, Range(0)]
    extra: list[str]
    seed: Seed
    flip: Share
    rotation: Annotated[float, Range(0, 180)]
    scale: Annotated[float, Range(0, 0.9)]
    shift: Annotated[float, Range(0, 0.5)]
    colour: Share
    grey: Share
    blur: Annotated[float, Range(0, STRONGEST_BLUR)]
    cover: Share
