"""The published schemes: facts about their points, counted from 0.

docs/how-to/schemes.md says where they come from, and what of them is not certain.
"""

from __future__ import annotations

from facealign.core.schemes.mesh import MESH
from facealign.core.schemes.scheme import (
    IBUG_FIVE,
    Scheme,
    across,
    mirrored,
    ring,
    run,
    singles,
    through,
)

FIVE = Scheme(
    name="eyes, nose, mouth",
    mirror=(1, 0, 2, 4, 3),
    regions={},
    eyes=((0,), (1,)),
)

IBUG = Scheme(
    name="iBUG",
    mirror=mirrored(
        68,
        [
            across(0, 16),  # jaw
            (run(17, 21), run(26, 22)),  # brows
            across(31, 35),  # nostrils
            (run(36, 39), run(45, 42)),  # upper eyelids, corner to corner
            ((40, 41), (47, 46)),  # lower eyelids
            across(48, 54),  # outer lip, upper edge
            across(55, 59),  # outer lip, lower edge
            across(60, 64),  # inner lip, upper edge
            across(65, 67),  # inner lip, lower edge
        ],
    ),
    regions={
        "jaw": run(0, 16),
        "brows": run(17, 26),
        "nose": run(27, 35),
        "eyes": run(36, 47),
        "mouth": run(48, 67),
    },
    eyes=((36,), (45,)),  # the outer corners, as in 300-W
    lines=(
        run(0, 16),
        run(17, 21),
        run(22, 26),
        run(27, 30),
        run(31, 35),
        ring(*run(36, 41)),
        ring(*run(42, 47)),
        ring(*run(48, 59)),
        ring(*run(60, 67)),
    ),
    maps={5: IBUG_FIVE},
)

_WFLW_68 = singles(
    *range(0, 33, 2),  # every second point of the jaw
    *run(33, 37),  # the brows' upper edges
    *run(42, 46),
    *run(51, 59),
    *(60, 61, 63, 64, 65, 67),  # the eyelids without the points in their middle
    *(68, 69, 71, 72, 73, 75),
    *run(76, 95),
)
WFLW = Scheme(
    name="WFLW",
    mirror=mirrored(
        98,
        [
            across(0, 32),
            (run(33, 37), run(46, 42)),  # the brows' upper edges, from their outer ends
            (run(38, 41), run(50, 47)),  # the lower ones
            across(55, 59),
            (run(60, 64), run(72, 68)),  # upper eyelids, corner to corner
            (run(65, 67), run(75, 73)),
            across(76, 82),
            across(83, 87),
            across(88, 92),
            across(93, 95),
            ((96,), (97,)),  # pupils
        ],
    ),
    regions={
        "jaw": run(0, 32),
        "brows": run(33, 50),
        "nose": run(51, 59),
        "eyes": (*run(60, 75), 96, 97),
        "mouth": run(76, 95),
    },
    eyes=((60,), (72,)),
    lines=(
        run(0, 32),
        ring(*run(33, 41)),
        ring(*run(42, 50)),
        run(51, 54),
        run(55, 59),
        ring(*run(60, 67)),
        ring(*run(68, 75)),
        ring(*run(76, 87)),
        ring(*run(88, 95)),
    ),
    maps={68: _WFLW_68, 5: through(_WFLW_68, IBUG_FIVE)},
)

COFW = Scheme(
    name="COFW",
    mirror=mirrored(
        29,
        [
            ((0, 2, 4, 5), (1, 3, 6, 7)),  # outer and inner end, upper and lower edge of the brows
            ((8, 10, 12, 13), (9, 11, 14, 15)),  # the same of the eyes
            ((16, 18, 22), (17, 19, 23)),  # pupils, sides of the nose, corners of the mouth
        ],
    ),
    regions={
        "jaw": (28,),
        "brows": run(0, 7),
        "nose": run(18, 21),
        "eyes": run(8, 17),
        "mouth": run(22, 27),
    },
    eyes=((8,), (9,)),
    lines=(
        ring(0, 4, 2, 5),
        ring(1, 6, 3, 7),
        ring(8, 12, 10, 13),
        ring(9, 14, 11, 15),
        (18, 21, 19),
        ring(22, 24, 23, 27),
        ring(22, 25, 23, 26),
    ),
    maps={5: singles(16, 17, 20, 22, 23)},
)

