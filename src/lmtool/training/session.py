"""All that stays fixed while a model is trained."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.data.batch import Data
from lmtool.kinds import Kind, Material
from lmtool.kinds.base import Judge
from lmtool.models.members import all_shapes, members
from lmtool.nn.outputs import Sampler
from lmtool.nn.parameters import Parameters
from lmtool.settings import TrainSettings
from lmtool.training import pretrained
from lmtool.training.events import Event
from lmtool.training.optimizers import OPTIMIZERS, Optimizer
from lmtool.training.ranks import ALONE, Ranks, Share, shared_out
from lmtool.workers import Workers

__all__ = ["Session", "fresh_weights", "n_steps", "open_session"]

FIRST = 0.45  # of the budget, where a second run on all examples follows


@dataclass(frozen=True, slots=True)
class Session:
    """What is trained, on what, and by which recipe."""

    kind: Kind
    settings: Any  # of the model; no None
    parts: Any  # of the model, beside its weights
    recipe: TrainSettings  # no None but in the budget
    data: Data
    judge: Judge
    sampler: Sampler | None
    workers: Workers
    start: float  # time.monotonic()
    again: float  # work of a second run that follows, as a share of this one's
    on_event: Callable[[Event], None]
    ranks: Ranks
    share: Share  # of this rank
    frozen: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)  # rows that stay, (V,)

    @property
    def optimizer(self) -> Optimizer:
        """How the weights follow the gradient."""
        return OPTIMIZERS[self.recipe.optimizer]

    @property
    def last_output(self) -> str:
        """The output that needs every token."""
        output = self.recipe.output or "full"
        layer = self.kind.outputs.get(output)
        return (layer and layer.finish) or output

    @property
    def members(self) -> int:
        """Networks."""
        return self.settings.members or 1

    @property
    def shards(self) -> int:
        """Logical parts of a batch."""
        return self.recipe.shards or 1

    @property
    def units(self) -> int:
        """Pieces of work of a step."""
        return self.members * self.shards

    @property
    def budget(self) -> float:
        """Seconds that this run may take; 0: as many as it likes."""
        return (self.recipe.seconds or 0) * (FIRST if self.again else 1)

    def model(self, parameters: Parameters, provenance: dict[str, Any] | None = None) -> Any:
        """The model with these weights."""
        return self.kind.build(self.settings, self.parts, parameters, provenance or {})

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.start


@contextmanager
def open_session(
    kind: Kind,
    settings: Any,
    material: Material,
    recipe: TrainSettings,
    on_event: Callable[[Event], None] = lambda event: None,
    start: float | None = None,
    ranks: Ranks = ALONE,
) -> Iterator[Session]:
    """A session with its workers, for as long as it is used."""
    share = shared_out(settings.members or 1, recipe.shards or 1, ranks)
    data, again = kind.data(material, recipe), 0.0
    if material.whole is not None:
        again = kind.data(material._replace(train=material.whole), recipe).tokens / data.tokens
    with Workers(recipe.threads or 1) as workers:
        yield Session(
            kind=kind,
            settings=settings,
            parts=material.parts,
            recipe=recipe,
            data=data,
            judge=kind.judge(material, recipe, ranks.spread(workers), len(share.owners)),
            sampler=kind.sampler(material.parts, recipe),
            workers=workers,
            start=time.monotonic() if start is None else start,
            again=again,
            on_event=on_event,
            ranks=ranks,
            share=share,
            frozen=pretrained.frozen(kind, settings, material),
        )


def fresh_weights(
    kind: Kind, settings: Any, material: Material, seed: int, dtype: type[np.floating] = np.float32
) -> Parameters:
    """Those before the first step, of all networks."""
    shapes = all_shapes(kind.shapes(settings, material.parts), settings.members)
    parameters, rng = Parameters(shapes, dtype=dtype), np.random.default_rng(seed)
    for one in members(settings, parameters):
        kind.initialise(one, settings, material, rng)
    pretrained.entered(kind, settings, material, parameters)
    return parameters


def n_steps(recipe: TrainSettings, data: Data) -> int | None:
    """Optimiser steps of the run; None where the clock decides."""
    if recipe.steps or recipe.seconds:
        return recipe.steps
    return max(1, math.ceil((recipe.epochs or 1) * data.tokens / data.tokens_a_step))
