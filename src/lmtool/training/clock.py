"""What fits into a time budget: how large a model, how many steps."""

import math
import time
from bisect import bisect_right
from dataclasses import dataclass, replace

import numpy as np

from lmtool.training.run import Run
from lmtool.training.schedules import DECAY
from lmtool.training.session import Session
from lmtool.workers import single_threaded_blas

__all__ = [
    "Pace",
    "horizon",
    "seconds_to_go",
    "settle",
    "speed",
    "steps_left",
    "updated",
    "validates",
    "validation_interval",
]

VALID_SHARE = 20  # tokens trained on for each token of a validation, at least
FEWEST_BETWEEN = 20  # steps between validations
LEAST_TIMED = 5  # steps before a speed is known
SURE = 0.03  # of the budget in training, before anything is decided by the speed
SPARE = 0.01  # of the budget: noise
AROUND = 0.7  # seconds in which the program starts and ends
MOST_AROUND = 0.05  # of the budget
SAVED = 3e8  # bytes of a model written in a second
PROBE = 512  # rows of the matrices whose product is timed
SUSTAINED = 0.6  # share of that speed that training reaches


@dataclass(frozen=True, slots=True)
class Pace:
    """What the parts of a run take, in seconds, as far as they have been tried."""

    step: float
    last: float  # a step with the exact softmax
    validation: float
    other: float  # the validation in the other context, at the end
    tries: int = 1  # of both validations, whose means these are


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


def settle(session: Session, run: Run, every: int, pace: Pace) -> None:
    """Fixes the length of a run against the clock when its learning rate must begin to fall."""
    if math.isfinite(run.steps):
        return
    run.steps = session.ranks.agree(length(session, run, every, pace))


def length(session: Session, run: Run, every: int, pace: Pace) -> float:
    """Steps of the run if its learning rate must begin to fall now, else infinite."""
    if not known(session, run):
        return math.inf
    steps = horizon(session, run, every, pace)
    if run.step < (1 - DECAY) * steps:
        return math.inf
    undecayed = math.ceil((run.step - 1) / (1 - DECAY))  # no step so far may belong to the decay
    return max(run.step + 1, steps, undecayed)


def horizon(session: Session, run: Run, every: int, pace: Pace) -> int:
    """The most steps of the whole run that fit, with a validation after ``every`` steps."""
    time_left, now = left(session, run), updated(session, run, pace)
    most = run.step + max(0, int(time_left / now.step))
    steps = range(run.step + 1, most + 1)
    return run.step + bisect_right(
        steps, time_left, key=lambda n: seconds_to_go(session, run, n, every, now)
    )


def left(session: Session, run: Run) -> float:
    """Seconds of the budget for training and validation."""
    budget = session.budget
    around = min(AROUND, MOST_AROUND * budget) + run.parameters.flat.nbytes / SAVED
    return budget * (1 - SPARE) - around - session.elapsed()


def known(session: Session, run: Run) -> bool:
    """Whether the run's own speed can be told: few steps may all fall into a bad moment."""
    seconds = SURE * session.budget
    return run.timer.timed_steps >= LEAST_TIMED and run.timer.training_seconds >= seconds


def updated(session: Session, run: Run, pace: Pace) -> Pace:
    """The pace by the run's own steps and its last validation, as soon as there are any."""
    step = run.timer.training_seconds / run.timer.timed_steps if known(session, run) else pace.step
    validation = run.timer.validation_seconds or pace.validation
    return replace(
        pace,
        step=step,
        last=step * pace.last / pace.step,
        validation=validation,
        other=validation * pace.other / pace.validation,
    )


def seconds_to_go(session: Session, run: Run, steps: int, every: int, pace: Pace) -> float:
    """What is to come of a run of so many steps, its validations included, at this pace."""
    on_the_way = max(0, int((steps - every / 2) // every) - run.validated // every)
    training = steps_left(session, run, steps, pace) * pace.step
    return training + (on_the_way + 1) * pace.validation + pace.other


def dearer(session: Session, pace: Pace | None) -> float:
    """What the last steps add to the work of a run, as a share of it without them."""
    recipe = session.recipe
    if pace is not None:
        return (recipe.finish or 0) * max(0.0, pace.last / pace.step - 1)
    cost = session.kind.dearer(session.settings, recipe, session.parts)
    return (recipe.finish or 0) * (cost - 1)


def steps_left(session: Session, run: Run, steps: int, pace: Pace | None) -> float:
    """Those to come, the last ones counted as often as they are dearer."""
    last = steps * (session.recipe.finish or 0)
    share = min(1.0, (steps - run.step) / max(1.0, last))
    return steps - run.step + share * dearer(session, pace) * steps


def validation_interval(session: Session) -> int:
    """Steps between validations: an epoch, or more where validation would take too long."""
    tokens = max(session.data.tokens, VALID_SHARE * session.judge.tokens)
    return max(FEWEST_BETWEEN, math.ceil(tokens / session.data.tokens_a_step))


def validates(run: Run, every: int) -> bool:
    """After every so many steps, but not shortly before the end, and at the end."""
    if run.step == run.steps:
        return True
    return run.step % every == 0 and run.steps - run.step >= every / 2
