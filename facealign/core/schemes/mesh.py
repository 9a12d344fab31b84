"""MediaPipe's face mesh with irises: 478 points, most of which have no name.

The points of its axis are among the first 248, whose others are the left half; the right half
follows in the same order. The irises come last: centre, right, top, left and bottom edge of each.
"""

from __future__ import annotations

from collections.abc import Iterable

from facealign.core.schemes.scheme import IBUG_FIVE, Scheme, mirrored, ring, run, singles, through

_AXIS = (0, 1, 2, *run(4, 6), *run(8, 19), 94, 151, 152, 164, 168, 175, 195, 197, 199, 200)
_LEFT = tuple(point for point in range(248) if point not in _AXIS)
_MIRROR = mirrored(
    478,
    [(_LEFT, run(248, 467)), (run(468, 472), (473, 476, 475, 474, 477))],
)


def _other_side(points: Iterable[int]) -> tuple[int, ...]:
    return tuple(_MIRROR[point] for point in points)


def _both_sides(half: Iterable[int]) -> tuple[int, ...]:
    """A line from the left to a point on the axis, and on to the right."""
    left = tuple(half)
    return (*left, *_other_side(left[-2::-1]))


_JAW = _both_sides((162, 127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152))
_BROW = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
_RIDGE = (168, 6, 197, 195, 5, 4, 1, 19, 94, 2)
_NOSE = _both_sides((4, 45, 220, 115, 48, 64, 98, 97, 2))[:-1]
_OUTER_LIP = (
    *_both_sides((61, 185, 40, 39, 37, 0)),
    *_both_sides((146, 91, 181, 84, 17))[::-1],
)
_INNER_LIP = (
    *_both_sides((78, 191, 80, 81, 82, 13)),
    *_both_sides((95, 88, 178, 87, 14))[::-1],
)
_TO_68 = singles(
    *_both_sides((162, 234, 93, 58, 172, 136, 149, 148, 152)),
    *(71, 63, 105, 66, 107),
    *_other_side((107, 66, 105, 63, 71)),
    *(168, 197, 5, 4),
    *_both_sides((75, 97, 2)),
    *(33, 160, 158, 133, 153, 144),
    *_other_side((133, 158, 160, 33, 144, 153)),
    *_both_sides((61, 39, 37, 0)),
    *_both_sides((181, 84, 17))[::-1],
    *_both_sides((78, 82, 13)),
    *_both_sides((87, 14))[::-1],
)
MESH = Scheme(
    name="MediaPipe",
    mirror=_MIRROR,
    regions={
        "jaw": _JAW,
        "brows": (*_BROW, *_other_side(_BROW)),
        "nose": tuple(sorted({*_RIDGE, *_NOSE})),
        "eyes": (*_EYE, *_other_side(_EYE), *run(468, 477)),
        "mouth": (*_OUTER_LIP, *_INNER_LIP),
    },
    eyes=((33,), (263,)),
    lines=(
        _JAW,
        ring(*_BROW),
        ring(*_other_side(_BROW)),
        _RIDGE,
        ring(*_NOSE),
        ring(*_EYE),
        ring(*_other_side(_EYE)),
        ring(*run(469, 472)),
        ring(*run(474, 477)),
        ring(*_OUTER_LIP),
        ring(*_INNER_LIP),
    ),
    maps={68: _TO_68, 5: through(_TO_68, IBUG_FIVE)},
)
