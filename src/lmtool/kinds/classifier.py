"""The classifier: reads text, writes a label; what training goes by."""

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.batch import Batch
from lmtool.data.examples import Examples
from lmtool.inference.classify import Classifier, LabelJudge, Parts, sizes_of
from lmtool.inference.measures import fit_temperature
from lmtool.kinds.base import Estimate, Kind, Material, Memory, Table
from lmtool.kinds.labelled import prepare
from lmtool.kinds.language_model import respelled, spelled
from lmtool.models import classifier
from lmtool.models.classifier import NGRAMS, TABLES
from lmtool.nn.cells import CELLS
from lmtool.nn.noise import Noise
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States
from lmtool.settings import TrainSettings
from lmtool.settings.classifier import ClassifierSettings
from lmtool.text.labels import Labels
from lmtool.text.ngrams import Ngrams
from lmtool.workers import Workers, n_cores

__all__ = ["KIND"]


class Fit(NamedTuple):
    """What suits training on so many examples."""

    limit: float
    size: int  # E and H
    batch: int
    lr: float  # Adam's
    dropout: float
    word_drop: float
    epochs: float
    members: int


FITS = (
    Fit(300, 32, 8, 0.004, 0.3, 0.1, 40, 3),
    Fit(3_000, 64, 16, 0.004, 0.5, 0.2, 12, 3),
    Fit(30_000, 64, 64, 0.004, 0.5, 0.3, 3, 3),
    Fit(300_000, 128, 64, 0.003, 0.5, 0.0, 2, 2),
    Fit(math.inf, 256, 128, 0.003, 0.2, 0.05, 2, 1),
)
FEW = 30_000  # examples, up to which the n-grams start from naive Bayes
SOURCE = "source."  # before the tensors of its vocabulary
SGD_LR = 0.5
STREAMS = 8  # of a shard, at least
MOST_MEMBERS = 5
LONGER = 1.5  # times the usual passes; more of them only learn by heart
REACHED = 0.35  # share of the speed of large products that small ones reach


def fit_for(n: int) -> Fit:
    """By the number of examples."""
    return next(fit for fit in FITS if n <= fit.limit)


