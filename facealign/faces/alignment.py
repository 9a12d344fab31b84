"""Aligned crops: faces turned, scaled and shifted so that their points match a template."""

from __future__ import annotations

import numpy as np

from facealign.core import images
from facealign.core.geometry import Affine, fitted_similarity
from facealign.core.points import select
from facealign.faces.mean_face import MEAN_FACE

# Which of the five points (eyes, nose tip, mouth corners) are matched with the template
CHOICES = {2: (0, 1), 3: (0, 1, 2), 5: (0, 1, 2, 3, 4)}

EYES_APART, EYES_DOWN = 0.3, 0.42  # shares of the crop's side: from the hair line to the chin


def template(size: int) -> np.ndarray:
    """Where the five points (5, 2) of an average face lie in a crop."""
    face = select(MEAN_FACE[:, :2], 5)
    eyes = face[:2]
    scaled = (face - eyes.mean(axis=0)) * EYES_APART / (eyes[1, 0] - eyes[0, 0])
    # a share of the side counts from the crop's edge, half a pixel before the first one's centre
    return (scaled + (0.5, EYES_DOWN)) * size - 0.5


def to_template(five: np.ndarray, count: int, size: int) -> Affine:
    """The similarity transform, picture -> crop, that fits `count` of the five points (5, 2) to
    the template by least squares."""
    chosen = list(CHOICES[count])
    return fitted_similarity(five[chosen], template(size)[chosen])


def align(image: np.ndarray, points: np.ndarray, count: int, size: int) -> np.ndarray:
    """A size x size crop of the face with these points, which must have the five."""
    return images.warp(image, to_template(select(points, 5), count, size), size)
