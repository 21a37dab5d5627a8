"""What a kind of model is: a record of functions that training, files and commands go by.

A new kind is one file that ends in ``KIND = Kind(...)`` and a line in ``kinds.KINDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Shapes
from lmtool.inference.judgement import Judgement
from lmtool.nn.outputs import Output, Sampler
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States

if TYPE_CHECKING:
    from lmtool.data.batch import Data
    from lmtool.settings import TextSettings, TrainSettings
    from lmtool.workers import Workers


__all__ = ["BEGUN", "Estimate", "Judge", "Judgement", "Kind", "Material", "Memory", "Table"]
__all__ += ["Trained"]

BEGUN = "model to begin with"  # among the fingerprints

Estimate = Callable[..., tuple[float, Array]]  # an output's loss with its scale and draw


class Table(NamedTuple):
    """Matrices with a row for each id; a step touches the rows of the ids in its batch.

    A kind's tables are the last weights of the flat vector, in their order; those of which no step
    needs all rows (``always``) come after the others, so that what is updated whole is one piece.
    """

    names: tuple[str, ...]  # of weights
    fields: tuple[str, ...]  # of a batch, which hold such ids; -1 adds no row and stays -1
    pinned: tuple[int, ...] = ()  # ids that are always there
    drawn: bool = False  # whether an output draws more of them
    always: bool = False  # whether no step needs all rows; else only one whose output samples


class Judge(Protocol):
    """A validation text or validation examples, and how a model is judged by them."""

    @property
    def tokens(self) -> int:
        """What a validation reads."""
        ...

    def judge(self, model: Any) -> Judgement:
        """In training."""
        ...

    def at_the_end(self, model: Any, score: float) -> dict[str, float]:
        """All that is said of the weights that are kept, whose score is known."""
        ...

    def seconds(self, model: Any) -> tuple[float, float]:
        """What the two take, from parts of them."""
        ...


class Memory(NamedTuple):
    """Bytes that a run adds to its process."""

    held: int  # all the time
    step: int  # within a step or a validation
    saved: int  # while the run is saved

    @property
    def peak(self) -> int:
        """At most."""
        return self.held + max(self.step, self.saved)


class Material(NamedTuple):
    """What a kind makes of its files."""

    parts: Any  # what turns a user's line into a source and back
    train: Any
    valid: Any
    facts: dict[str, Any]  # about the texts, for the model file
    fingerprints: dict[str, str]  # of everything that a run is made from
    talk: list[str]  # what was read, for people
    note: str = ""  # what they should know
    init: Any = None  # a finished model of the kind to go on with
    counted: Any = None  # an n-gram model that was brought along
    vectors: Any = None  # of words, to begin with
    whole: Any = None  # all of train and valid: learnt once train and valid chose the length


class Trained(Protocol):
    """A model of any kind."""

    @property
    def settings(self) -> Any:
        """What connects to what."""

    @property
    def parameters(self) -> Parameters:
        """The weights."""
        ...

    @property
    def provenance(self) -> dict[str, Any]:
        """Where it comes from."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A pair of what a model reads and what it writes.

    prepare(corpus, valid, request, folder, init) -> Material, which may need what is in ``folder``.
    plan(settings, recipe, material, speed) -> both without None; of the budgets one stays set.
    build(settings, parts, parameters, provenance) -> the model.
    shapes(settings, parts) -> names and shapes of one network's weights, tables' last.
    initialise(parameters, settings, material, rng): fresh weights of one network.
    data(material, recipe) -> the batches of training.
    judge(material, recipe, workers, units) -> how models are validated.
    learn(settings, parts, recipe, weights, gradients, batch, state, noise, estimate) -> (loss,
    state): the sum over the batch's targets; ``gradients`` are overwritten with those of loss / n.
    outputs: whose loss ``estimate`` is, by name; a kind without them gets None.
    n_outputs(parts) -> V or K.
    complete(model, judge, measures) -> the model with what can be told only of trained weights, its
    measures, and a line for people, if there is something to say.
    paced(asked, recipe, material, steps) -> the recipe once the steps that fit are known.
    store(model) -> what a model file keeps beside settings and weights: for the card, tensors.
    restore(settings, card, tensors) -> the parts, their tensors taken out; raises ValueError.
    zero_state(settings, B) -> what streams begin with; () where nothing is carried over.
    sampler(parts, recipe) -> what the output draws from, or None.
    memory(settings, recipe, material) -> what a run takes, from shapes alone.
    agreed(model, said, text, network, recipe) -> the three of a run that goes on with the model;
    raises ConfigError where what was said is not the model's; None: nothing goes on.
    beside(settings, parts, card, tensors) -> what adds to a model what its file holds beside
    weights and parts, their tensors taken out; raises ValueError.
    descended(model, init) -> the model with what it owes to the one that it began with, if any.
    patient: whether too few examples validate to stop for them once the learning rate falls, and
        all are then learnt as long as the first run went, not its best
    step: where training on does no harm, and too few examples tell one step from another.
    keeps_last: whether the last weights are kept, and not those that validation finds best: where
    the loss stands for something else.
    dearer(settings, recipe, parts) -> how many times the work of a step one of the last is.
    """

    name: str
    reads: str
    writes: str
    verbs: tuple[str, ...]  # commands that use such a model
    settings: type
    prepare: Callable[..., Material]
    plan: Callable[[Any, TrainSettings, Material, float], tuple[Any, TrainSettings]]
    build: Callable[[Any, Any, Parameters, dict[str, Any]], Any]
    shapes: Callable[[Any, Any], Shapes]
    initialise: Callable[[Parameters, Any, Material, np.random.Generator], None]
    data: Callable[[Material, TrainSettings], Data]
    judge: Callable[[Material, TrainSettings, Workers, int], Judge]
    learn: Callable[..., tuple[float, States]]
    n_outputs: Callable[[Any], int]
    store: Callable[[Any], tuple[dict[str, Any], dict[str, NDArray[Any]]]]
    restore: Callable[[Any, dict[str, Any], dict[str, NDArray[Any]]], Any]
    memory: Callable[[Any, TrainSettings, Material], Memory]
    tables: tuple[Table, ...] = ()
    zero_state: Callable[[Any, int], States] = lambda settings, B: ()
    outputs: Mapping[str, Output] = field(default_factory=dict)
    sampler: Callable[[Any, TrainSettings], Sampler | None] = lambda parts, recipe: None
    complete: Callable[[Any, Any, dict[str, float]], tuple[Any, dict[str, float], str]] = (
        lambda model, judge, measures: (model, measures, "")
    )
    beside: Callable[[Any, Any, dict[str, Any], dict[str, NDArray[Any]]], Callable[[Any], Any]] = (
        lambda settings, parts, card, tensors: lambda model: model
    )
    paced: Callable[[TrainSettings, TrainSettings, Material, int], TrainSettings] = (
        lambda asked, recipe, material, steps: recipe
    )
    agreed: Callable[..., tuple[TextSettings, Any, TrainSettings]] | None = None
    descended: Callable[[Any, Any], Any] = lambda model, init: model
    patient: bool = False
    keeps_last: bool = False
    dearer: Callable[[Any, TrainSettings, Any], float] = lambda settings, recipe, parts: 1.0
