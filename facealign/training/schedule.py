"""Learning rate and EMA decay as pure functions of the step, counted from 0."""

import math


def learning_rate(step: int, steps: int, warmup: int, peak: float) -> float:
    """Linear warm-up, which reaches `peak` at its last step, then cosine decay."""
    if step < warmup:
        return peak * (step + 1) / warmup
    # over one step more than there are, so that the last one has a rate above 0
    return peak * (1 + math.cos(math.pi * (step - warmup + 1) / (steps - warmup + 1))) / 2


def ema_decay(step: int, final: float) -> float:
    """The decay of the weights' moving average: low at first, to forget the random initial weights,
    then `final`."""
    return min(final, (step + 1) / (step + 10))
