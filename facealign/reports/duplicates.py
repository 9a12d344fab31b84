"""Near-duplicates: the same photograph re-encoded, scaled or with other brightness."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

_SIDE, _KEPT = 32, 8
LIMIT = 6  # bits of 64; see docs/experiments.md for what lies below and above


def perceptual_hash(image: np.ndarray) -> int:
    """64 bits: which of the lowest DCT coefficients exceed their median."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    coefficients = cv2.dct(small.astype(np.float64))[:_KEPT, :_KEPT].ravel()
    bits = coefficients > np.median(coefficients[1:])  # the first is the mean brightness
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def alike(
    first: Sequence[int] | np.ndarray, second: Sequence[int] | np.ndarray, limit: int = LIMIT
) -> list[tuple[int, int, int]]:
    """For each hash of `second` the nearest of `first` if at most `limit` bits differ: both indices
    and the count of bits; the closest pairs first."""
    ours = np.array(first, dtype=np.uint64)
    found = []
    if len(ours):
        for j, hash_ in enumerate(second):
            bits = np.bitwise_count(ours ^ np.uint64(hash_))
            i = int(bits.argmin())
            if bits[i] <= limit:
                found.append((i, j, int(bits[i])))
    return sorted(found, key=lambda pair: pair[2])
