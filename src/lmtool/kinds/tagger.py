"""The tagger: reads text, writes tags; what training goes by."""

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.batch import Batch
from lmtool.data.examples import Examples
from lmtool.data.rare import Rare
from lmtool.inference.tag import Parts, Tagger, TagJudge, sizes_of
from lmtool.kinds.base import Estimate, Kind, Material, Memory, Table
from lmtool.kinds.language_model import respelled, spelled
from lmtool.kinds.tagged import prepare
from lmtool.models import tagger
from lmtool.nn.cells import CELLS
from lmtool.nn.noise import Noise
from lmtool.nn.outputs import TAGGINGS, Rules
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States
from lmtool.settings import TrainSettings
from lmtool.settings.tagger import TaggerSettings
from lmtool.text.letters import LONGEST, Letters
from lmtool.text.tags import Tags
from lmtool.workers import Workers, n_cores

__all__ = ["KIND"]


class Fit(NamedTuple):
    """What suits training on so many sentences."""

    limit: float
    size: int  # E and H
    batch: int
    lr: float  # Adam's
    dropout: float
    epochs: float
    members: int


FITS = (
    Fit(300, 32, 4, 0.004, 0.3, 40, 3),
    Fit(3_000, 64, 8, 0.004, 0.4, 25, 3),
    Fit(30_000, 128, 16, 0.003, 0.5, 15, 2),
    Fit(300_000, 200, 32, 0.002, 0.4, 5, 1),
    Fit(math.inf, 256, 64, 0.002, 0.3, 2, 1),
)
SOURCE = "source."  # before the tensors of its vocabulary
SGD_LR = 0.5
STREAMS = 8  # of a shard, at least
MOST_MEMBERS = 5
LONGER = 2.0  # times the usual passes; more of them only learn by heart
REACHED = 0.35  # share of the speed of large products that small ones reach


def fit_for(n: int) -> Fit:
    """By the number of sentences."""
    return next(fit for fit in FITS if n <= fit.limit)


def plan(
    settings: TaggerSettings, recipe: TrainSettings, material: Material, speed: float
) -> tuple[TaggerSettings, TrainSettings]:
    """Sizes, epochs and batch that follow the number of sentences; members fill the time."""
    n = len(material.train.rows)
    fit = fit_for(n)
    hidden = settings.hidden or settings.embed or fit.size
    network = replace(
        settings,
        hidden=hidden,
        embed=settings.embed or min(hidden, fit.size),
        tagging=recipe.output or "crf",
        members=settings.members or fit.members,
    )
    if recipe.seconds and not settings.members:
        passes = REACHED * speed * recipe.seconds / work_of_a_pass(network, material)
        network = replace(network, members=max(1, min(MOST_MEMBERS, int(passes / fit.epochs))))
    members = network.members or 1
    batch = min(recipe.batch or fit.batch, n)
    shards = min(batch, recipe.shards or default_shards(batch, members))
    asked = recipe.epochs or recipe.steps or recipe.seconds
    given = {name: getattr(recipe, name) for name in ("dropout", "weight_drop", "word_drop")}
    usual = {"dropout": fit.dropout, "weight_drop": 0.0, "word_drop": 0.0}
    drops: dict[str, Any] = {k: usual[k] if x is None else x for k, x in given.items()}
    return network, replace(
        recipe,
        output=network.tagging,
        samples=1,
        finish=0.0,
        epochs=recipe.epochs if asked else fit.epochs,
        batch=batch,
        bptt=1,
        lr=recipe.lr or (fit.lr if recipe.optimizer == "adam" else SGD_LR),
        drop_warmup=recipe.drop_warmup or 0,
        shards=shards,
        threads=min(recipe.threads or n_cores(), members * shards),
        **drops,
    )


def work_of_a_pass(settings: TaggerSettings, material: Material) -> float:
    """Floating-point operations of training one network on all sentences once."""
    stack = tagger.stack_of(settings)
    gates = CELLS[settings.cell].n_gates
    words = int(material.train.sources.lengths[material.train.rows].sum())
    ways = 2 if settings.both else 1
    return 6.0 * words * ways * gates * stack.hidden * (stack.inputs + stack.hidden)


def paced(
    asked: TrainSettings, recipe: TrainSettings, material: Material, steps: int
) -> TrainSettings:
    """No more passes than do good, however much time there is."""
    n = len(material.train.rows)
    most = math.ceil(LONGER * fit_for(n).epochs * n / (recipe.batch or 1))
    return replace(recipe, seconds=None, steps=most) if steps > most else recipe


def default_shards(batch: int, members: int) -> int:
    """One a core, but of no fewer than STREAMS sentences."""
    cores = n_cores()
    return max(1, min(cores // math.gcd(cores, members), batch // STREAMS))


def shapes(settings: TaggerSettings, parts: Parts) -> Any:
    """Of one network's weights."""
    return tagger.shapes(settings, sizes_of(parts))


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
    estimate: Estimate,
) -> tuple[float, States]:
    """-ln p of the tags of a batch."""
    rules = Rules(*parts.tags.rules)
    return tagger.loss_and_gradients(settings, weights, gradients, batch, rules, noise), state


def memory(settings: TaggerSettings, recipe: TrainSettings, material: Material) -> Memory:
    """Weights, moments, gradients; and for the longest batch features and tapes."""
    P = sum(map(math.prod, shapes(settings, material.parts).values())) * (settings.members or 1)
    S, B = int(material.train.sources.lengths.max(initial=1)), recipe.batch or 1
    stack = tagger.stack_of(settings)
    features = 4 * stack.inputs + (LONGEST + 4) * settings.filters * bool(settings.letters)
    chain = 8 * len(material.parts.tags)
    one = features + settings.layers * 16 * stack.hidden * (2 if settings.both else 1) + chain
    step = S * B * one * (settings.members or 1)
    return Memory(held=4 * 5 * P + (24 << 20), step=4 * step, saved=4 * 8 * P)


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
    zero_state=lambda settings, B: (),
    n_outputs=lambda parts: len(parts.tags),
    store=store,
    restore=restore,
    memory=memory,
    tables=tuple(Table((name,), (field,), always=True) for name, field in tagger.TABLES.items()),
    paced=paced,
)
