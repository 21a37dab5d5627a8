"""All that changes while a model is trained."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Shapes
from lmtool.kinds.base import Table
from lmtool.models.members import members
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States
from lmtool.training.session import Session
from lmtool.workers import slices

__all__ = ["Member", "Run", "Timer", "by_row", "new_run", "rows_of", "shard_columns"]


class Member(NamedTuple):
    """What the optimiser changes of one network."""

    parameters: Parameters
    moments: list[Parameters]


@dataclass(slots=True)
class Timer:
    """What the steps and validations of a run took."""

    training_seconds: float = 0.0  # without validation
    timed_steps: int = 0  # that training_seconds counts
    first_seconds: float = 0.0  # of the steps that training_seconds leaves out
    first_steps: int = 0  # since the run began or was resumed
    validation_seconds: float = 0.0  # of the last one; 0: there was none


@dataclass(slots=True)
class Run:
    """Weights and what belongs to them, progress, and the timer."""

    parameters: Parameters
    moments: list[Parameters]
    members: list[Member]  # views of both, one a network
    buffers: list[Array]  # room for a unit's gradients
    states: list[States]  # one a unit: the first network's shards, the second's, ...
    seen: list[NDArray[np.int32]]  # one a table, (V,): the step up to which each row is updated
    best: Array
    judged: Array  # (P,) of the run whose length this one has; (0,) where this one is validated
    step: int = 0
    steps: float = math.inf  # of the whole run; infinite until the clock has decided
    best_score: float = math.inf  # lower is better
    best_step: int = 0
    waited: int = 0  # validations since the best
    validated: int = 0  # the step of the last validation
    curve: list[dict[str, Any]] = field(default_factory=list)  # validations so far
    rate: float = 1.0  # of the learning rate; halved by each roll back
    rollbacks: int = 0
    timer: Timer = field(default_factory=Timer)

    def buffer(self, unit: int, shapes: Shapes) -> Parameters:
        """Gradients of a unit, not cleared; the same memory every step."""
        size = sum(map(math.prod, shapes.values()))
        if self.buffers[unit].size < size:
            self.buffers[unit] = np.empty(size * 5 // 4, np.float32)
        return Parameters(shapes, self.buffers[unit][:size])

    def roll_back(self) -> None:
        """The best weights again, without momentum, at half the rate; the batch is left out."""
        self.parameters.flat[...] = self.best
        for moment in self.moments:
            moment.flat[...] = 0
        for array in (array for layers in self.states for state in layers for array in state):
            array[...] = 0
        self.step += 1
        for seen in self.seen:
            seen[...] = self.step
        self.rate /= 2
        self.rollbacks += 1


def new_run(session: Session, parameters: Parameters, judged: Array | None = None) -> Run:
    """Fresh moments and zero states; the weights become the run's own."""
    moments = [parameters.like() for _ in range(session.optimizer.n_moments)]
    by_network = zip(*(members(session.settings, x) for x in (parameters, *moments)), strict=True)
    parts = [Member(own, own_moments) for own, *own_moments in by_network]
    columns = shard_columns(session, session.recipe.batch or 1)
    streams = [part.stop - part.start for part in columns] * session.members
    return Run(
        parameters,
        moments,
        parts,
        [np.empty(0, np.float32) for _ in streams],
        [session.kind.zero_state(session.settings, B) for B in streams],
        [np.zeros(n_rows(table, parts[0].parameters), np.int32) for table in session.kind.tables],
        best=parameters.flat.copy(),
        judged=np.empty(0, np.float32) if judged is None else judged,
    )


def shard_columns(session: Session, B: int) -> list[slice]:
    """The streams of each shard."""
    return slices(B, session.shards)


def rows_of(table: Table, parameters: Mapping[str, Array]) -> list[tuple[str, Array]]:
    """The table's matrices, a vector as a column."""
    return [(name, by_row(parameters[name])) for name in table.names if name in parameters]


def n_rows(table: Table, parameters: Mapping[str, Array]) -> int:
    """How many ids a table has; 0 where the model lacks it."""
    return max((len(x) for _, x in rows_of(table, parameters)), default=0)


def by_row(x: Array) -> Array:
    """(V, D) as it is, (V,) as (V, 1)."""
    return x.reshape(len(x), -1)
