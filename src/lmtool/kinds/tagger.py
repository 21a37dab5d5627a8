"""The tagger: reads text, writes tags; what training goes by."""

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.batch import Batch
from lmtool.data.examples import Examples
from lmtool.data.rare import Rare
from lmtool.inference.tag import Parts, Tagger, TagJudge
from lmtool.kinds.base import Estimate, Kind, Material, Memory, Table
from lmtool.kinds.fits import Fit, memory_of, no_more_than, planned
from lmtool.kinds.language_model import respelled, spelled
from lmtool.kinds.tagged import prepare
from lmtool.models import tagger
from lmtool.nn.noise import Noise
from lmtool.nn.outputs import TAGGINGS, Rules
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States
from lmtool.settings import TrainSettings
from lmtool.settings.tagger import TaggerSettings
from lmtool.text.letters import LONGEST, Letters
from lmtool.text.tags import Tags
from lmtool.workers import Workers

__all__ = ["KIND"]


FITS = (  # sentences
    Fit(300, 128, 8, 0.004, 0.5, 80, 3, widest=100),
    Fit(3_000, 128, 8, 0.002, 0.5, 30, 3, widest=100),
    Fit(30_000, 200, 16, 0.002, 0.5, 12, 2, widest=100),
    Fit(300_000, 200, 32, 0.002, 0.4, 4, 2, widest=100),
    Fit(math.inf, 256, 64, 0.002, 0.3, 2, 1, widest=200),
)
SOURCE = "source."  # before the tensors of its vocabulary


def plan(
    settings: TaggerSettings, recipe: TrainSettings, material: Material, speed: float
) -> tuple[TaggerSettings, TrainSettings]:
    """Sizes, epochs and batch that follow the number of sentences; members fill the time."""
    settings = replace(settings, tagging=recipe.output or "crf")
    network, recipe = planned(FITS, work_of_a_pass, settings, recipe, material, speed)
    return network, replace(recipe, output=network.tagging)


def work_of_a_pass(settings: TaggerSettings, material: Material) -> float:
    """Floating-point operations of training one network on all sentences once."""
    stack = tagger.stack_of(settings)
    products = stack.cell.products(stack.inputs, stack.hidden)
    words = float(material.train.sources.lengths[material.train.rows].sum())
    return 6.0 * words * len(stack.ways) * products


def shapes(settings: TaggerSettings, parts: Parts) -> Any:
    """Of one network's weights."""
    return tagger.shapes(settings, parts.sizes())


def initialise(
    parameters: Parameters, settings: TaggerSettings, material: Material, rng: np.random.Generator
) -> None:
    """Fresh weights of one network."""
    tagger.initialise(parameters, settings, material.parts.tags.counts, rng)


def data(material: Material, recipe: TrainSettings) -> Examples:
    """Sentences of like length side by side; words seen once are at times unknown."""
    examples: Examples = material.train.examples(
        recipe.batch or 1, recipe.seed, Rare.of(material.parts.vocabulary)
    )
    return examples


def judge(material: Material, recipe: TrainSettings, workers: Workers, units: int) -> TagJudge:
    """By the phrases that are found."""
    return TagJudge(material.valid.examples(1, 0), material.parts.tags, workers, units)


def learn(
    settings: TaggerSettings,
    parts: Parts,
    recipe: TrainSettings,
    weights: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    state: States,
    noise: Noise,
    estimate: Estimate | None,
) -> tuple[float, States]:
    """-ln p of the tags of a batch."""
    rules = Rules(*parts.tags.rules)
    return tagger.loss_and_gradients(settings, weights, gradients, batch, rules, noise), state


def memory(settings: TaggerSettings, recipe: TrainSettings, material: Material) -> Memory:
    """Weights, moments, gradients; and for the longest batch features and tapes."""
    P = sum(map(math.prod, shapes(settings, material.parts).values()))
    stack = tagger.stack_of(settings)
    features = 4 * stack.inputs + (LONGEST + 4) * settings.filters * bool(settings.letters)
    chain = 8 * len(material.parts.tags)
    one = features + settings.layers * 16 * stack.outputs + chain
    return memory_of(P, one, settings, recipe, material)


def store(model: Tagger) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Vocabulary, letters and tags."""
    vocabulary, letters, tags = model.parts
    tensors = spelled(vocabulary, SOURCE) | letters.tensors() | tags.tensors()
    return {"text": asdict(vocabulary.settings)}, tensors


def restore(
    settings: TaggerSettings, card: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> Parts:
    """The parts, verified."""
    if settings.tagging not in TAGGINGS:
        raise ValueError(f"its output is unknown: {settings.tagging!r}")
    parts = Parts(
        respelled(card, tensors, SOURCE), Letters.from_tensors(tensors), Tags.from_tensors(tensors)
    )
    for name in [*parts.letters.tensors(), *parts.tags.tensors()]:
        del tensors[name]
    TAGGINGS[settings.tagging].outputs(len(parts.tags))  # ValueError for tags that it cannot tell
    return parts


KIND = Kind(
    name="tagger",
    reads="text",
    writes="tags",
    verbs=("tag", "evaluate"),
    settings=TaggerSettings,
    prepare=prepare,
    plan=plan,
    build=Tagger,
    shapes=shapes,
    initialise=initialise,
    data=data,
    judge=judge,
    learn=learn,
    n_outputs=lambda parts: len(parts.tags),
    store=store,
    restore=restore,
    memory=memory,
    tables=tuple(Table((name,), (field,), always=True) for name, field in tagger.TABLES.items()),
    paced=partial(no_more_than, FITS),
)
