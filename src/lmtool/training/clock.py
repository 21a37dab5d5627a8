"""How many steps fit into a time budget, and what they leave for validation."""

import math

from lmtool.training.schedules import DECAY
from lmtool.training.step import Run, Task

__all__ = ["horizon", "settle"]

LEAST_TIMED = 5  # steps before a speed is known
SPARE = 0.01  # of the budget: loading, saving, noise


def settle(task: Task, run: Run, every: int, validation: float) -> None:
    """Fixes the length of a run against the clock when its learning rate must begin to fall.

    ``every`` is the number of steps between validations, ``validation`` what one costs, seconds.
    """
    if math.isfinite(run.steps) or run.timed_steps < LEAST_TIMED:
        return
    steps = horizon(task, run, every, validation)
    if run.step >= (1 - DECAY) * steps:
        run.steps = max(run.step + 1, steps)


def horizon(task: Task, run: Run, every: int, validation: float) -> int:
    """Steps of the whole run at the speed so far."""
    if run.timed_steps < LEAST_TIMED:
        return run.step + 1
    per_step = run.training_seconds / run.timed_steps + validation / every
    left = (task.recipe.seconds or 0) * (1 - SPARE) - task.elapsed() - 2 * validation
    return run.step + max(0, int(left / per_step))
