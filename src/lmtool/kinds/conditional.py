"""What kinds of model that write a text about a source have in common."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Shapes
from lmtool.data.batch import Batch
from lmtool.data.pairs import Pairs
from lmtool.inference.conditional import TextJudge
from lmtool.kinds.base import Estimate, Kind, Material, Memory
from lmtool.kinds.fits import Fit
from lmtool.kinds.fits import planned as for_these
from lmtool.kinds.language_model import spelled
from lmtool.kinds.memory import COMPILED, FLOAT
from lmtool.models import conditional
from lmtool.models.conditional import graph_of
from lmtool.nn.cells import cell_of
from lmtool.nn.noise import Noise
from lmtool.nn.outputs import OUTPUTS, Sampler
from lmtool.nn.outputs.full import CHUNK
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import Stack, States
from lmtool.settings import TrainSettings
from lmtool.workers import Workers

__all__ = ["conditional_of", "planned", "shapes", "stored"]

SAMPLES = 1_000
FINISH = 0.1  # of the steps


def planned(
    fits: Sequence[Fit], settings: Any, recipe: TrainSettings, material: Material, speed: float
) -> tuple[Any, TrainSettings]:
    """Sizes, epochs and batch that follow the number of pairs; members fill the time."""
    network, recipe = for_these(fits, work_of_a_pass, settings, recipe, material, speed)
    samples = recipe.samples or SAMPLES
    finish = FINISH if recipe.finish is None else recipe.finish
    return network, replace(
        recipe, output=recipe.output or "full", samples=samples, finish=finish, bptt=1
    )


def work_of_a_pass(settings: Any, material: Material) -> float:
    """Floating-point operations of training one network on all pairs once."""
    sizes, train = material.parts.sizes(), material.train
    graph = graph_of(settings, sizes)
    read = float(train.sources.lengths[train.source_of[train.rows]].sum())
    reading = work(graph.encoder) + float((settings.embed or 1) * sizes.features)
    top = (settings.embed if settings.tie else graph.upper.outputs) or 1
    writing = work(graph.lower) + work(graph.upper) + top * sizes.tokens
    return float(6 * (read * reading + train.steps() * writing))


def work(stack: Stack) -> float:
    """Products of one step."""
    shapes = stack.shapes().values()
    return float(sum(math.prod(shape) for shape in shapes if len(shape) == 2))


def shapes(settings: Any, parts: Any) -> Shapes:
    """Of one network's weights."""
    return conditional.shapes(settings, parts.sizes())


def stored(
    tensors: Callable[[Any], dict[str, NDArray[Any]]], model: Any
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """``tensors`` of what its sources are read by, and the vocabulary of what is written."""
    source, vocabulary = model.parts
    return {"text": asdict(vocabulary.settings)}, tensors(source) | spelled(vocabulary)


def initialise(
    parameters: Parameters, settings: Any, material: Material, rng: np.random.Generator
) -> None:
    """Fresh weights of one network."""
    conditional.initialise(parameters, settings, material.parts.vocabulary.counts, rng)


def data(material: Material, recipe: TrainSettings) -> Pairs:
    """Pairs of like length side by side."""
    examples: Pairs = material.train.examples(recipe.batch or 1, recipe.seed)
    return examples


def judge(material: Material, recipe: TrainSettings, workers: Workers, units: int) -> TextJudge:
    """By the probability of the texts."""
    held = material.valid
    several = material.parts.vocabulary.several
    per_word = held.steps() / int(held.words[held.rows].sum()) if several else None
    return TextJudge(held.examples(1, 0), workers, units, per_word)


def learn(
    settings: Any,
    parts: Any,
    recipe: TrainSettings,
    weights: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    state: States,
    noise: Noise,
    estimate: Estimate,
) -> tuple[float, States]:
    """-ln p of the texts of a batch."""
    given = settings, weights, gradients, batch, estimate, noise
    return conditional.loss_and_gradients(*given), state


def sampler(parts: Any, recipe: TrainSettings) -> Sampler | None:
    """What the output draws its tokens from."""
    make = OUTPUTS[recipe.output or "full"].sampler
    return make and make(parts.vocabulary.counts, recipe.samples or 1)


def memory(settings: Any, recipe: TrainSettings, material: Material) -> Memory:
    """Weights, moments, gradients; and of the longest batch tapes, attention and logits."""
    K, B = settings.members or 1, recipe.batch or 1
    P = sum(map(math.prod, shapes(settings, material.parts).values()))
    graph, train = graph_of(settings, material.parts.sizes()), material.train
    S = int(train.sources.lengths.max(initial=1))
    T = int(train.targets.lengths.max(initial=1))
    G = cell_of(settings).n_gates
    reading = S * (4 * graph.encoder.inputs + graph.encoder.layers * 4 * G * graph.encoder.outputs)
    above = graph.lower.layers + graph.upper.layers
    writing = T * (8 * graph.lower.inputs + above * 4 * G * graph.lower.outputs + 3 * S)
    V = material.parts.vocabulary.n_tokens
    step = K * (B * (reading + writing) + min(CHUNK, T * B * V))
    return Memory(held=FLOAT * 5 * P * K + COMPILED, step=FLOAT * step, saved=FLOAT * 8 * P * K)


conditional_of: Callable[..., Kind] = partial(  # what else such a kind is made of goes here
    Kind,
    writes="text",
    shapes=shapes,
    initialise=initialise,
    data=data,
    judge=judge,
    learn=learn,
    n_outputs=lambda parts: parts.vocabulary.n_tokens,
    memory=memory,
    outputs={name: OUTPUTS[name] for name in ("full", "sampled")},
    sampler=sampler,
)
