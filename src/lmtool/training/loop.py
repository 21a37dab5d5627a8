"""The training loop: emits events, prints nothing.

Everything that changes during training lives in ``Run``; a batch, its resets and its dropout
masks are pure functions of (seed, step, shard).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.errors import TrainingError
from lmtool.inference.evaluate import cut, padded_logp, perplexity, sentence_logp
from lmtool.models.bptt import loss_and_gradients
from lmtool.models.language_model import LanguageModel, States, zero_state
from lmtool.nn import kernels
from lmtool.nn.outputs import OUTPUTS
from lmtool.nn.parameters import Array, Parameters
from lmtool.settings import TrainSettings
from lmtool.text.batches import segment
from lmtool.text.vocabulary import EOS_ID
from lmtool.training.events import Event, Finished, Progress, Validated
from lmtool.training.optimizers import OPTIMIZERS
from lmtool.training.plan import n_steps
from lmtool.training.schedules import learning_rate
from lmtool.training.shards import Workers, slices

__all__ = ["train"]

Ids = NDArray[np.int32]

PATIENCE = 5  # validations without a better one before training stops
RESET = 0.25  # share of the sentences that start from zero state in the mixed context
REPORT_SECONDS = 0.25  # between two Progress events
PROBE_STEPS = 8  # timed, not applied, to turn a time budget into steps
VALID_STREAMS = 64


@dataclass(slots=True)
class Run:
    """All that changes while training."""

    parameters: Parameters
    gradients: list[Parameters]  # one a shard
    moments: list[Array]
    states: list[States]  # one a shard
    step: int = 0
    best_loss: float = math.inf
    best_step: int = 0
    best: Array = field(default_factory=lambda: np.empty(0, np.float32))
    waited: int = 0  # validations since the best
    training_seconds: float = 0.0  # without validation


@dataclass(frozen=True, slots=True)
class Task:
    """All that does not change while training."""

    model: LanguageModel  # at the start
    train_ids: Ids
    valid_ids: Ids
    recipe: TrainSettings  # without None
    sampler: Any  # what the output layer draws from
    workers: Workers
    start: float  # time.monotonic()
    on_event: Callable[[Event], None]

    @property
    def tokens_per_step(self) -> int:
        """B * T."""
        return (self.recipe.batch or 1) * (self.recipe.bptt or 1)


def train(
    model: LanguageModel,
    train_ids: Ids,
    valid_ids: Ids,
    recipe: TrainSettings,
    on_event: Callable[[Event], None] = lambda event: None,
    start: float | None = None,
) -> LanguageModel:
    """The model with the weights that were best on valid_ids.

    ``recipe`` comes from ``plan``; ``start`` (``time.monotonic()``) is when a time budget began.
    Raises TrainingError when a loss or a gradient is not finite.
    """
    start = time.monotonic() if start is None else start
    with Workers(recipe.threads or 1) as workers:
        sampler = OUTPUTS[recipe.output or "full"].sampler(model.vocabulary.counts)
        task = Task(model, train_ids, valid_ids, recipe, sampler, workers, start, on_event)
        run = new_run(task)
        steps = n_steps(recipe, len(train_ids)) or steps_in_time(task, run)
        stopped = loop(task, run, steps)
        best = replace(model, parameters=Parameters(run.parameters.shapes, run.best))
        on_event(finished(task, run, best, steps, stopped))
    return best


def new_run(task: Task) -> Run:
    """Fresh moments and zero states."""
    parameters = task.model.parameters.copy()
    streams = [part.stop - part.start for part in shard_columns(task.recipe)]
    n_moments = OPTIMIZERS[task.recipe.optimizer].n_moments
    return Run(
        parameters,
        [parameters.like() for _ in streams],
        [np.zeros_like(parameters.flat) for _ in range(n_moments)],
        [zero_state(task.model.settings, B) for B in streams],
        best=parameters.flat.copy(),
    )


def shard_columns(recipe: TrainSettings) -> list[slice]:
    """The streams of each shard."""
    return slices(recipe.batch or 1, recipe.shards)


def loop(task: Task, run: Run, steps: int) -> bool:
    """Trains to the end of the schedule; True where early stopping cut it short."""
    every = validation_interval(task, steps)
    loss, counted, reported, reported_at = 0.0, 0, time.monotonic(), run.step
    while run.step < steps:
        began = time.monotonic()
        loss += training_step(task, run, steps)
        counted += task.tokens_per_step
        now = time.monotonic()
        run.training_seconds += now - began
        if now - reported > REPORT_SECONDS or run.step == steps:
            rate = (run.step - reported_at) / max(1e-9, now - reported)
            task.on_event(progress(task, run, steps, loss / counted, rate))
            loss, counted, reported, reported_at = 0.0, 0, now, run.step
        if run.step % every == 0 or run.step == steps:
            if validate(task, run) >= PATIENCE:
                return run.step < steps
            reported += time.monotonic() - now  # validation is not training time
    return False


def validation_interval(task: Task, steps: int) -> int:
    """About once an epoch, between 5 and 20 times a run."""
    epochs = steps * task.tokens_per_step / len(task.train_ids)
    return math.ceil(steps / min(20, max(5, round(epochs))))


def progress(task: Task, run: Run, steps: int, loss: float, rate: float) -> Progress:
    """``loss`` in nats per token, ``rate`` in steps per second."""
    return Progress(
        step=run.step,
        steps=steps,
        epoch=run.step * task.tokens_per_step / len(task.train_ids),
        loss=loss,
        perplexity=perplexity(-loss, 1),
        tokens_per_second=rate * task.tokens_per_step,
        seconds=time.monotonic() - task.start,
        seconds_left=(steps - run.step) / rate,
        lr=learning_rate(run.step - 1, steps, task.recipe.lr or 0),
    )


def training_step(task: Task, run: Run, steps: int) -> float:
    """One optimiser step; the sum of -ln p over its tokens."""
    loss = compute_gradients(task, run)
    norm = reduce_gradients(task, run)
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise TrainingError(
            f"the numbers blew up at step {run.step + 1} (loss {loss:.3g}, gradient norm "
            f"{norm:.3g}): try a smaller --lr or --clip"
        )
    factor = min(1.0, task.recipe.clip / max(norm, 1e-12))
    rate = learning_rate(run.step, steps, task.recipe.lr or 0)
    run.step += 1
    update = OPTIMIZERS[task.recipe.optimizer].update

    def update_slice(part: slice) -> None:
        moments = [moment[part] for moment in run.moments]
        gradient = run.gradients[0].flat[part]
        update(run.parameters.flat[part], gradient, factor, moments, rate, run.step)

    task.workers.map(update_slice, flat_slices(task, run))
    return loss


def flat_slices(task: Task, run: Run) -> list[slice]:
    """The flat vector in as many parts as there are shards."""
    return slices(run.parameters.flat.size, task.recipe.shards)


def compute_gradients(task: Task, run: Run) -> float:
    """Fills run.gradients with each shard's part of the mean's gradient and moves the states on."""
    recipe = task.recipe
    batch = segment(task.train_ids, run.step, recipe.bptt or 1, recipe.batch or 1)

    def shard(i: int) -> float:
        columns = shard_columns(recipe)[i]
        rng = np.random.default_rng((recipe.seed, run.step, i))
        inputs = np.ascontiguousarray(batch.inputs[:, columns])
        with np.errstate(all="ignore"):  # the step's loss and norm are checked instead
            loss, run.states[i] = loss_and_gradients(
                task.model.settings,
                run.parameters,
                run.gradients[i],
                inputs,
                np.ascontiguousarray(batch.targets[:, columns]),
                run.states[i],
                RESETS[recipe.context](inputs, rng),
                dropout=recipe.dropout or 0.0,
                rng=rng,
                output=recipe.output or "full",
                sampler=task.sampler,
                scale=1 / batch.inputs.size,
            )
        return loss

    return sum(task.workers.map(shard, range(recipe.shards)))


def keep_document(inputs: Ids, rng: np.random.Generator) -> Array | None:
    """The state carries over from line to line."""
    return None


def keep_sentence(inputs: Ids, rng: np.random.Generator) -> Array:
    """Each line starts from zero state: 0 where the input is <EOS>."""
    return np.not_equal(inputs, EOS_ID).astype(np.float32)


def keep_mixed(inputs: Ids, rng: np.random.Generator) -> Array:
    """A random share of the lines starts from zero state."""
    carried = rng.random(inputs.shape, np.float32) >= RESET
    keep: Array = np.logical_or(inputs != EOS_ID, carried).astype(np.float32)
    return keep


RESETS: dict[str, Callable[[Ids, np.random.Generator], Array | None]] = {
    "document": keep_document,
    "sentence": keep_sentence,
    "mixed": keep_mixed,
}


def reduce_gradients(task: Task, run: Run) -> float:
    """Sums the shards' gradients into the first, in order; the Euclidean norm of the sum."""
    total, *others = (gradients.flat for gradients in run.gradients)

    def reduce_slice(part: slice) -> float:
        for other in others:
            kernels.add(total[part], other[part])
        return float(kernels.sum_of_squares(total[part]))

    return math.sqrt(sum(task.workers.map(reduce_slice, flat_slices(task, run))))


