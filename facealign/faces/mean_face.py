"""The 68 points of an average adult head in three dimensions, its mouth closed.

Millimetres: x runs to the viewer's right, y down and z towards the viewer.
"""

import numpy as np

from facealign.core import points as ibug

# The viewer's left half: index, x, y, z.
_LEFT_HALF = """
0 -76.5 -42.5 -48   1 -76.2 -22.2 -46   2 -74.3 -1.6 -44   3 -70.2 18.4 -42   4 -61.5 36 -38
5 -49.1 50.9 -31   6 -33.8 63.2 -19   7 -17.5 72.3 -4.5   8 0 75 1
17 -55.3 -57.5 -13   18 -46.2 -65.4 -6   19 -33.7 -67.5 .5   20 -21.3 -64.5 7   21 -10.8 -58.5 12
27 0 -41.3 13.5   28 0 -29.5 21.5   29 0 -18.2 30   30 0 -6.6 38   31 -12.8 3.9 20.5
32 -6.8 6 23.8   33 0 7.6 26
36 -39.6 -40.8 -5   37 -32.3 -45.7 -1.4   38 -23.6 -44.8 0   39 -17.1 -37 .5
40 -24.8 -35.8 .8   41 -33.3 -36.9 -.4   48 -26.2 29.3 3.4   49 -17.3 23.5 16   50 -6.9 20.4 22.6
51 0 21.9 23.7   57 0 41.6 23.2   58 -7.6 40.7 22.2   59 -17.6 37.4 15   60 -22.3 29.4 5.6
61 -6.9 27.3 20.6   62 0 27.8 21.8   66 0 32.2 21.8   67 -7.2 31.7 20.6
"""


def _mean_face() -> np.ndarray:
    table = np.array(_LEFT_HALF.split(), dtype=float).reshape(-1, 4)
    face = np.empty((ibug.COUNT, 3))
    for index, place in zip(table[:, 0].astype(int), table[:, 1:], strict=True):
        face[index] = place
        face[ibug.MIRROR[index]] = place * (-1, 1, 1)
    return face


MEAN_FACE = _mean_face()
