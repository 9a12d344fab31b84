"""Face detectors by name. To add one, write a function and add a line to DETECTORS.

Nothing heavy is imported before a detector runs: the command lists the names in its help.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from facealign.core.config import unknown_name
from facealign.core.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np

    from facealign.core.geometry import Box

Detector = Callable[["np.ndarray"], "Sequence[Box]"]  # an RGB picture's faces, best first
# the same, after the picture has been doubled in size so many times
NamedDetector = Callable[["np.ndarray", int], "Sequence[Box]"]


def _dlib(image: np.ndarray, doublings: int) -> Sequence[Box]:
    from facealign.faces import detection

    return detection.find_faces(image, doublings)


DEFAULT = "dlib"
DETECTORS: dict[str, NamedDetector] = {"dlib": _dlib}


def find_detector(detector: str | Detector) -> NamedDetector:
    """The detector of this name; a function is called with the picture as it is."""
    if callable(detector):
        return lambda image, doublings: detector(image)
    if not isinstance(detector, str) or detector not in DETECTORS:
        raise ConfigError(unknown_name("detector", str(detector), list(DETECTORS)))
    return DETECTORS[detector]