def steps_in_time(task: Task, run: Run) -> int:
    """How many steps fit into the time budget: a few are timed and thrown away."""
    compute_gradients(task, run)  # compiles
    reduce_gradients(task, run)
    began = time.monotonic()
    for _ in range(PROBE_STEPS):
        compute_gradients(task, run)
        reduce_gradients(task, run)
    per_step = (time.monotonic() - began) / PROBE_STEPS
    began = time.monotonic()
    valid_loss(task, run)
    validation = time.monotonic() - began
    run.states = new_run(task).states
    left = (task.recipe.seconds or 0) - (time.monotonic() - task.start) - 8 * validation
    return max(5, int(0.93 * left / per_step))


def valid_loss(task: Task, run: Run) -> float:
    """Nats per token on the validation ids, in the context trained for."""
    model = replace(task.model, parameters=run.parameters)
    if task.recipe.context == "sentence":
        return -sentence_logp(model, task.valid_ids) / len(task.valid_ids)
    return document_loss(task, model)


def document_loss(task: Task, model: LanguageModel) -> float:
    """Nats per token, in pieces of neighbouring text shared among the workers."""
    n = len(task.valid_ids)
    n_streams = max(1, min(VALID_STREAMS, n // 500))
    pieces, skip = cut(task.valid_ids, n_streams)
    parts = slices(n_streams, min(n_streams, task.recipe.shards))
    logps = task.workers.map(lambda part: padded_logp(model, pieces[:, part], skip[part]), parts)
    return -sum(logps) / n


def validate(task: Task, run: Run) -> int:
    """Keeps the weights if they are the best so far; how many validations have not been."""
    loss = valid_loss(task, run)
    best = loss < run.best_loss
    if best:
        run.best_loss, run.best_step = loss, run.step
        run.best[...] = run.parameters.flat
    run.waited = 0 if best else run.waited + 1
    epoch = run.step * task.tokens_per_step / len(task.train_ids)
    seconds = time.monotonic() - task.start
    task.on_event(Validated(run.step, epoch, perplexity(-loss, 1), best, seconds))
    return run.waited


def finished(task: Task, run: Run, best: LanguageModel, steps: int, stopped: bool) -> Finished:
    """The numbers of the weights that are kept."""
    n = len(task.valid_ids)
    return Finished(
        valid_perplexity=perplexity(-document_loss(task, best), 1),
        valid_perplexity_sentence=perplexity(sentence_logp(best, task.valid_ids), n),
        step=run.best_step,
        steps=steps,
        seconds=time.monotonic() - task.start,
        tokens_per_second=run.step * task.tokens_per_step / max(1e-9, run.training_seconds),
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
