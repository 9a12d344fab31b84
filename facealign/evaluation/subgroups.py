"""Figures on easy and hard faces: turned by how much, how sharp, how large."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from facealign.core.geometry import box_sizes
from facealign.evaluation.metrics import Summary
from facealign.evaluation.scoring import Ced, Tested
from facealign.faces import quality

# subject (yaw, sharpness, size) -> group -> method -> figures
Groups = dict[str, dict[str, dict[str, Summary]]]


def summarise(tested: Mapping[str, Tested], sharpness: np.ndarray, config: Ced) -> Groups:
    """`sharpness` (N,) is that of the faces, which are the same for all methods."""
    faces = next(iter(tested.values())).faces
    groups = quality.subgroups(faces.points, sharpness, box_sizes(faces.boxes))
    return {
        subject: {
            name: {method: one.subset(group.rows).summary(config) for method, one in tested.items()}
            for name, group in named
        }
        for subject, named in groups.items()
    }
