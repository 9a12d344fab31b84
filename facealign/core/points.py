"""Facts about the 68 iBUG points, counted from 0 here as in every array of the project.

Sides are the viewer's: point 0 is at the left edge of the picture, which is the person's right ear.
"""

import numpy as np

COUNT = 68
PROFILE_COUNT = 39  # of Menpo's profile faces

REGIONS: dict[str, slice] = {
    "jaw": slice(0, 17),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
    "eyes": slice(36, 48),
    "mouth": slice(48, 68),
}

OUTER_EYE_CORNERS = (36, 45)


def _mirror() -> np.ndarray:
    """MIRROR[i] is the point that i becomes in a mirrored picture."""
    runs = [
        (range(17), range(16, -1, -1)),  # jaw
        (range(17, 22), range(26, 21, -1)),  # brows
        (range(27, 31), range(27, 31)),  # the ridge of the nose stays
        (range(31, 36), range(35, 30, -1)),  # nostrils
        (range(36, 40), range(45, 41, -1)),  # upper eyelids, corner to corner
        (range(40, 42), (47, 46)),  # lower eyelids
        (range(48, 55), range(54, 47, -1)),  # outer lip, upper edge
        (range(55, 60), range(59, 54, -1)),  # outer lip, lower edge
        (range(60, 65), range(64, 59, -1)),  # inner lip, upper edge
        (range(65, 68), range(67, 64, -1)),  # inner lip, lower edge
    ]
    mirror = np.full(COUNT, -1)
    for left, right in runs:
        mirror[list(left)] = list(right)
        mirror[list(right)] = list(left)
    return mirror


MIRROR = _mirror()

COUNTS = (COUNT, 5)  # how many points a network may learn


def select(points: np.ndarray, count: int) -> np.ndarray:
    """Points (..., 68, 2) themselves, or the five that alignment uses: the centres of the eyes, the
    tip of the nose and the corners of the mouth."""
    if points.shape[-2] == count:
        return points
    assert (points.shape[-2], count) == COUNTS
    eyes = [points[..., start : start + 6, :].mean(axis=-2) for start in (36, 42)]
    return np.stack([*eyes, *(points[..., i, :] for i in (30, 48, 54))], axis=-2)


def eyes(points: np.ndarray) -> np.ndarray:
    """The two points (..., 2, 2) of the interocular distance: the outer corners, as in 300-W, or
    the centres if there are five points."""
    chosen = OUTER_EYE_CORNERS if points.shape[-2] == COUNT else (0, 1)
    return points[..., chosen, :]


def mirror(count: int) -> np.ndarray:
    """`MIRROR` for the points that `select` gives."""
    return MIRROR if count == COUNT else np.array([1, 0, 2, 4, 3])
