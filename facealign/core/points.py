"""Arrays of points, whose scheme follows from their number. Points are counted from 0.

Sides are the viewer's: point 0 of the 68 is at the left edge of the picture, which is the person's
right ear.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from facealign.core.errors import ConfigError, InputError
from facealign.core.schemes.published import IBUG, SCHEMES
from facealign.core.schemes.scheme import Scheme, chosen

COUNT = IBUG.count
PROFILE_COUNT = 39  # of Menpo's profile faces
MIRROR = IBUG.mirror_array

_own: dict[int, Scheme] = {}  # users' schemes in this process


def use(scheme: Scheme) -> None:
    """Make a user's scheme known to this process, by its number of points."""
    known = _known(scheme.count)
    if known is None or (known.source == scheme.source and scheme.file):
        _own[scheme.count] = scheme
    elif known.source != scheme.source:
        raise ConfigError(
            f"{scheme.name}: a scheme of {scheme.count} points, as {known.name} is: schemes are "
            "told apart by their numbers of points"
        )


def scheme_of(count: int) -> Scheme:
    known = _known(count)
    if known is None:
        listed = ", ".join(map(str, sorted({*SCHEMES, *_own})))
        raise InputError(f"{count} points: no scheme has so many. Known: {listed}")
    return known


def count_named(wanted: int | str, key: str) -> int:
    """The number of points that the value `key` of params.yaml names: itself, or that of a user's
    scheme by its file, which this process knows."""
    if isinstance(wanted, int):
        return wanted
    files = {scheme.file: count for count, scheme in _own.items() if scheme.file}
    if wanted not in files:
        listed = f", {', '.join(files)}" if files else ""
        raise ConfigError(
            f"params.yaml: {key} is {wanted!r}, expected a number of points or the file of "
            f"data.points{listed}"
        )
    return files[wanted]


def source_of(count: int) -> Any:
    """What the file of a user's scheme says; None of any other."""
    known = _known(count)
    return known and known.source


def is_known(count: int) -> bool:
    """Whether there is a scheme of so many points."""
    return _known(count) is not None


def can_become(count: int, wanted: int) -> bool:
    """Whether `select` has a map from the one number of points to the other."""
    known = _known(count)
    return known is not None and (count == wanted or wanted in known.maps)


def common_count(counts: Iterable[int]) -> int | None:
    """The number of points of the richest scheme that points of all these schemes can become."""
    each = [{count, *scheme_of(count).maps} for count in counts]
    return max(set.intersection(*each), default=None)


def require_common(*counts: int) -> int:
    """The same, or an error."""
    count = common_count(counts)
    if count is None:
        named = " and ".join(f"{count} points ({scheme_of(count).name})" for count in counts)
        raise InputError(f"{named} cannot be compared: they have no scheme in common")
    return count


def select(points: np.ndarray, count: int) -> np.ndarray:
    """Points (..., K, 2) themselves, or converted to a scheme of `count` points.

    Five are the centres of the eyes, the tip of the nose and the corners of the mouth.
    """
    own = points.shape[-2]
    if own == count:
        return points
    scheme = scheme_of(own)
    if count not in scheme.maps:
        raise InputError(
            f"{own} points ({scheme.name}) cannot become {count}, only "
            f"{', '.join(map(str, sorted({own, *scheme.maps})))}"
        )
    return chosen(points, scheme.maps[count])


def eyes(points: np.ndarray) -> np.ndarray:
    """The two points (..., 2, 2) of the interocular distance: the outer corners, as in 300-W, or
    the centres if the scheme has no corners."""
    return chosen(points, scheme_of(points.shape[-2]).eyes)


def mirror(count: int) -> np.ndarray:
    """The point that each one becomes in a mirrored picture."""
    return scheme_of(count).mirror_array


def _known(count: int) -> Scheme | None:
    return SCHEMES.get(count) or _own.get(count)
