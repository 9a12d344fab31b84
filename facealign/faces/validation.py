"""Which train faces are for validation: no method is trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from facealign.core.config import Range, Share, unknown_name
from facealign.core.errors import ConfigError, InputError
from facealign.core.faces import TEACHER
from facealign.core.files import in_fold
from facealign.core.tables import dataset_and_split

Fold = Annotated[int, Range(0, 1000)]


@dataclass(frozen=True)
class Validation:
    """The values of the section `train` of params.yaml that choose them."""

    validation: Share
    fold: Fold
    extra: list[str]


def held_back(images: Sequence[str], sources: Sequence[str], config: Validation) -> np.ndarray:
    """For each train face (N,), whether it is for validation."""
    if not images:
        raise InputError("no face was found in any train picture: nothing to learn from")
    share, fold = config.validation, config.fold
    if (fold + 1) * share > 1 + 1e-9:
        raise ConfigError(
            f"train.fold is {fold}: with train.validation {share} the last fold is "
            f"{int((1 + 1e-9) / share) - 1}"
        )
    sets = [dataset_and_split(image)[0] for image in images]
    require_present("extra", config.extra, sets)
    held = np.array(
        [
            dataset not in config.extra and source != TEACHER and in_fold(image, share, fold)
            for dataset, image, source in zip(sets, images, sources, strict=True)
        ],
        dtype=bool,
    )
    if held.all() or not held.any():
        raise ConfigError(
            f"train.validation is {share}: of {len(images)} train faces {held.sum()} are for "
            f"validation and {(~held).sum()} for training, expected some of both"
        )
    return held


def require_present(key: str, names: Sequence[str], sets: Sequence[str]) -> None:
    """Refuse names in `train.KEY` that are no data set of a train face."""
    for name in names:
        if name not in sets:
            said = unknown_name("data set", name, sorted(set(sets)))
            raise ConfigError(f"train.{key}: {said}")