AFLW19 = Scheme(
    name="AFLW without ears",
    mirror=mirrored(19, [across(0, 5), across(6, 11), across(12, 14), across(15, 17)]),
    regions={
        "jaw": (18,),
        "brows": run(0, 5),
        "nose": run(12, 14),
        "eyes": run(6, 11),
        "mouth": run(15, 17),
    },
    eyes=((6,), (11,)),
    lines=((0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11), (12, 13, 14), (15, 16, 17)),
    maps={5: singles(7, 10, 13, 15, 17)},
)

AFLW21 = Scheme(
    name="AFLW",
    mirror=mirrored(
        21,
        [across(0, 5), across(6, 11), ((12,), (16,)), across(13, 15), across(17, 19)],
    ),
    regions={
        "jaw": (20,),
        "brows": run(0, 5),
        "nose": run(13, 15),
        "eyes": run(6, 11),
        "mouth": run(17, 19),
        "ears": (12, 16),
    },
    eyes=((6,), (11,)),
    lines=((0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11), (13, 14, 15), (17, 18, 19)),
    maps={
        19: singles(*run(0, 11), *run(13, 15), *run(17, 20)),
        5: singles(7, 10, 14, 17, 19),
    },
)

# JD's has the points of WFLW and eleven more: the nose's sides, and the middles of the eyes
_JD_98 = singles(*run(0, 54), *run(58, 62), *run(66, 73), *run(75, 82), *run(84, 105))
JD = Scheme(
    name="JD, LaPa",
    mirror=mirrored(
        106,
        [
            across(0, 32),
            (run(33, 37), run(46, 42)),
            (run(38, 41), run(50, 47)),
            across(55, 65),
            (run(66, 70), run(79, 75)),
            (run(71, 74), (82, 81, 80, 83)),
            across(84, 90),
            across(91, 95),
            across(96, 100),
            across(101, 103),
            ((104,), (105,)),
        ],
    ),
    regions={
        "jaw": run(0, 32),
        "brows": run(33, 50),
        "nose": run(51, 65),
        "eyes": (*run(66, 83), 104, 105),
        "mouth": run(84, 103),
    },
    eyes=((66,), (79,)),
    lines=(
        run(0, 32),
        ring(*run(33, 41)),
        ring(*run(42, 50)),
        run(51, 54),
        run(55, 65),
        ring(*run(66, 73)),
        ring(*run(75, 82)),
        ring(*run(84, 95)),
        ring(*run(96, 103)),
    ),
    maps={
        98: _JD_98,
        68: through(_JD_98, _WFLW_68),
        5: through(_JD_98, WFLW.maps[5]),
    },
)

# Its points are spread evenly over contours. These are the nearest to where iBUG's lie on those of
# an average face. None is on the ridge of the nose: halfway between its sides is only near it
_HELEN_68 = (
    *singles(0, 3, 5, 8, 10, 13, 15, 18, 20, 22, 25, 27, 30, 32, 35, 37, 40),
    *singles(184, 182, 179, 176, 174),  # the brows' upper edges
    *singles(154, 156, 159, 162, 164),
    *((41, 57), (42, 56), (43, 55), (44, 54)),
    *singles(45, 47, 49, 51, 53),
    *singles(144, 141, 138, 134, 151, 147),
    *singles(114, 118, 121, 124, 127, 131),
    *singles(58, 61, 63, 65, 67, 69, 72, 75, 77, 79, 81, 83),
    *singles(86, 91, 93, 95, 100, 105, 107, 109),
)
HELEN = Scheme(
    name="HELEN",
    mirror=mirrored(
        194,
        [
            across(0, 40),
            across(41, 57),
            across(58, 72),  # outer lip, upper edge
            across(73, 85),
            across(86, 100),  # inner lip, upper edge
            across(101, 113),
            # eyes and brows, the right ones first: from the inner end along the upper edge
            (run(114, 133), run(134, 153)),
            (run(154, 173), run(174, 193)),
        ],
    ),
    regions={
        "jaw": run(0, 40),
        "brows": run(154, 193),
        "nose": run(41, 57),
        "eyes": run(114, 153),
        "mouth": run(58, 113),
    },
    eyes=(run(134, 153), run(114, 133)),  # centres; the right eye comes first in its files
    lines=(
        run(0, 40),
        run(41, 57),
        ring(*run(58, 85)),
        ring(*run(86, 113)),
        ring(*run(114, 133)),
        ring(*run(134, 153)),
        ring(*run(154, 173)),
        ring(*run(174, 193)),
    ),
    maps={68: _HELEN_68, 5: through(_HELEN_68, IBUG_FIVE)},
)

SCHEMES = {
    scheme.count: scheme for scheme in (FIVE, AFLW19, AFLW21, COFW, IBUG, WFLW, JD, HELEN, MESH)
}
