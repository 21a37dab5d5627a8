"""The learning rate and the shares left out as functions of the step."""

import math

__all__ = ["DECAY", "drop_warmup", "learning_rate"]

WARM_UP = 60  # steps
DECAY = 0.5  # share of the run


def learning_rate(step: int, steps: float, peak: float) -> float:
    """Linear warm-up, a constant stretch, a linear decay that reaches 0 at ``steps``.

    Until the decay begins the rate does not depend on ``steps``, so a run against the clock can
    fix its length then, at the speed that it has measured (Hu et al. 2024; Haegele et al. 2024).
    """
    left = (steps - step) / (DECAY * steps) if math.isfinite(steps) else 1.0
    return peak * min(1.0, (step + 1) / WARM_UP, left)


def drop_warmup(step: int, steps: int) -> float:
    """The factor on every share left out: it grows to 1 over ``steps`` (Morerio et al. 2017)."""
    return min(1.0, step / steps) if steps else 1.0
