"""The section `train` of params.yaml, which explains each value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from facealign import models
from facealign.core.config import Count, Named, Range, Seed, Share
from facealign.core.points import count_named
from facealign.faces.validation import Fold
from facealign.training import losses
from facealign.training.augment import STRONGEST_BLUR


@dataclass(frozen=True)
class Train:
    arch: str
    networks: Annotated[Mapping[str, Any], Named("network with options", models.options)]
    points: int | str  # as data.points: a scheme that the data have or can become
    init: str
    init_sha256: str
    loss: str
    losses: Annotated[Mapping[str, Any], Named("loss with options", losses.options)]
    epochs: Count
    patience: Annotated[int, Range(0, 100_000)]
    batch: Count
    learning_rate: Annotated[float, Range(0, 100)]
    warmup: Share
    weight_decay: Annotated[float, Range(0, 100)]
    clip: Annotated[float, Range(0, 1e6)]
    ema: Annotated[float, Range(0, 0.999999)]
    precision: Literal["float32", "bfloat16"]
    validation: Share
    fold: Fold
    extra: list[str]
    repeat: list[str]
    seed: Seed
    flip: Share
    rotation: Annotated[float, Range(0, 180)]
    scale: Annotated[float, Range(0, 0.9)]
    shift: Annotated[float, Range(0, 0.5)]
    colour: Share
    grey: Share
    blur: Annotated[float, Range(0, STRONGEST_BLUR)]
    cover: Share
    light: Share
    noise: Annotated[float, Range(0, 0.5)]
    style: Share

    @property
    def point_count(self) -> int:
        return count_named(self.points, "train.points")

    def used(self) -> dict[str, Any]:
        """The values that decide the outcome: of all options, those of the network and loss that
        are trained with."""
        values = asdict(self)
        for kind, name in (("networks", self.arch), ("losses", self.loss)):
            values[kind] = {key: its for key, its in values[kind].items() if key == name}
        return values
