"""One optimiser step over the shards of a batch.

Everything that changes during training lives in ``Run``; a batch, its resets and its dropout
masks are pure functions of (seed, step, unit), a unit being one network with one shard. Where the
output layer samples, a step works on the few rows of the vocabulary's matrices that it touches, so
its cost does not grow with V. Several networks read the same batch and learn apart.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.data.stream import segment
from lmtool.errors import TrainingError, option
from lmtool.models.decoder import loss_and_gradients
from lmtool.models.language_model import LanguageModel, members
from lmtool.models.network import PER_TOKEN, States, zero_state
from lmtool.nn import kernels
from lmtool.nn.noise import Noise
from lmtool.nn.outputs import OUTPUTS, Draw, Sampler
from lmtool.nn.parameters import Array, Parameters, Shapes
from lmtool.settings import TrainSettings
from lmtool.text.vocabulary import EOS_ID
from lmtool.training.contexts import CONTEXTS
from lmtool.training.events import Event
from lmtool.training.optimizers import OPTIMIZERS, Optimizer
from lmtool.training.schedules import drop_warmup, learning_rate
from lmtool.workers import Workers, slices

__all__ = ["Run", "Task", "catch_up", "new_run", "rate_now", "roll_back", "training_step"]

Ids = NDArray[np.int32]


class Member(NamedTuple):
    """What the optimiser changes of one network."""

    parameters: Parameters
    moments: list[Parameters]


@dataclass(slots=True)
class Run:
    """All that changes while training."""

    parameters: Parameters
    moments: list[Parameters]
    members: list[Member]  # views of both, one a network
    buffers: list[Array]  # room for a unit's gradients
    states: list[States]  # one a unit: the first network's shards, the second's, ...
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
    first_seconds: float = 0.0  # of the steps that training_seconds leaves out
    first_steps: int = 0  # since the run began or was resumed
    validation_seconds: float = 0.0  # of the last one; 0: there was none

    def buffer(self, unit: int, shapes: Shapes) -> Parameters:
        """Gradients of a unit, not cleared; the same memory every step."""
        size = sum(map(math.prod, shapes.values()))
        if self.buffers[unit].size < size:
            self.buffers[unit] = np.empty(size * 5 // 4, np.float32)
        return Parameters(shapes, self.buffers[unit][:size])


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

    @property
    def units(self) -> int:
        """Pieces of work of a step."""
        return len(self.model.networks) * self.shards

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.start


class Part(NamedTuple):
    """A batch, and the part of the model that it touches; ids are row numbers of that part."""

    weights: Sequence[Mapping[str, Array]]  # one a network
    inputs: Ids  # (T, B)
    targets: Ids  # (T, B)
    output: str  # a key of OUTPUTS
    draw: Draw | None
    rows: NDArray[np.intp] | None  # (n,) tokens, ascending; None: the whole model


def new_run(task: Task) -> Run:
    """Fresh moments and zero states."""
    settings, parameters = task.model.settings, task.model.parameters.copy()
    moments = [parameters.like() for _ in range(task.optimizer.n_moments)]
    by_network = zip(*(members(settings, x) for x in (parameters, *moments)), strict=True)
    streams = [part.stop - part.start for part in shard_columns(task)] * len(task.model.networks)
    return Run(
        parameters,
        moments,
        [Member(own, own_moments) for own, *own_moments in by_network],
        [np.empty(0, np.float32) for _ in streams],
        [zero_state(settings, B) for B in streams],
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
    norms = [reduce_gradients(task, shards) for shards in gradients]
    if not math.isfinite(loss + sum(norms)):
        raise TrainingError(
            f"the numbers blew up at step {run.step + 1} (loss {loss:.3g}, gradient norm "
            f"{max(norms):.3g}): try a smaller {option('lr')} or {option('clip')}"
        )
    run.step += 1
    for member, shards, norm in zip(run.members, gradients, norms, strict=True):
        factor = min(1.0, task.recipe.clip / max(norm, 1e-12))
        update(task, run.step, member, part.rows, shards[0], factor, rate)
    run.seen[slice(None) if part.rows is None else part.rows] = run.step
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
    whole = [member.parameters for member in run.members]
    if task.sampler is None or finishing(task, run):
        catch_up(task, run, np.flatnonzero(run.seen < run.step), rate)
        return Part(whole, inputs, targets, task.last_output, None, None)
    draw = task.sampler.draw(targets.ravel(), np.random.default_rng((recipe.seed, run.step)))
    ids = np.concatenate([inputs.ravel(), targets.ravel(), draw.ids, [EOS_ID]])  # stays row 0
    rows, places = np.unique(ids, return_inverse=True)
    catch_up(task, run, rows, rate)
    weights = [{k: x[rows] if k in PER_TOKEN else x for k, x in one.items()} for one in whole]
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

    def some_rows(some: slice) -> None:
        for member in run.members:
            for name, x in per_token(member.parameters):
                moments = [by_row(moment[name]) for moment in member.moments]
                task.optimizer.catch_up(x, moments, rows[some], gaps[some], rate, run.step)

    task.workers.map(some_rows, slices(len(rows), task.units))
    run.seen[rows] = run.step


def per_token(parameters: Mapping[str, Array]) -> list[tuple[str, Array]]:
    """The matrices with a row for each token; the bias as a column."""
    return [(name, by_row(parameters[name])) for name in PER_TOKEN if name in parameters]


def by_row(x: Array) -> Array:
    """(V, D) as it is, (V,) as (V, 1)."""
    return x.reshape(len(x), -1)


def compute_gradients(task: Task, run: Run, part: Part) -> tuple[float, list[list[Parameters]]]:
    """The networks' mean loss, the shards' parts of each one's gradient; the states move on."""
    recipe, n = task.recipe, task.shards
    grown = drop_warmup(run.step, recipe.drop_warmup or 0)
    shares = (recipe.dropout, recipe.weight_drop, recipe.word_drop)
    dropout, weight_drop, word_drop = (grown * (share or 0.0) for share in shares)
    scale = 1 / part.inputs.size
    estimate = partial(OUTPUTS[part.output].loss, scale=scale, draw=part.draw)
    columns = shard_columns(task)

    def unit(i: int) -> tuple[float, Parameters]:
        weights, some = part.weights[i // n], columns[i % n]
        rng = np.random.default_rng((recipe.seed, run.step, i))
        gradients = run.buffer(i, {name: array.shape for name, array in weights.items()})
        inputs = np.ascontiguousarray(part.inputs[:, some])
        keep = CONTEXTS[recipe.context](inputs, rng)
        with np.errstate(all="ignore"):  # the step's loss and norm are checked instead
            loss, run.states[i] = loss_and_gradients(
                task.model.settings,
                weights,
                gradients,
                inputs,
                np.ascontiguousarray(part.targets[:, some]),
                run.states[i],
                estimate,
                keep,
                Noise(dropout, weight_drop, word_drop, rng),
            )
        return loss, gradients

    losses, gradients = zip(*task.workers.map(unit, range(task.units)), strict=True)
    by_network = [list(gradients[i : i + n]) for i in range(0, task.units, n)]
    return sum(losses) / len(by_network), by_network


def reduce_gradients(task: Task, gradients: list[Parameters]) -> float:
    """Sums the shards' gradients into the first, in order; the Euclidean norm of the sum."""
    total, *others = (part.flat for part in gradients)

    def part(some: slice) -> float:
        for other in others:
            kernels.add(total[some], other[some])
        return float(kernels.sum_of_squares(total[some]))

    return math.sqrt(sum(task.workers.map(part, slices(total.size, task.units))))


def update(
    task: Task,
    step: int,
    member: Member,
    rows: NDArray[np.intp] | None,
    gradient: Parameters,
    factor: float,
    rate: float,
) -> None:
    """The optimiser's step: dense over the flat vector, and by rows where they are few."""
    n_parts, whole = task.units, member.parameters.flat
    few = np.arange(0) if rows is None else rows
    matrices = [] if rows is None else per_token(member.parameters)
    n_dense = whole.size - sum(x.size for _, x in matrices)

    def dense(some: slice) -> None:
        moments = [moment.flat[some] for moment in member.moments]
        task.optimizer.update(whole[some], gradient.flat[some], factor, moments, rate, step)

    def by_rows(name: str, x: Array, some: slice) -> None:
        moments = [by_row(moment[name]) for moment in member.moments]
        dx = by_row(gradient[name])[some]
        task.optimizer.update_rows(x, dx, factor, moments, few[some], rate, step)

    def part(i: int) -> None:
        dense(slices(n_dense, n_parts)[i])
        for name, x in matrices:
            by_rows(name, x, slices(len(few), n_parts)[i])

    task.workers.map(part, range(n_parts))
