"""How fast a run will be, from a few real steps that are thrown away."""

import time
from contextlib import suppress

from lmtool.errors import TrainingError
from lmtool.training.clock import Pace, horizon
from lmtool.training.step import Run, Task, new_run, training_step
from lmtool.training.validation import other_seconds, validation_interval, validation_seconds

__all__ = ["measured", "steps_that_fit"]

UNTIMED = 3  # first steps, which may compile
TRIED = 12  # steps
FEWEST = 3  # of them timed
LAST = 3  # steps with the exact softmax
REPEATED = 3  # times that a part of a validation is timed
SHARE = 0.01  # of the budget that steps may take beyond the fewest


def measured(task: Task) -> Pace:
    """Steps of both kinds and parts of both validations; kernels are compiled after it.

    The fastest of several tries tells what the parts take beside each other, whatever else the
    machine does in between; the mean of all steps, how much that is.
    """
    run = new_run(task)
    for _ in range(UNTIMED):
        seconds_of_step(task, run)
    steps = tried(task, run)
    step = last = min(steps)
    if task.sampler is not None and task.recipe.finish:
        last = max(step, exact(task, run))
    own, other = (
        min(f(task) for _ in range(REPEATED)) for f in (validation_seconds, other_seconds)
    )
    return Pace(step, last, own, other, sum(steps) / len(steps) / step)


def steps_that_fit(task: Task, pace: Pace) -> int:
    """Of a run that begins now."""
    return horizon(task, new_run(task), validation_interval(task), pace)


def tried(task: Task, run: Run) -> list[float]:
    """Seconds of some steps."""
    times: list[float] = []
    most = SHARE * (task.recipe.seconds or float("inf"))
    while len(times) < FEWEST or (len(times) < TRIED - UNTIMED and sum(times) < most):
        times.append(seconds_of_step(task, run))
    return times


def exact(task: Task, run: Run) -> float:
    """Seconds of one of the last steps."""
    times = []
    for _ in range(LAST):
        run.steps = max(1, run.step)  # so that the end has come
        times.append(seconds_of_step(task, run))
    return min(times)


def seconds_of_step(task: Task, run: Run) -> float:
    """Of one step, whatever becomes of its numbers."""
    began = time.monotonic()
    with suppress(TrainingError):
        training_step(task, run)
    return max(1e-9, time.monotonic() - began)
