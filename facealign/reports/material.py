"""What the report on landmarks is made of: the pipeline's outputs, and traits of the pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from facealign.core import images
from facealign.core.faces import TRUTH, Faces
from facealign.core.geometry import Box
from facealign.core.parallel import map_in_order
from facealign.core.tables import KEY, Table
from facealign.evaluation import scoring, subgroups
from facealign.evaluation.scoring import Ced, Tested
from facealign.faces import quality
from facealign.reports import duplicates
from facealign.reports.findings import Figures, Rated

DEMO = "data/demo.tgz"


@dataclass(frozen=True)
class Traits:
    """What is computed from a picture alone."""

    hash: int
    sharpness: float


@dataclass(frozen=True, eq=False)
class Material:
    faces: Path
    index: Faces
    dropped: Table
    boxes: Faces
    tested: Mapping[str, Tested]  # model, and the baselines whose points can be compared
    training: Table
    figures: Figures  # metrics/ced.json
    params: Mapping[str, Any]  # flat
    ced: Ced
    experiment: str = ""  # its name; empty if `dvc repro` has made the report
    revision: str = ""  # that the experiment was run on

    @property
    def generated(self) -> bool:
        """Whether the faces are the demo's."""
        return str(self.params["data.archive"]) == DEMO

    @property
    def model(self) -> Tested:
        return self.tested["model"]

    @cached_property
    def truth(self) -> np.ndarray:
        return self.index.points

    def box(self, row: int) -> Box:
        """dlib's rectangle of a row of the index, or one around its true points."""
        place = self._places.get(self.index[KEY][row])
        if place is None:
            return Box.around(self.truth[row])
        return self.boxes.box(place)

    def boxed(self, row: int) -> bool:
        return self.index[KEY][row] in self._places

    def where(self, split: str) -> list[int]:
        """The rows of the index that are of this split."""
        return [row for row, its in enumerate(self.index["split"]) if its == split]

    @cached_property
    def detected(self) -> frozenset[str]:
        """Pictures whose face the detector found; others may have a box from their true points."""
        sources = zip(self.boxes[KEY], self.boxes["source"], strict=True)
        return frozenset(image for image, source in sources if source != TRUTH)

    @cached_property
    def regions(self) -> dict[str, dict[str, np.ndarray]]:
        """Errors by method and region of the face, image by image; there may be no regions."""
        return {method: scoring.by_region(its) for method, its in self.tested.items()}

    @cached_property
    def duplicates(self) -> list[tuple[int, int, int]]:
        """Rows of train and test pictures that look alike, and in how many bits they differ."""
        train, test = self.where("train"), self.where("test")
        pairs = duplicates.alike(
            [self._traits[row].hash for row in train], [self._traits[row].hash for row in test]
        )
        return [(train[i], test[j], bits) for i, j, bits in pairs]

    @cached_property
    def difficulty(self) -> dict[str, list[Rated]]:
        """Each method's figures on groups of the tested faces: by yaw, sharpness and size."""
        rows = self.index.rows(self.model.faces.images)
        if not len(rows):
            return {}
        sharpness = np.array([self._traits[row].sharpness for row in rows])
        return {
            subject: [Rated(name, figures) for name, figures in groups.items()]
            for subject, groups in subgroups.summarise(self.tested, sharpness, self.ced).items()
        }

    @cached_property
    def _traits(self) -> list[Traits]:
        """Of each row of the index."""
        faces = [(image, self.box(row)) for row, image in enumerate(self.index[KEY])]
        return list(map_in_order(partial(_traits, self.faces), faces, "report"))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {image: place for place, image in enumerate(self.boxes[KEY])}


def _traits(root: Path, face: tuple[str, Box]) -> Traits:
    image, box = face
    picture = images.read(root / image)
    return Traits(duplicates.perceptual_hash(picture), quality.sharpness(picture, box))
