"""The training loop: emits events, prints nothing."""

import math
import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from lmtool.errors import TrainingError
from lmtool.nn.parameters import Parameters
from lmtool.training.clock import (
    Pace,
    horizon,
    settle,
    steps_left,
    validates,
    validation_interval,
)
from lmtool.training.events import Finished, Note, Progress, Validated
from lmtool.training.exchange import weights_everywhere
from lmtool.training.pace import Trier
from lmtool.training.resume import Keeper, Saved, restore
from lmtool.training.run import Run, new_run
from lmtool.training.schedules import DECAY, learning_rate
from lmtool.training.session import Session, n_steps
from lmtool.training.step import catch_up_all, training_step

__all__ = ["Trainee", "peak_memory_mb", "retrain", "train", "untrained"]

PATIENCE = 5  # validations without a better one before the learning rate falls, or training stops
REPORT_SECONDS = 0.25  # between two Progress events
MOST_ROLLBACKS = 3
UNTIMED = 3  # first steps, which may compile
MOST_POINTS = 1000  # of the curve; then every second one goes


class Trainee(NamedTuple):
    """What came of a run."""

    parameters: Parameters
    curve: list[dict[str, Any]]
    finished: Finished
    judged: Parameters  # those that were validated
    score: float  # of these


def train(
    session: Session,
    parameters: Parameters,
    keeper: Keeper | None = None,
    saved: Saved | None = None,
    pace: Pace | None = None,
    validate_first: bool = False,
) -> Trainee:
    """The weights that were best in validation, and what became of the run.

    ``pace`` is how fast the run will be: a budget needs it. ``keeper`` saves the run now and then;
    ``saved`` is where it goes on. With ``validate_first`` the weights at the start may be the best.
    Raises InterruptionError where the keeper says so, and TrainingError when losses or gradients
    are not finite again and again; its ``best`` is then the best weights so far, if any were
    validated.
    """
    run = new_run(session, parameters)
    run.steps = n_steps(session.recipe, session.data) or math.inf
    if saved is not None:
        restore(saved, run)
    elif validate_first:
        validate(session, run)
    try:
        stopped = loop(session, run, keeper, pace)
    except TrainingError as error:
        error.best = best_weights(run) if math.isfinite(run.best_score) else None
        raise
    best = best_weights(run)
    return Trainee(best, run.curve, finished(session, run, best, stopped), best, run.best_score)


def retrain(
    session: Session,
    parameters: Parameters,
    first: Trainee | None,
    steps: int,
    keeper: Keeper | None = None,
    saved: Saved | None = None,
) -> Trainee:
    """The weights after so many steps, which a first run found best; nothing is left to validate.

    The curve and the figures are the first run's; ``saved`` knows it where it is None. Raises as
    ``train`` does; ``best`` is then what the first run gave.
    """
    judged = np.zeros_like(parameters.flat) if first is None else first.parameters.flat
    run = new_run(session, parameters, judged)
    if first is not None:
        run.steps, run.curve = steps, first.curve
        run.best_score = first.score
    if saved is not None:
        restore(saved, run)
    validated = Parameters(parameters.shapes, run.judged)
    try:
        loop(session, run, keeper, None)
    except TrainingError as error:
        error.best = validated
        raise
    weights_everywhere(session, run)
    chosen = run.curve[-1]["step"]  # the last validation ended the first run
    end = replace(finished(session, run, validated, False), step=run.step, steps=chosen)
    return Trainee(run.parameters, run.curve, end, validated, run.best_score)


def untrained(session: Session, parameters: Parameters) -> Trainee:
    """Where there is no network to train."""
    end = Finished({}, 0, 0, session.elapsed(), 0.0, peak_memory_mb(), False)
    return Trainee(parameters, [], end, parameters, math.inf)


def best_weights(run: Run) -> Parameters:
    """Those that were best in validation so far."""
    return Parameters(run.parameters.shapes, run.best)


def loop(session: Session, run: Run, keeper: Keeper | None, pace: Pace | None) -> bool:
    """Trains to the end of the schedule; True where early stopping cut it short."""
    every = validation_interval(session)
    report, trier = Report(session, every), Trier()
    while True:
        if not len(run.judged) and run.validated < run.step and validates(run, every):
            validate(session, run)
            if run.waited >= PATIENCE and not anneal(run) and not session.kind.patient:
                return run.step < run.steps
        if run.step >= run.steps:
            return False
        if keeper is not None:
            keeper.pause(session, run)
        loss = safe_step(session, run)
        if pace is not None:
            pace = trier.again(session, run, pace)
            settle(session, run, every, pace)
        report.add(run, loss, pace)