def plan(
    settings: ClassifierSettings, recipe: TrainSettings, material: Material, speed: float
) -> tuple[ClassifierSettings, TrainSettings]:
    """Sizes, epochs and batch that follow the number of examples; members fill the time."""
    n = len(material.train.rows)
    fit, ngrams = fit_for(n), material.parts.ngrams
    hidden = settings.hidden or settings.embed or fit.size
    network = replace(
        settings,
        hidden=hidden,
        embed=settings.embed or min(hidden, fit.size),
        ngrams=0 if ngrams is None else 1 + len(ngrams.keys),
        members=settings.members or fit.members,
        labelling="sigmoid" if material.parts.labels.several else "full",
    )
    if recipe.seconds and not settings.members:
        passes = REACHED * speed * recipe.seconds / work_of_a_pass(network, material)
        network = replace(network, members=max(1, min(MOST_MEMBERS, int(passes / fit.epochs))))
    members = network.members or 1
    batch = min(recipe.batch or fit.batch, n)
    shards = min(batch, recipe.shards or default_shards(batch, members))
    asked = recipe.epochs or recipe.steps or recipe.seconds
    given = {name: getattr(recipe, name) for name in ("dropout", "weight_drop", "word_drop")}
    usual = {"dropout": fit.dropout, "weight_drop": 0.0, "word_drop": fit.word_drop}
    drops: dict[str, Any] = {k: usual[k] if x is None else x for k, x in given.items()}
    return network, replace(
        recipe,
        output="full",
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


def work_of_a_pass(settings: ClassifierSettings, material: Material) -> float:
    """Floating-point operations of training one network on all examples once."""
    E, H, ways = settings.embed or 1, settings.hidden or 1, 1 + settings.both
    gates = CELLS[settings.cell].n_gates if settings.cell in CELLS else 1
    words = int(material.train.sources.lengths[material.train.rows].sum())
    return 6.0 * words * (ways * gates * H * (E + H) + E)


def paced(
    asked: TrainSettings, recipe: TrainSettings, material: Material, steps: int
) -> TrainSettings:
    """No more passes than do good, however much time there is."""
    n = len(material.train.rows)
    most = math.ceil(LONGER * fit_for(n).epochs * n / (recipe.batch or 1))
    return replace(recipe, seconds=None, steps=most) if steps > most else recipe


def default_shards(batch: int, members: int) -> int:
    """One a core, but of no fewer than STREAMS examples."""
    cores = n_cores()
    return max(1, min(cores // math.gcd(cores, members), batch // STREAMS))


def shapes(settings: ClassifierSettings, parts: Parts) -> Any:
    """Of one network's weights."""
    return classifier.shapes(settings, sizes_of(parts))


def initialise(
    parameters: Parameters,
    settings: ClassifierSettings,
    material: Material,
    rng: np.random.Generator,
) -> None:
    """Fresh weights of one network."""
    train, parts = material.train, material.parts
    classifier.initialise(parameters, settings, parts.labels.counts, len(train.rows), rng)
    if train.ngrams is not None and len(train.rows) <= FEW:
        evidence = classifier.naive_bayes(
            settings, train.ngrams, train.targets, train.rows, sizes_of(parts)
        )
        parameters[NGRAMS][...] = evidence


def data(material: Material, recipe: TrainSettings) -> Examples:
    """Examples of like length side by side."""
    examples: Examples = material.train.examples(recipe.batch or 1, recipe.seed)
    return examples


def judge(material: Material, recipe: TrainSettings, workers: Workers, units: int) -> LabelJudge:
    """By the labels' probabilities."""
    held = material.valid.examples(1, 0)
    return LabelJudge(held, material.parts.labels.several, workers, units)


def learn(
    settings: ClassifierSettings,
    parts: Parts,
    recipe: TrainSettings,
    weights: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    state: States,
    noise: Noise,
    estimate: Estimate,
) -> tuple[float, States]:
    """-ln p of the labels of a batch."""
    return classifier.loss_and_gradients(settings, weights, gradients, batch, noise), state


def memory(settings: ClassifierSettings, recipe: TrainSettings, material: Material) -> Memory:
    """Weights, moments, gradients; and for the longest batch embeddings, tapes and n-grams."""
    P = sum(map(math.prod, shapes(settings, material.parts).values())) * (settings.members or 1)
    S, B = int(material.train.sources.lengths.max(initial=1)), recipe.batch or 1
    E, H = settings.embed or 1, (settings.hidden or 1) * (2 if settings.both else 1)
    step = S * B * (4 * E + (settings.layers or 1) * 16 * H) * (settings.members or 1)
    return Memory(held=4 * 5 * P + (24 << 20), step=4 * step, saved=4 * 8 * P)


def store(model: Classifier) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Vocabulary, labels, n-grams and the temperature."""
    vocabulary, labels, ngrams, temperature = model.parts
    tensors = spelled(vocabulary, SOURCE)
    tensors |= labels.tensors() | ({} if ngrams is None else ngrams.tensors())
    return {"text": asdict(vocabulary.settings), "temperature": temperature}, tensors


def restore(
    settings: ClassifierSettings, card: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> Parts:
    """The parts, verified."""
    vocabulary = respelled(card, tensors, SOURCE)
    labels, ngrams = Labels.from_tensors(tensors), None
    if longest := settings.ngrams or 0:
        ngrams = Ngrams.from_tensors(tensors, vocabulary.n_tokens, longest)
    for name in [*labels.tensors(), *(ngrams.tensors() if ngrams is not None else {})]:
        del tensors[name]
    temperature = card["temperature"]
    if type(temperature) is not float or not 0 < temperature < math.inf:
        raise ValueError("its temperature is damaged")
    if labels.several != (settings.labelling == "sigmoid"):
        raise ValueError("its labels contradict its settings")
    return Parts(vocabulary, labels, ngrams, temperature)


def complete(model: Classifier, judge: LabelJudge) -> Classifier:
    """The temperature that the validation examples want."""
    temperature = fit_temperature(*judge.predicted(model))
    return replace(model, parts=model.parts._replace(temperature=float(temperature)))


KIND = Kind(
    name="classifier",
    reads="text",
    writes="label",
    verbs=("classify", "evaluate"),
    settings=ClassifierSettings,
    prepare=prepare,
    plan=plan,
    build=Classifier,
    shapes=shapes,
    initialise=initialise,
    data=data,
    judge=judge,
    learn=learn,
    zero_state=lambda settings, B: (),
    n_outputs=lambda parts: len(parts.labels),
    store=store,
    restore=restore,
    memory=memory,
    tables=tuple(Table((name,), (field,), always=True) for name, field in TABLES.items()),
    complete=complete,
    paced=paced,
)
