"""The training loop: emits events, prints nothing."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.errors import TrainingError
from lmtool.inference.evaluate import cut, padded_logp, perplexity, sentences
from lmtool.models.language_model import LanguageModel
from lmtool.nn.outputs import OUTPUTS
from lmtool.nn.parameters import Parameters
from lmtool.settings import TrainSettings
from lmtool.training.clock import horizon, settle, steps_left, validates
from lmtool.training.events import Event, Finished, Note, Progress, Validated
from lmtool.training.plan import n_steps
from lmtool.training.resume import Keeper, Saved, restore
from lmtool.training.schedules import DECAY, learning_rate
from lmtool.training.step import Run, Task, catch_up, new_run, rate_now, roll_back, training_step
from lmtool.workers import Workers, slices

__all__ = ["train"]

Ids = NDArray[np.int32]

PATIENCE = 5  # validations without a better one before the learning rate falls, or training stops
REPORT_SECONDS = 0.25  # between two Progress events
MOST_ROLLBACKS = 3
UNTIMED = 3  # first steps, which may compile
VALID_STREAMS = 64
VALID_SHARE = 20  # tokens trained on for each token of a validation, at least
FEWEST_BETWEEN = 20  # steps between validations
MOST_POINTS = 1000  # of the curve; then every second one goes
TIMED_LENGTH = 64  # tokens of each stream


def train(
    model: LanguageModel,
    train_ids: Ids,
    valid_ids: Ids,
    recipe: TrainSettings,
    on_event: Callable[[Event], None] = lambda event: None,
    start: float | None = None,
    keeper: Keeper | None = None,
    saved: Saved | None = None,
    validate_first: bool = False,
) -> LanguageModel:
    """The model with the weights that were best on valid_ids, and what became of the run.

    ``recipe`` comes from ``plan``; ``start`` (``time.monotonic()``) is when a time budget began.
    ``keeper`` saves the run now and then; ``saved`` is where it goes on. With
    ``validate_first`` the weights at the start may be the best. Raises InterruptionError where the
    keeper says so, and TrainingError when losses or gradients are not finite again and again; its
    ``best`` is then the model with the best weights so far, if any were validated.
    """
    with task_for(model, train_ids, valid_ids, recipe, on_event, start) as task:
        run = new_run(task)
        run.steps = n_steps(recipe, len(train_ids)) or math.inf
        if saved is not None:
            restore(saved, run)
        elif validate_first:
            validate(task, run)
        try:
            stopped = loop(task, run, keeper)
        except TrainingError as error:
            error.best = best_model(task, run) if math.isfinite(run.best_loss) else None
            raise
        best = best_model(task, run)
        event = finished(task, run, best, stopped)
        on_event(event)
    return replace(best, provenance={"curve": run.curve, "result": result(event)})


def best_model(task: Task, run: Run) -> LanguageModel:
    """The model with the best weights so far."""
    return replace(task.model, parameters=Parameters(run.parameters.shapes, run.best))


@contextmanager
def task_for(
    model: LanguageModel,
    train_ids: Ids,
    valid_ids: Ids,
    recipe: TrainSettings,
    on_event: Callable[[Event], None] = lambda event: None,
    start: float | None = None,
) -> Iterator[Task]:
    """A task with its workers, for as long as it is used."""
    start = time.monotonic() if start is None else start
    make = OUTPUTS[recipe.output or "full"].sampler
    sampler = make and make(model.vocabulary.counts, recipe.samples or 1)
    with Workers(recipe.threads or 1) as workers:
        yield Task(model, train_ids, valid_ids, recipe, sampler, workers, start, on_event)


def loop(task: Task, run: Run, keeper: Keeper | None = None) -> bool:
    """Trains to the end of the schedule; True where early stopping cut it short."""
    every = validation_interval(task)
    if math.isinf(run.steps) and not run.validation_seconds:
        run.validation_seconds = validation_seconds(task)
    report = Report(task, every)
    while True:
        if run.validated < run.step and validates(run, every):
            validate(task, run)
            if run.waited >= PATIENCE and not anneal(run):
                return run.step < run.steps
        if run.step >= run.steps:
            return False
        if keeper is not None:
            keeper.pause(task, run)
        loss = safe_step(task, run)
        settle(task, run, every)
        report.add(run, loss)


def safe_step(task: Task, run: Run) -> float | None:
    """One step; None where its numbers blew up, and the run was rolled back."""
    try:
        return timed_step(task, run)
    except TrainingError as error:
        if run.rollbacks == MOST_ROLLBACKS:
            raise
        task.on_event(Note(f"{error}; back to step {run.best_step}, at half the learning rate"))
        roll_back(run)
        return None


def timed_step(task: Task, run: Run) -> float:
    """One step; the first few, which may compile, do not count for the speed."""
    began = time.monotonic()
    loss = training_step(task, run)
    if run.step > UNTIMED:
        run.training_seconds += time.monotonic() - began
        run.timed_steps += 1
    return loss


class Report:
    """Tells the mean loss of the last steps, a few times a second."""

    def __init__(self, task: Task, every: int) -> None:
        self._task, self._every = task, every
        self._reset()

    def _reset(self) -> None:
        self._loss, self._counted, self._since = 0.0, 0, time.monotonic()

    def add(self, run: Run, loss: float | None) -> None:
        """One more step; ``loss`` is summed over its tokens."""
        if loss is not None:
            self._loss, self._counted = self._loss + loss, self._counted + 1
        due = time.monotonic() - self._since > REPORT_SECONDS or run.step == run.steps
        if due and self._counted:
            steps = horizon(self._task, run, self._every)
            mean = self._loss / self._counted
            self._task.on_event(progress(self._task, run, mean, steps))
            self._reset()


def anneal(run: Run) -> bool:
    """Begins the decay of the learning rate now; False where it has begun already."""
    if run.step > (1 - DECAY) * run.steps:
        return False
    run.steps = math.ceil(run.step / (1 - DECAY))
    run.waited = 0
    return True


def validation_interval(task: Task) -> int:
    """Steps between validations: an epoch, or more where validation would take too long."""
    tokens = max(len(task.train_ids), VALID_SHARE * len(task.valid_ids))
    return max(FEWEST_BETWEEN, math.ceil(tokens / task.tokens_per_step))


def progress(task: Task, run: Run, loss: float, steps: int) -> Progress:
    """``loss`` summed over the tokens of a step, in nats; ``steps`` expected by the clock."""
    loss /= task.tokens_per_step
    steps = int(run.steps) if math.isfinite(run.steps) else steps
    per_step = run.training_seconds / max(1, run.timed_steps)
    return Progress(
        step=run.step,
        steps=steps,
        epoch=epoch(task, run),
        loss=loss,
        perplexity=perplexity(-loss, 1),
        tokens_per_second=speed(task, run),
        seconds=task.elapsed(),
        seconds_left=steps_left(task, run, steps) * per_step,
        lr=run.rate * learning_rate(run.step - 1, run.steps, task.recipe.lr or 0),
    )


def epoch(task: Task, run: Run) -> float:
    """Passes over the corpus so far."""
    return run.step * task.tokens_per_step / len(task.train_ids)


def speed(task: Task, run: Run) -> float:
    """Tokens per second in training proper."""
    return run.timed_steps * task.tokens_per_step / max(1e-9, run.training_seconds)


def validate(task: Task, run: Run) -> None:
    """Keeps the weights if they are the best so far."""
    everything = np.arange(task.model.vocabulary.n_tokens)
    began = time.monotonic()
    catch_up(task, run, everything, rate_now(task, run))
    loss = valid_loss(task, replace(task.model, parameters=run.parameters))
    best = loss < run.best_loss
    if best:
        run.best_loss, run.best_step = loss, run.step
        run.best[...] = run.parameters.flat
    run.waited = 0 if best else run.waited + 1
    run.validated = run.step
    run.validation_seconds = time.monotonic() - began
    event = Validated(run.step, epoch(task, run), perplexity(-loss, 1), best, task.elapsed())
    run.curve.append({k: v for k, v in asdict(event).items() if k != "seconds"})
    if len(run.curve) > MOST_POINTS:
        run.curve = run.curve[::2]
    task.on_event(event)


def valid_loss(task: Task, model: LanguageModel) -> float:
    """Nats per token on the validation ids, in the context trained for."""
    if task.recipe.context == "sentence":
        return sentence_loss(task, model)
    return document_loss(task, model)


def sentence_loss(task: Task, model: LanguageModel) -> float:
    """Nats per token, each line from zero state."""
    logps = task.workers.map(lambda pieces: padded_logp(model, pieces), sentences(task.valid_ids))
    return -sum(logps) / len(task.valid_ids)


def document_loss(task: Task, model: LanguageModel) -> float:
    """Nats per token, the state carried, in pieces that the workers share."""
    return -pieces_logp(task, model, *valid_pieces(task)) / len(task.valid_ids)


def pieces_logp(task: Task, model: LanguageModel, pieces: Ids, skip: Ids) -> float:
    """ln p of ids side by side (T, B), without the first skip (B,) of each."""
    parts = slices(len(skip), min(len(skip), task.units))
    logps = task.workers.map(lambda part: padded_logp(model, pieces[:, part], skip[part]), parts)
    return sum(logps)


def valid_pieces(task: Task) -> tuple[Ids, Ids]:
    """The validation ids side by side."""
    n = len(task.valid_ids)
    return cut(task.valid_ids, max(1, min(VALID_STREAMS, n // 500)))


def validation_seconds(task: Task) -> float:
    """What one validation costs, from the beginning of it; kernels are compiled before."""
    pieces, skip = valid_pieces(task)
    for tokens in (pieces[:2], pieces[:TIMED_LENGTH]):
        began = time.monotonic()
        pieces_logp(task, task.model, tokens, np.zeros_like(skip))
    return (time.monotonic() - began) * max(1.0, len(pieces) / TIMED_LENGTH)


def finished(task: Task, run: Run, best: LanguageModel, stopped: bool) -> Finished:
    """The numbers of the weights that are kept."""
    in_sentences = task.recipe.context == "sentence"
    other = document_loss(task, best) if in_sentences else sentence_loss(task, best)
    document, sentence = (other, run.best_loss) if in_sentences else (run.best_loss, other)
    return Finished(
        valid_perplexity=perplexity(-document, 1),
        valid_perplexity_sentence=perplexity(-sentence, 1),
        step=run.best_step,
        steps=int(run.steps),
        seconds=task.elapsed(),
        tokens_per_second=speed(task, run),
        peak_memory_mb=peak_memory_mb(),
        stopped_early=stopped,
    )


def result(event: Finished) -> dict[str, Any]:
    """What the model file keeps of it: nothing that another run of the same bits would change."""
    kept = ("valid_perplexity", "valid_perplexity_sentence", "step", "steps", "stopped_early")
    return {name: getattr(event, name) for name in kept}


def peak_memory_mb() -> float:
    """The largest resident set of this process so far, in MiB; 0 where it is not known."""
    try:
        import resource  # not on Windows
    except ImportError:
        return 0.0
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
