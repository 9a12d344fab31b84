"""Pictures (height, width, 3) of which each channel is a plane of its own in memory.

NumPy's loops run along the axis that is the last one in memory, and along three channels they are
too short to be fast. What NumPy computes from such pictures mostly has the same order in memory.
"""

from __future__ import annotations

import cv2
import numpy as np


def joined(planes: np.ndarray) -> np.ndarray:
    """(channels, height, width), seen as (height, width, channels)."""
    return planes.transpose(1, 2, 0)


def split(image: np.ndarray) -> np.ndarray:
    """(height, width, channels) as (channels, height, width)."""
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def interleaved(planes: np.ndarray) -> np.ndarray:
    """(channels, height, width) as (height, width, channels), the order that OpenCV needs."""
    return np.asarray(cv2.merge(list(planes)))


def tinted(brightness: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """A picture of one colour (3,), bright as (height, width) says."""
    return joined(brightness * colour[:, None, None])
