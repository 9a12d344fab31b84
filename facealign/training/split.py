"""The faces to train on and the faces to validate on, both of the train split."""

from __future__ import annotations

import numpy as np

from facealign.core.config import unknown_name
from facealign.core.errors import ConfigError
from facealign.core.files import in_fold
from facealign.core.tables import dataset_and_split
from facealign.faces.cropping import Crops
from facealign.training.recipe import Train


def split_rows(crops: Crops, config: Train) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, and rows to choose the best epoch by."""
    share, fold = config.validation, config.fold
    if (fold + 1) * share > 1 + 1e-9:
        raise ConfigError(
            f"train.fold is {fold}: with train.validation {share} the last fold is "
            f"{int((1 + 1e-9) / share) - 1}"
        )
    rows = crops.rows("train")
    images = [crops.images[row] for row in rows]
    sets = [dataset_and_split(image)[0] for image in images]
    for name in config.extra:
        if name not in sets:
            raise ConfigError(f"train.extra: {unknown_name('data set', name, sorted(set(sets)))}")
    held = np.array(
        [
            dataset not in config.extra and in_fold(image, share, fold)
            for dataset, image in zip(sets, images, strict=True)
        ],
        dtype=bool,
    )
    if held.all() or not held.any():
        raise ConfigError(
            f"train.validation is {share}: of {len(rows)} train faces {held.sum()} are for "
            f"validation and {(~held).sum()} for training, expected some of both"
        )
    return rows[~held], rows[held]
