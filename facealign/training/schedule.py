"""Learning rate and averaging as pure functions of the step, which counts from 0."""

import math


def learning_rate(step: int, steps: int, warmup: int, peak: float) -> float:
    """A straight rise that reaches `peak` with the last warm-up step, then half a cosine."""
    if step < warmup:
        return peak * (step + 1) / warmup
    # over one step more than there are, so that the last one still learns
    return peak * (1 + math.cos(math.pi * (step - warmup + 1) / (steps - warmup + 1))) / 2


def ema_decay(step: int, final: float) -> float:
    """The share that the weights' moving average keeps of itself: little at first, when it still
    holds the random start, and `final` in the end."""
    return min(final, (step + 1) / (step + 10))
