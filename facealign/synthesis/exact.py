"""Arithmetic that gives the same bits on every x86-64 processor.

IEEE 754 defines +, -, *, / and the square root to the last bit, and NumPy applies them element by
element. Other results depend on the machine: BLAS orders and fuses a sum by the processor's kernel
and the number of threads; NumPy, OpenCV and the C library choose their exp, sin, pow or filters by
its instruction sets. The functions here need only what IEEE 754 defines, or whole numbers, whose
sums are the same in any order. Their errors are below 1e-14, relative.

As safe in NumPy and OpenCV: drawing, minima and maxima, sums, INTER_AREA, cv2.blur and the codecs.
Not safe, besides the above: `**` of floats (but squared arrays are), np.linalg, cv2.addWeighted.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike

from facealign.core import images

_LARGEST_NORMAL = 3.65
_CACHED = 2**15  # float32 numbers
WHOLE = (slice(None), slice(None))  # all rows and columns


def normal(
    rng: np.random.Generator,
    mean: ArrayLike = 0.0,
    deviation: ArrayLike = 1.0,
    size: int | tuple[int, ...] | None = None,
) -> np.ndarray:
    """`rng.normal`, whose values beyond 3.654 deviations are logarithms from the C library, cut."""
    mean, deviation = np.asarray(mean), np.asarray(deviation)
    shape = np.broadcast_shapes(mean.shape, deviation.shape) if size is None else size
    return mean + deviation * cut(rng.standard_normal(shape))


def cut(normals: np.ndarray) -> np.ndarray:
    return np.clip(normals, -_LARGEST_NORMAL, _LARGEST_NORMAL)


def _polynomial(x: np.ndarray, coefficients: list[float]) -> np.ndarray:
    """The coefficient of the highest power first."""
    result = coefficients[0] * x
    result += coefficients[1]
    for coefficient in coefficients[2:]:
        result *= x
        result += coefficient
    return result


# The upper parts have zeros at the end, so that their products with small whole numbers are exact.
_LN2_UPPER, _LN2_LOWER = float.fromhex("0x1.62E42FEEp-1"), float.fromhex("0x1.A39EF35793C76p-33")
_HALF_PI_UPPER = float.fromhex("0x1.921FB544p0")
_HALF_PI_LOWER = float.fromhex("0x1.0B4611A626331p-34")
_EXP = [1 / math.factorial(k) for k in range(12, -1, -1)]
_SIN = [(-1) ** k / math.factorial(2 * k + 1) for k in range(7, -1, -1)]
_COS = [(-1) ** k / math.factorial(2 * k) for k in range(8, -1, -1)]
_ARCTAN = [(-1) ** k / (2 * k + 1) for k in range(11, -1, -1)]
_LOG = [2 / (2 * k + 1) for k in range(11, -1, -1)]


def exp(values: ArrayLike) -> np.ndarray:
    x = np.clip(np.asarray(values, dtype=float), -700, 700)
    doublings = np.rint(x / _LN2_UPPER)
    rest = x - doublings * _LN2_UPPER - doublings * _LN2_LOWER
    return np.ldexp(_polynomial(rest, _EXP), doublings.astype(int))


def log(values: ArrayLike) -> np.ndarray:
    """Of positive values."""
    share, doublings = np.frexp(np.asarray(values, dtype=float))
    low = share < 0.7
    share, doublings = np.where(low, 2 * share, share), doublings - low
    s = (share - 1) / (share + 1)
    return doublings * _LN2_UPPER + (s * _polynomial(s * s, _LOG) + doublings * _LN2_LOWER)


def power(values: ArrayLike, exponent: float) -> np.ndarray:
    """Of values from 0 on, by a positive exponent."""
    x = np.asarray(values, dtype=float)
    return np.where(x > 0, exp(exponent * log(np.where(x > 0, x, 1))), 0)


def _wave(radians: ArrayLike, quarters_ahead: int) -> np.ndarray:
    x = np.asarray(radians, dtype=float)
    quarters = np.rint(x / _HALF_PI_UPPER)
    rest = x - quarters * _HALF_PI_UPPER - quarters * _HALF_PI_LOWER
    square = rest * rest
    quarter = quarters.astype(int) + quarters_ahead
    wave = np.where(quarter & 1, _polynomial(square, _COS), rest * _polynomial(square, _SIN))
    return np.where(quarter & 2, -wave, wave)


def sin(radians: ArrayLike) -> np.ndarray:
    return _wave(radians, 0)


def cos(radians: ArrayLike) -> np.ndarray:
    return _wave(radians, 1)


def arctan2(y: ArrayLike, x: ArrayLike) -> np.ndarray:
    y, x = np.asarray(y, dtype=float), np.asarray(x, dtype=float)
    high, wide = np.abs(y), np.abs(x)
    longer = np.maximum(high, wide)
    tangent = np.minimum(high, wide) / np.where(longer > 0, longer, 1)
    for _ in range(2):  # of half the angle
        tangent = tangent / (1 + np.sqrt(1 + tangent * tangent))
    angle = 4 * tangent * _polynomial(tangent * tangent, _ARCTAN)
    angle = np.where(high > wide, np.pi / 2 - angle, angle)
    angle = np.where(x < 0, np.pi - angle, angle)
    return np.where(y < 0, -angle, angle)


def hypot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sqrt(x * x + y * y)


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Products of vectors along the last axis, of two or three elements."""
    return np.asarray(sum(a[..., k] * b[..., k] for k in range(b.shape[-1])))


