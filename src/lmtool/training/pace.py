"""How fast a run will be, from a few real steps that are thrown away."""

import math
import time
from contextlib import suppress
from dataclasses import replace

from lmtool.errors import TrainingError
from lmtool.nn.parameters import Parameters
from lmtool.training.clock import Pace, horizon, validation_interval
from lmtool.training.run import Run, new_run
from lmtool.training.session import Session
from lmtool.training.step import training_step

__all__ = ["Trier", "measured", "steps_that_fit"]

UNTIMED = 3  # first steps, which may compile
TRIED = 12  # steps
FEWEST = 3  # of them timed
LAST = 3  # steps with the exact softmax
BETWEEN = 1.0  # seconds between two tries of the validations, at least
TRYING = 0.05  # share of the time that they may take
SHARE = 0.01  # of the budget that steps may take beyond the fewest


def measured(session: Session, parameters: Parameters) -> Pace:
    """Steps of both kinds and parts of both validations; kernels are compiled after it."""
    run, model = new_run(session, parameters.copy()), session.model(parameters)
    run.step = session.data.steps_a_pass  # the first pass may be an easy one
    for _ in range(UNTIMED):
        seconds_of_step(session, run)
    times = tried(session, run)
    step, dearer = sum(times) / len(times), 1.0
    if session.sampler is not None and session.recipe.finish:
        dearer = max(1.0, exact(session, run) / min(times))
    session.judge.seconds(model)  # the first takes longer: memory is new
    return session.ranks.agree(Pace(step, step * dearer, *session.judge.seconds(model)))


class Trier:
    """Tries the validations now and then, since the machine may be as busy as it likes."""

    def __init__(self) -> None:
        self._next = time.monotonic() + BETWEEN

    def again(self, session: Session, run: Run, pace: Pace) -> Pace:
        """The means with one more try, where it is due and can still tell something new."""
        began = time.monotonic()
        if math.isfinite(run.steps) or run.timer.validation_seconds:
            return pace
        if not session.ranks.agree(began >= self._next):
            return pace
        n, (own, other) = pace.tries, session.judge.seconds(session.model(run.parameters))
        now = time.monotonic()
        self._next = now + max(BETWEEN, (now - began) / TRYING)
        own, other = own + n * pace.validation, other + n * pace.other
        return replace(pace, validation=own / (n + 1), other=other / (n + 1), tries=n + 1)


def steps_that_fit(session: Session, parameters: Parameters, pace: Pace) -> int:
    """Of a run that begins now."""
    run = new_run(session, parameters)
    return session.ranks.agree(horizon(session, run, validation_interval(session), pace))


def tried(session: Session, run: Run) -> list[float]:
    """Seconds of some steps."""
    times: list[float] = []
    most = SHARE * (session.budget or float("inf"))
    while len(times) < FEWEST or (len(times) < TRIED - UNTIMED and sum(times) < most):
        times.append(seconds_of_step(session, run))
    return times


def exact(session: Session, run: Run) -> float:
    """Seconds of one of the last steps."""
    times = []
    for _ in range(LAST):
        run.steps = max(1, run.step)  # so that the end has come
        times.append(seconds_of_step(session, run))
    return min(times)


def seconds_of_step(session: Session, run: Run) -> float:
    """Of one step, whatever becomes of its numbers; the same on every rank."""
    began = time.monotonic()
    with suppress(TrainingError):
        training_step(session, run)
    return session.ranks.agree(max(1e-9, time.monotonic() - began))
