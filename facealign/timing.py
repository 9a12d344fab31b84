"""How long something takes."""

import time
from collections.abc import Callable

import numpy as np

WARM_UP = 5  # calls that fill caches, not counted


def median_ms(call: Callable[[], object], runs: int) -> float:
    """Milliseconds of a call; the median, for others use the machine as well."""
    seconds = []
    for _ in range(WARM_UP + runs):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return 1000 * float(np.median(seconds[WARM_UP:]))
