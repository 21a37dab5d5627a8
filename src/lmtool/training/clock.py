"""What fits into a time budget: how large a model, how many steps."""

import math
import time

import numpy as np

from lmtool.training.plan import finish_cost
from lmtool.training.schedules import DECAY
from lmtool.training.step import Run, Task
from lmtool.workers import single_threaded_blas

__all__ = ["horizon", "settle", "speed", "steps_left", "validates"]

LEAST_TIMED = 5  # steps before a speed is known
SPARE = 0.01  # of the budget: loading, saving, noise
PROBE = 512  # rows of the matrices whose product is timed
SUSTAINED = 0.6  # share of that speed that training reaches


def speed(threads: int) -> float:
    """Floating-point operations per second that training can count on, from a short probe."""
    a = np.ones((PROBE, PROBE), np.float32)
    out, times = np.empty_like(a), []
    with single_threaded_blas():
        for _ in range(8):
            began = time.perf_counter()
            np.dot(a, a, out=out)
            times.append(time.perf_counter() - began)
    return SUSTAINED * threads * 2 * PROBE**3 / sorted(times)[len(times) // 2]


def settle(task: Task, run: Run, every: int) -> None:
    """Fixes the length of a run against the clock when its learning rate must begin to fall."""
    if math.isfinite(run.steps) or run.timed_steps < LEAST_TIMED:
        return
    steps = horizon(task, run, every)
    if run.step >= (1 - DECAY) * steps:  # and no step so far may belong to the decay
        run.steps = max(run.step + 1, steps, math.ceil((run.step - 1) / (1 - DECAY)))


def horizon(task: Task, run: Run, every: int) -> int:
    """Steps of the whole run at the speed so far, with a validation after ``every`` steps."""
    per_step = max(1e-9, run.training_seconds) / max(1, run.timed_steps)
    left = (task.recipe.seconds or 0) * (1 - SPARE) - task.elapsed() - 2 * run.validation_seconds
    last = run.step + left / per_step - every / 2
    validations = max(0, last // every - run.step // every)
    affordable = (left - validations * run.validation_seconds) / per_step
    return max(run.step, int((run.step + affordable) / (1 + dearer(task))))


def dearer(task: Task) -> float:
    """What the last steps add to the work of a run, as a share of it without them."""
    recipe, V = task.recipe, task.model.vocabulary.n_tokens
    cost = finish_cost(task.model.settings, recipe.output or "full", V, recipe.samples or 1)
    return (recipe.finish or 0) * (cost - 1)


def steps_left(task: Task, run: Run, steps: int) -> float:
    """Those to come, the last ones counted as often as they are dearer."""
    last = steps * (task.recipe.finish or 0)
    return steps - run.step + min(1.0, (steps - run.step) / max(1.0, last)) * dearer(task) * steps


def validates(run: Run, every: int) -> bool:
    """After every so many steps, but not shortly before the end, and at the end."""
    if run.step == run.steps:
        return True
    return run.step % every == 0 and run.steps - run.step >= every / 2
