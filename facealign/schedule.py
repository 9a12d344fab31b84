"""The learning rate as a pure function of the step."""

import math


def learning_rate(step: int, steps: int, warmup: int, peak: float) -> float:
    """A straight rise that reaches `peak` with the last warm-up step, then half a cosine."""
    if step < warmup:
        return peak * (step + 1) / warmup
    # over one step more than there are, so that the last one still learns
    return peak * (1 + math.cos(math.pi * (step - warmup + 1) / (steps - warmup + 1))) / 2