def norm(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(dot(vectors, vectors))


def transform(places: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """places (..., 3) @ matrix (3, n)."""
    # NumPy's loops are fast along the places, but not along three coordinates
    rows = matrix.reshape(*matrix.shape, *(1,) * (places.ndim - 1))
    total = np.asarray(sum(places[..., k] * rows[k] for k in range(len(matrix))))
    return total.transpose(*range(1, total.ndim), 0)


def rounded(values: np.ndarray, bits: int) -> np.ndarray:
    """Multiples of 2**-bits; BLAS is exact while the sums of their products fit into 53 bits."""
    return np.asarray(np.ldexp(np.rint(np.ldexp(values, bits)), -bits))


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(m, k) @ (k, n) by BLAS, each factor in two parts so short that no sum is rounded."""
    bits = (52 - a.shape[1].bit_length()) // 2
    parts = []
    for factor in (a, b):
        upper_bits = bits - int(np.frexp(np.abs(factor).max())[1])
        upper = rounded(factor, upper_bits)
        parts.append((upper, rounded(factor - upper, upper_bits + bits)))
    (a_upper, a_lower), (b_upper, b_lower) = parts
    return np.asarray(a_upper @ b_upper + (a_upper @ b_lower + a_lower @ b_upper))


def inverse(matrix: np.ndarray) -> np.ndarray:
    """By elimination with partial pivoting."""
    size = len(matrix)
    rows = np.concatenate([matrix, np.eye(size)], axis=1)
    for k in range(size):
        pivot = k + int(np.abs(rows[k:, k]).argmax())
        rows[[k, pivot]] = rows[[pivot, k]]
        rows[k] /= rows[k, k]
        shares = rows[:, k].copy()
        shares[k] = 0
        rows -= shares[:, None] * rows[k]
    return rows[:, size:]


def resize(
    image: np.ndarray,
    size: tuple[int, int],
    cubic: bool = False,
    window: tuple[slice, slice] = WHOLE,
) -> np.ndarray:
    """(width, height) of float32; OpenCV's INTER_LINEAR and INTER_CUBIC, or a window of them."""
    width, height = size
    rows, columns = window
    across, weights_across = _taps(image.shape[1], width, cubic)
    down, weights_down = _taps(image.shape[0], height, cubic)
    # columns as rows: whole rows are taken and weighted faster than single pixels
    wide = _weighted(cv2.transpose(image), across[:, columns], weights_across[:, columns])
    return _weighted(cv2.transpose(wide), down[:, rows], weights_down[:, rows])


@lru_cache(1024)
def _taps(before: int, after: int, cubic: bool) -> tuple[np.ndarray, np.ndarray]:
    """Per new pixel, the old ones that it is made of, and their weights: (taps, after)."""
    place = (np.arange(after) + 0.5) * (before / after) - 0.5
    first = np.floor(place)
    t, u = place - first, first + 1 - place
    if cubic:
        a = -0.75
        outer = [((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a for x in (t, u)]
        inner = [((a + 2) * x - (a + 3)) * x * x + 1 for x in (t, u)]
        offsets, weights = [-1, 0, 1, 2], [outer[0], *inner, outer[1]]
    else:
        offsets, weights = [0, 1], [u, t]
    return np.add.outer(offsets, first.astype(int)), np.array(weights, dtype=np.float32)


def _weighted(image: np.ndarray, indices: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums of rows, in parts of a size that fits into the processor's cache."""
    weights = weights.reshape(*weights.shape, *(1,) * (image.ndim - 1))
    result = np.empty((indices.shape[1], *image.shape[1:]), np.float32)
    step = max(1, _CACHED * len(image) // image.size)
    for start in range(0, len(result), step):
        part = slice(start, start + step)
        total = image.take(indices[0, part], 0, result[part], "clip")
        total *= weights[0, part]
        for index, weight in zip(indices[1:, part], weights[1:, part], strict=True):
            term = image.take(index, 0, mode="clip")
            term *= weight
            total += term
    return result


def blur(image: np.ndarray, deviation: float, largest: float = 1.0) -> np.ndarray:
    """Gaussian blur of values from 0 to `largest`, or of bytes, as float32.

    OpenCV's is exact for whole numbers; here they have 16 bits.
    """
    if image.dtype == np.uint8:
        whole = image * np.uint16(257)
    else:
        scaled = image * np.float32(65535 / largest)
        scaled += 0.5
        whole = np.clip(scaled, 0, 65535, out=scaled).astype(np.uint16)
    broad = deviation > 10 and whole.ndim == 2
    blurred = _broad_blur(whole, deviation) if broad else cv2.GaussianBlur(whole, (0, 0), deviation)
    return blurred * np.float32(largest / 65535)


def _broad_blur(whole: np.ndarray, deviation: float) -> np.ndarray:
    """OpenCV's Gaussian blur of (h, w) of 16 bits, whose weights have 16 bits, too.

    With a large deviation it is faster. No sum here needs more than 48 bits.
    """
    across, down = (_blur_weights(side, deviation) for side in whole.shape[::-1])
    sums = down.T @ (whole @ across)
    return np.asarray(np.floor(sums * 2.0**-32 + 0.5), dtype=np.uint16)


def _blur_weights(side: int, deviation: float) -> np.ndarray:
    """(side, side): the weight of each old pixel of a row in each new one, times 2**16."""
    reach = int(4 * deviation) + 2
    impulse = np.zeros((1, 2 * reach + 1), np.uint16)
    impulse[0, reach] = 65535
    kernel = cv2.GaussianBlur(impulse, (0, 0), deviation)[0]
    mirrored = np.pad(np.arange(side), reach, mode="reflect")
    new = np.arange(side)
    old = mirrored[np.add.outer(np.arange(len(kernel)), new)]
    weights = np.broadcast_to(kernel[:, None], old.shape)
    total = np.bincount((old * side + new).ravel(), weights.ravel(), minlength=side * side)
    return total.reshape(side, side)


def look_up(
    image: np.ndarray, x: np.ndarray, y: np.ndarray, border: int, beyond: float = 0.0
) -> np.ndarray:
    """`images.sample` at numbers of any type."""
    x, y = (np.asarray(t, dtype=np.float32) for t in (x, y))
    return images.sample(image, x, y, border, beyond)
