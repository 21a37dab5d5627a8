"""How fast a run will be, from a few real steps that are thrown away."""

import math
import time
from contextlib import suppress
from dataclasses import replace

from lmtool.errors import TrainingError
from lmtool.training.clock import Pace, horizon
from lmtool.training.step import Run, Task, new_run, training_step
from lmtool.training.validation import other_seconds, validation_interval, validation_seconds

__all__ = ["Trier", "measured", "steps_that_fit"]

UNTIMED = 3  # first steps, which may compile
TRIED = 12  # steps
FEWEST = 3  # of them timed
LAST = 3  # steps with the exact softmax
BETWEEN = 1.0  # seconds between two tries of the validations, at least
TRYING = 0.05  # share of the time that they may take
SHARE = 0.01  # of the budget that steps may take beyond the fewest


def measured(task: Task) -> Pace:
    """Steps of both kinds and parts of both validations; kernels are compiled after it."""
    run = new_run(task)
    for _ in range(UNTIMED):
        seconds_of_step(task, run)
    times = tried(task, run)
    step, dearer = sum(times) / len(times), 1.0
    if task.sampler is not None and task.recipe.finish:
        dearer = max(1.0, exact(task, run) / min(times))
    validation_seconds(task)  # the first takes longer: memory is new
    return Pace(step, step * dearer, validation_seconds(task), other_seconds(task))


class Trier:
    """Tries the validations now and then, since the machine may be as busy as it likes."""

    def __init__(self) -> None:
        self._next = time.monotonic() + BETWEEN

    def again(self, task: Task, run: Run, pace: Pace) -> Pace:
        """The means with one more try, where it is due and can still tell something new."""
        began = time.monotonic()
        if began < self._next or math.isfinite(run.steps) or run.validation_seconds:
            return pace
        n, own, other = pace.tries, validation_seconds(task), other_seconds(task)
        now = time.monotonic()
        self._next = now + max(BETWEEN, (now - began) / TRYING)
        own, other = own + n * pace.validation, other + n * pace.other
        return replace(pace, validation=own / (n + 1), other=other / (n + 1), tries=n + 1)


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