def safe_step(session: Session, run: Run) -> float | None:
    """One step; None where its numbers blew up, and the run was rolled back."""
    try:
        return timed_step(session, run)
    except TrainingError as error:
        if run.rollbacks == MOST_ROLLBACKS:
            raise
        session.on_event(Note(f"{error}; back to step {run.best_step}, at half the learning rate"))
        run.roll_back()
        return None


def timed_step(session: Session, run: Run) -> float:
    """One step; the first few, which may compile, do not count for the speed."""
    began = time.monotonic()
    loss = training_step(session, run)
    took = time.monotonic() - began
    if run.step > UNTIMED:
        run.timer.training_seconds += took
        run.timer.timed_steps += 1
    else:
        run.timer.first_seconds += took
        run.timer.first_steps += 1
    return loss


class Report:
    """Tells the mean loss of the last steps, a few times a second."""

    def __init__(self, session: Session, every: int) -> None:
        self._session, self._every = session, every
        self._reset()

    def _reset(self) -> None:
        self._loss, self._counted, self._since = 0.0, 0, time.monotonic()

    def add(self, run: Run, loss: float | None, pace: Pace | None) -> None:
        """One more step; ``loss`` is summed over its tokens."""
        if loss is not None:
            self._loss, self._counted = self._loss + loss, self._counted + 1
        due = time.monotonic() - self._since > REPORT_SECONDS or run.step == run.steps
        if due and self._counted:
            mean = self._loss / self._counted
            self._session.on_event(progress(self._session, run, mean, self._steps(run, pace), pace))
            self._reset()

    def _steps(self, run: Run, pace: Pace | None) -> int:
        """Of the whole run, as far as can be told."""
        if pace is None or math.isfinite(run.steps):
            return int(run.steps)
        return horizon(self._session, run, self._every, pace)


def anneal(run: Run) -> bool:
    """Begins the decay of the learning rate now; False where it has begun already."""
    if run.step > (1 - DECAY) * run.steps:
        return False
    run.steps = math.ceil(run.step / (1 - DECAY))
    run.waited = 0
    return True


def progress(session: Session, run: Run, loss: float, steps: int, pace: Pace | None) -> Progress:
    """``loss`` summed over the tokens of a step, in nats; ``steps`` of the whole run."""
    loss /= session.data.targets_a_step
    per_step = run.timer.training_seconds / max(1, run.timer.timed_steps)
    return Progress(
        step=run.step,
        steps=steps,
        epoch=epoch(session, run),
        loss=loss,
        tokens_per_second=speed(session, run),
        seconds=session.elapsed(),
        seconds_left=steps_left(session, run, steps, pace) * per_step,
        lr=run.rate * learning_rate(run.step - 1, run.steps, session.recipe.lr or 0),
    )


def epoch(session: Session, run: Run) -> float:
    """Passes over the corpus so far."""
    return run.step * session.data.tokens_a_step / session.data.tokens


def speed(session: Session, run: Run) -> float:
    """Tokens per second in training proper; of a run that is very short, with its first steps."""
    steps, seconds = run.timer.timed_steps, run.timer.training_seconds
    if not steps:
        steps, seconds = run.timer.first_steps, run.timer.first_seconds
    return steps * session.data.tokens_a_step / max(1e-9, seconds)


def validate(session: Session, run: Run) -> None:
    """Keeps the weights if they are the best so far."""
    began = time.monotonic()
    catch_up_all(session, run)
    weights_everywhere(session, run)
    score, measures = session.judge.judge(session.model(run.parameters))
    best = score < run.best_score or (session.kind.keeps_last and math.isfinite(score))
    if best:
        run.best_score, run.best_step = score, run.step
        run.best[...] = run.parameters.flat
    run.waited = 0 if best else run.waited + 1
    run.validated = run.step
    run.timer.validation_seconds = time.monotonic() - began
    event = Validated(run.step, epoch(session, run), measures, best, session.elapsed())
    run.curve.append({"step": event.step, "epoch": event.epoch, **measures, "best": best})
    if len(run.curve) > MOST_POINTS:
        run.curve = run.curve[::2]
    session.on_event(event)


def finished(session: Session, run: Run, best: Parameters, stopped: bool) -> Finished:
    """The numbers of the weights that are kept."""
    return Finished(
        measures=session.judge.at_the_end(session.model(best), run.best_score),
        step=run.best_step,
        steps=int(run.steps),
        seconds=session.elapsed(),
        tokens_per_second=speed(session, run),
        peak_memory_mb=peak_memory_mb(),
        stopped_early=stopped,
    )


def peak_memory_mb() -> float:
    """The largest resident set of this process so far, in MiB; 0 where it is not known."""
    try:
        import resource  # not on Windows
    except ImportError:
        return 0.0
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
