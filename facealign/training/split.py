"""The faces to train on and how often, and the faces to validate on, both of the train split."""

from __future__ import annotations

import re

import numpy as np

from facealign.core.config import unknown_name
from facealign.core.errors import ConfigError
from facealign.core.faces import TEACHER
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
    for key, names in (("extra", config.extra), ("repeat", _repeats(config))):
        for name in names:
            if name not in sets:
                said = unknown_name("data set", name, sorted(set(sets)))
                raise ConfigError(f"train.{key}: {said}")
    taught = [crops.sources[row] == TEACHER for row in rows]
    held = np.array(
        [
            dataset not in config.extra and not by_network and in_fold(image, share, fold)
            for dataset, image, by_network in zip(sets, images, taught, strict=True)
        ],
        dtype=bool,
    )
    if held.all() or not held.any():
        raise ConfigError(
            f"train.validation is {share}: of {len(rows)} train faces {held.sum()} are for "
            f"validation and {(~held).sum()} for training, expected some of both"
        )
    return rows[~held], rows[held]


def shares(crops: Crops, rows: np.ndarray, config: Train) -> np.ndarray:
    """How often an epoch has each of these faces, on average."""
    repeats = _repeats(config)
    own = [repeats.get(dataset_and_split(crops.images[row])[0], 1.0) for row in rows]
    found = np.array(own) * crops.weights[rows]
    if not found.any():
        raise ConfigError("train.repeat: no face is left to train on")
    return np.asarray(found)


def _repeats(config: Train) -> dict[str, float]:
    """By data set."""
    found = {}
    for entry in config.repeat:
        name, _, times = entry.rpartition(":")
        if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", times) or not name or name in found:
            raise ConfigError(
                f"train.repeat: {entry!r}, expected each data set once, with a number from 0 to "
                "999, such as InfAnFace:4"
            )
        found[name] = float(times)
    return found
