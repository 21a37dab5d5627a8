"""The learning rate as a function of the step."""

import math

__all__ = ["learning_rate"]

WARM_UP = 0.05  # share of the run


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up, then a cosine that reaches 0 at ``steps`` (Loshchilov & Hutter 2017)."""
    warm_up = max(1, math.ceil(WARM_UP * steps))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))
