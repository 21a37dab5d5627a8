"""One optimiser step over the shards of a batch.

Everything that changes during training lives in ``Run``; a batch, its resets and its dropout
masks are pure functions of (seed, step, shard). Where the output layer samples, a step works on
the few rows of the vocabulary's matrices that it touches, so its cost does not grow with V.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.errors import TrainingError
from lmtool.models.bptt import loss_and_gradients
from lmtool.models.language_model import PER_TOKEN, LanguageModel, States, zero_state
from lmtool.nn import kernels
from lmtool.nn.outputs import OUTPUTS, Draw, Sampler
from lmtool.nn.parameters import Array, Parameters, Shapes
from lmtool.settings import TrainSettings
from lmtool.text.batches import segment
from lmtool.text.vocabulary import EOS_ID
from lmtool.training.contexts import CONTEXTS
from lmtool.training.events import Event
from lmtool.training.optimizers import OPTIMIZERS, Optimizer
from lmtool.training.schedules import drop_warmup, learning_rate
from lmtool.workers import Workers, slices

__all__ = ["Run", "Task", "catch_up", "new_run", "rate_now", "roll_back", "training_step"]

Ids = NDArray[np.int32]


@dataclass(slots=True)
class Run:
    """All that changes while training."""

    parameters: Parameters
    moments: list[Parameters]
    buffers: list[Array]  # room for a shard's gradients
    states: list[States]  # one a shard
    seen: NDArray[np.int32]  # (V,): the step up to which each token's rows are updated
    step: int = 0
    steps: float = math.inf  # of the whole run; infinite until the clock has decided
    best_loss: float = math.inf
    best_step: int = 0
    best: Array = field(default_factory=lambda: np.empty(0, np.float32))
    waited: int = 0  # validations since the best
    validated: int = 0  # the step of the last validation
    curve: list[dict[str, Any]] = field(default_factory=list)  # validations so far
    rate: float = 1.0  # of the learning rate; halved by each roll back
    rollbacks: int = 0
    training_seconds: float = 0.0  # without validation
    timed_steps: int = 0  # that training_seconds counts
    validation_seconds: float = 0.0  # of the last one

    def buffer(self, shard: int, shapes: Shapes) -> Parameters:
        """Gradients of a shard, not cleared; the same memory every step."""
        size = sum(map(math.prod, shapes.values()))
        if self.buffers[shard].size < size:
            self.buffers[shard] = np.empty(size * 5 // 4, np.float32)
        return Parameters(shapes, self.buffers[shard][:size])


@dataclass(frozen=True, slots=True)
class Task:
    """All that does not change while training."""

    model: LanguageModel  # at the start
    train_ids: Ids
    valid_ids: Ids
    recipe: TrainSettings  # without None
    sampler: Sampler | None
    workers: Workers
    start: float  # time.monotonic()
    on_event: Callable[[Event], None]

    @property
    def tokens_per_step(self) -> int:
        """B * T."""
        return (self.recipe.batch or 1) * (self.recipe.bptt or 1)

    @property
    def optimizer(self) -> Optimizer:
        """How the weights follow the gradient."""
        return OPTIMIZERS[self.recipe.optimizer]

    @property
    def last_output(self) -> str:
        """The output that needs every token: a key of OUTPUTS."""
        output = self.recipe.output or "full"
        return OUTPUTS[output].finish or output

    @property
    def shards(self) -> int:
        """Logical parts of a batch."""
        return self.recipe.shards or 1

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.start


class Part(NamedTuple):
    """A batch, and the part of the model that it touches; ids are row numbers of that part."""

    weights: Mapping[str, Array]
    inputs: Ids  # (T, B)
    targets: Ids  # (T, B)
    output: str  # a key of OUTPUTS
    draw: Draw | None
    rows: NDArray[np.intp] | None  # (n,) tokens, ascending; None: the whole model


def new_run(task: Task) -> Run:
    """Fresh moments and zero states."""
    parameters = task.model.parameters.copy()
    streams = [part.stop - part.start for part in shard_columns(task)]
    return Run(
        parameters,
        [parameters.like() for _ in range(task.optimizer.n_moments)],
        [np.empty(0, np.float32) for _ in streams],
        [zero_state(task.model.settings, B) for B in streams],
        np.zeros(task.model.vocabulary.n_tokens, np.int32),
        best=parameters.flat.copy(),
    )


def shard_columns(task: Task) -> list[slice]:
    """The streams of each shard."""
    return slices(task.recipe.batch or 1, task.shards)


def training_step(task: Task, run: Run) -> float:
    """Moves weights, moments and states on by one step; the sum of -ln p over its tokens."""
    rate = rate_now(task, run)
    part = touched(task, run, rate)
    loss, gradients = compute_gradients(task, run, part)
    norm = reduce_gradients(task, gradients)
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise TrainingError(
            f"the numbers blew up at step {run.step + 1} (loss {loss:.3g}, gradient norm "
            f"{norm:.3g}): try a smaller --lr or --clip"
        )
    run.step += 1
    update(task, run, part, gradients[0], min(1.0, task.recipe.clip / max(norm, 1e-12)), rate)
    return loss


def rate_now(task: Task, run: Run) -> float:
    """The learning rate of the next step."""
    return run.rate * learning_rate(run.step, run.steps, task.recipe.lr or 0)


def roll_back(run: Run) -> None:
    """The best weights again, without momentum, at half the rate; the batch is left out."""
    run.parameters.flat[...] = run.best
    for moment in run.moments:
        moment.flat[...] = 0
    for array in (array for layers in run.states for state in layers for array in state):
        array[...] = 0
    run.step += 1
    run.seen[...] = run.step
    run.rate /= 2
    run.rollbacks += 1


def touched(task: Task, run: Run, rate: float) -> Part:
    """The step's batch with all weights, or with the rows that it needs."""
    recipe = task.recipe
    inputs, targets = segment(task.train_ids, run.step, recipe.bptt or 1, recipe.batch or 1)
    if task.sampler is None or finishing(task, run):
        catch_up(task, run, np.flatnonzero(run.seen < run.step), rate)
        return Part(run.parameters, inputs, targets, task.last_output, None, None)
    draw = task.sampler.draw(targets.ravel(), np.random.default_rng((recipe.seed, run.step)))
    ids = np.concatenate([inputs.ravel(), targets.ravel(), draw.ids, [EOS_ID]])  # stays row 0
    rows, places = np.unique(ids, return_inverse=True)
    catch_up(task, run, rows, rate)
    weights = {k: x[rows] if k in PER_TOKEN else x for k, x in run.parameters.items()}
    n, small = inputs.size, places.reshape(-1).astype(np.int32)
    inputs, targets = small[:n].reshape(inputs.shape), small[n : 2 * n].reshape(inputs.shape)
    local = Draw(places[2 * n : -1], draw.extra)
    return Part(weights, inputs, targets, recipe.output or "full", local, rows)


