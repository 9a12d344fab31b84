"""The faces to train on and how often, and the faces to validate on, both of the train split."""

from __future__ import annotations

import re

import numpy as np

from facealign.core.errors import ConfigError
from facealign.core.tables import dataset_and_split
from facealign.faces.cropping import Crops
from facealign.faces.validation import Validation, held_back, require_present
from facealign.training.recipe import Train


def split_rows(crops: Crops, config: Train) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, and rows to choose the best epoch by."""
    rows = crops.rows("train")
    images = [crops.images[row] for row in rows]
    require_present("repeat", [*_repeats(config)], [dataset_and_split(one)[0] for one in images])
    chosen = Validation(config.validation, config.fold, config.extra)
    held = held_back(images, [crops.sources[row] for row in rows], chosen)
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
