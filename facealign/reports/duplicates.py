"""Pictures that look alike: the same photograph saved, scaled or lit anew."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

_SIDE, _KEPT = 32, 8
LIMIT = 6  # bits of 64; see docs/experiments.md for what lies below and above


def perceptual_hash(image: np.ndarray) -> int:
    """64 bits: which of the coarsest waves of the picture are stronger than their median."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    waves = cv2.dct(small.astype(np.float64))[:_KEPT, :_KEPT].ravel()
    bits = waves > np.median(waves[1:])  # the first is the mean, which is lighting
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def alike(
    first: Sequence[int], second: Sequence[int], limit: int = LIMIT
) -> list[tuple[int, int, int]]:
    """Places in both whose hashes differ by at most `limit` bits, and by how many; nearest first.

    Of the first's, the one nearest to each of the second's.
    """
    ours = np.array(first, dtype=np.uint64)
    found = []
    if len(ours):
        for j, hash_ in enumerate(second):
            bits = np.bitwise_count(ours ^ np.uint64(hash_))
            i = int(bits.argmin())
            if bits[i] <= limit:
                found.append((i, j, int(bits[i])))
    return sorted(found, key=lambda pair: pair[2])
