"""Labels beside what is expected of them, and by how much they are off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from facealign.core.faces import Faces
from facealign.core.points import scheme_of
from facealign.inference.suspects import expected as expecting
from facealign.inference.suspects.expected import distances
from facealign.inference.suspects.sight import Sight
from facealign.reports.duplicates import alike

SAME_FACE = 0.05  # distance of one face in two copies of an image, as a share of the box's side
TAIL = 0.9  # the quantile at which regions count as much as the whole face


@dataclass(frozen=True)
class Copy:
    """Two images that are one, and how far apart their labels are, in what is usual."""

    rows: tuple[int, int]
    score: float


@dataclass(frozen=True, eq=False)
class Evidence:
    """Of N faces of K points; `labels` and `expected` in the frames of their boxes."""

    faces: Faces  # with `size` and the labels' `points`
    seen: Sequence[Sight]
    labels: np.ndarray
    expected: np.ndarray

    @cached_property
    def spreads(self) -> np.ndarray:
        return np.array([one.spread for one in self.seen])

    @cached_property
    def distance(self) -> np.ndarray:
        return distances(self.labels, self.expected)

    @cached_property
    def usual(self) -> np.ndarray:
        """The distance that is usual for such faces."""
        return expecting.usual(self.distance, self.spreads)

    @cached_property
    def whole(self) -> np.ndarray:
        """The score of all points together."""
        return self.distance / self.usual

    @cached_property
    def regions(self) -> dict[str, np.ndarray]:
        """Scores of each region, in their tail as large as those of the whole face."""
        parts = scheme_of(self.labels.shape[1]).regions
        found = {}
        for name, points in parts.items():
            rows = list(points)
            off = distances(self.labels[:, rows], self.expected[:, rows])
            found[name] = off / expecting.usual(off, self.spreads)
        if not found:
            return {}
        most = np.max(list(found.values()), axis=0)
        scale = float(np.quantile(self.whole, TAIL) / np.quantile(most, TAIL))
        return {name: one * scale for name, one in found.items()}

    @cached_property
    def copies(self) -> list[Copy]:
        """Near-duplicates in which the networks see the same face."""
        hashes = np.array([one.hash for one in self.seen], np.uint64)
        found = []
        for j in range(1, len(hashes)):
            for i, _, _ in alike(hashes[:j], hashes[j : j + 1]):
                scale = self.faces["size"][j] / self.faces["size"][i]
                seen = self._in_pixels(i, self.seen[i].points) * scale
                to_frame = self.seen[j].to_frame
                if self._apart(to_frame(seen), self.seen[j].points) < SAME_FACE:
                    moved = to_frame(self.faces.points[i] * scale)
                    apart = self._apart(moved, self.labels[j])
                    found.append(Copy((i, j), apart / float(self.usual[j])))
        return found

    def copies_of(self, row: int) -> list[int]:
        """The other faces that are this one."""
        return [other for copy in self.copies if row in copy.rows for other in copy.rows]

    def in_pixels(self) -> np.ndarray:
        """The expected points in the pixels of their images."""
        return np.array([self._in_pixels(row, one) for row, one in enumerate(self.expected)])

    def _in_pixels(self, row: int, points: np.ndarray) -> np.ndarray:
        return self.seen[row].to_frame.inverse()(points)

    @staticmethod
    def _apart(one: np.ndarray, other: np.ndarray) -> float:
        return float(distances(one[None], other[None])[0])


def gather(faces: Faces, seen: Sequence[Sight]) -> Evidence:
    labels = np.array(
        [one.to_frame(points) for one, points in zip(seen, faces.points, strict=True)]
    )
    points = np.array([one.points for one in seen])
    return Evidence(faces, seen, labels, expecting.expected(faces.images, points, labels))