def finishing(task: Task, run: Run) -> bool:
    """Whether the step is one of the last, whose loss is exact."""
    return run.step >= run.steps * (1 - (task.recipe.finish or 0))


def catch_up(task: Task, run: Run, rows: NDArray[np.intp], rate: float) -> None:
    """Brings tokens' rows up to the present step."""
    gaps = run.step - run.seen[rows]

    def shard(some: slice) -> None:
        for name, x in per_token(run.parameters):
            moments = [by_row(moment[name]) for moment in run.moments]
            task.optimizer.catch_up(x, moments, rows[some], gaps[some], rate, run.step)

    task.workers.map(shard, slices(len(rows), task.shards))
    run.seen[rows] = run.step


def per_token(parameters: Mapping[str, Array]) -> list[tuple[str, Array]]:
    """The matrices with a row for each token; the bias as a column."""
    return [(name, by_row(parameters[name])) for name in PER_TOKEN if name in parameters]


def by_row(x: Array) -> Array:
    """(V, D) as it is, (V,) as (V, 1)."""
    return x.reshape(len(x), -1)


def compute_gradients(task: Task, run: Run, part: Part) -> tuple[float, list[Parameters]]:
    """The loss, each shard's part of the mean's gradient; the states move on."""
    recipe = task.recipe
    grown = drop_warmup(run.step, recipe.drop_warmup or 0)
    shapes = {name: array.shape for name, array in part.weights.items()}

    def shard(i: int) -> tuple[float, Parameters]:
        columns = shard_columns(task)[i]
        rng = np.random.default_rng((recipe.seed, run.step, i))
        gradients = run.buffer(i, shapes)
        inputs = np.ascontiguousarray(part.inputs[:, columns])
        with np.errstate(all="ignore"):  # the step's loss and norm are checked instead
            loss, run.states[i] = loss_and_gradients(
                task.model.settings,
                part.weights,
                gradients,
                inputs,
                np.ascontiguousarray(part.targets[:, columns]),
                run.states[i],
                CONTEXTS[recipe.context](inputs, rng),
                dropout=grown * (recipe.dropout or 0.0),
                weight_drop=grown * (recipe.weight_drop or 0.0),
                word_drop=grown * (recipe.word_drop or 0.0),
                rng=rng,
                output=part.output,
                draw=part.draw,
                scale=1 / part.inputs.size,
            )
        return loss, gradients

    losses, gradients = zip(*task.workers.map(shard, range(task.shards)), strict=True)
    return sum(losses), list(gradients)


def reduce_gradients(task: Task, gradients: list[Parameters]) -> float:
    """Sums the shards' gradients into the first, in order; the Euclidean norm of the sum."""
    total, *others = (part.flat for part in gradients)

    def shard(some: slice) -> float:
        for other in others:
            kernels.add(total[some], other[some])
        return float(kernels.sum_of_squares(total[some]))

    return math.sqrt(sum(task.workers.map(shard, slices(total.size, task.shards))))


def update(
    task: Task, run: Run, part: Part, gradient: Parameters, factor: float, rate: float
) -> None:
    """The optimiser's step: dense over the flat vector, and by rows where they are few."""
    n_shards, whole, rows = task.shards, run.parameters.flat, part.rows
    matrices = [] if rows is None else per_token(run.parameters)
    n_dense = whole.size - sum(x.size for _, x in matrices)

    def dense(some: slice) -> None:
        moments = [moment.flat[some] for moment in run.moments]
        task.optimizer.update(whole[some], gradient.flat[some], factor, moments, rate, run.step)

    def by_rows(name: str, x: Array, some: slice) -> None:
        moments = [by_row(moment[name]) for moment in run.moments]
        dx = by_row(gradient[name])[some]
        task.optimizer.update_rows(x, dx, factor, moments, few[some], rate, run.step)

    def shard(i: int) -> None:
        dense(slices(n_dense, n_shards)[i])
        for name, x in matrices:
            by_rows(name, x, slices(len(few), n_shards)[i])

    few = np.arange(0) if rows is None else rows
    task.workers.map(shard, range(n_shards))
    run.seen[slice(None) if rows is None else rows] = run.step
