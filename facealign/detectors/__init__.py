"""Face detectors by name. To add one, write a function and add a line to DETECTORS.

Nothing heavy is imported before a detector runs: the command lists the names in its help.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facealign.core.config import unknown_name
from facealign.core.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np

    from facealign.core.faces import Detection
    from facealign.core.geometry import Box

# an RGB image's faces, best first: boxes like dlib's, or detections, which add score and roll
Detector = Callable[["np.ndarray"], "Sequence[Box | Detection]"]


@dataclass(frozen=True)
class Named:
    """`find` takes an RGB image and how many times it is to be doubled in size."""

    find: Callable[[np.ndarray, int], Sequence[Box | Detection]]
    doubles: bool = False  # whether doubling helps it to find smaller faces
    clear: float = 0.0  # the least score that tells a face without its landmarks
    # the least sum of its score and the mean score of the landmarks: less is no face
    certain: float = 0.0
    every: float = 1.0  # seconds between two runs of it on a video


def _dlib(image: np.ndarray, doublings: int) -> Sequence[Detection]:
    from facealign.detectors import hog

    return hog.find_faces(image, doublings)


def _fast(image: np.ndarray, doublings: int) -> Sequence[Detection]:
    from facealign.detectors import fast

    return fast.find_faces(image)


DEFAULT = "fast"
DETECTORS = {
    "fast": Named(_fast, clear=0.5, certain=0.85, every=0.0),
    "dlib": Named(_dlib, doubles=True),
}


def find_detector(detector: str | Detector) -> Named:
    """The detector of this name; a function is called with the image as it is."""
    if callable(detector):
        return Named(lambda image, doublings: detector(image))
    if not isinstance(detector, str) or detector not in DETECTORS:
        raise ConfigError(unknown_name("detector", str(detector), list(DETECTORS)))
    return DETECTORS[detector]
