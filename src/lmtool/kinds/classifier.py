"""The classifier: reads text, writes a label; what training goes by."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.batch import Batch
from lmtool.data.examples import Examples, held_out
from lmtool.data.ragged import Gathering, Ragged
from lmtool.data.readers.labelled import Record, describe, read_labelled
from lmtool.errors import InputError
from lmtool.inference.classify import Classifier, LabelJudge, Parts, sizes_of
from lmtool.inference.measures import fit_temperature
from lmtool.kinds.base import Estimate, Kind, Material, Memory, Table
from lmtool.kinds.language_model import text_settings
from lmtool.models import classifier
from lmtool.models.classifier import TABLES
from lmtool.nn.noise import Noise
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States
from lmtool.settings import TextSettings, TrainSettings
from lmtool.settings.classifier import NO_CELL, ClassifierSettings
from lmtool.text.labels import Labels
from lmtool.text.ngrams import Ngrams
from lmtool.text.tokenizers import TOKENIZERS
from lmtool.text.vocabulary import Vocabulary, split_line
from lmtool.workers import Workers, n_cores

__all__ = ["KIND"]

LONGEST_NGRAM = 2
HELD_OUT = 0.1  # of the examples
MOST_HELD_OUT = 10_000
SAME = "validation is on the examples trained on: give more of them, or others to validate on"


class Labelled(NamedTuple):
    """Examples as numbers."""

    sources: Ragged
    targets: Ragged
    ngrams: Ragged | None
    rows: Any  # (n,) those that are meant


class Spelled(NamedTuple):
    """Records of files, their words numbered as they turned up."""

    words: Ragged
    records: list[Record]  # without their texts
    talk: list[Any]  # what each file was taken for, and how many examples it holds


def prepare(corpus: Any, valid: Any, request: Any, folder: Path, init: None = None) -> Material:
    """Vocabulary, labels, n-grams, examples to train on and to validate on. Raises InputError."""
    numbers: dict[str, int] = {}
    train = spelled(corpus, request, numbers)
    labels = Labels.build(train.records)
    others = spelled(valid, request, numbers) if valid else None
    rows, held_rows = (
        split(train, labels, request.recipe.seed)
        if others is None
        else (np.arange(len(train.records)), None)
    )
    vocabulary = vocabulary_of(train.words, rows, list(numbers), request.text)
    words = encoded(train.words, vocabulary.ids(numbers))
    ngrams = ngrams_of(words, rows, vocabulary.n_tokens, request.network.ngrams)
    own = labelled(words, train, labels, ngrams, rows)
    if others is None:
        held = own._replace(rows=held_rows)
    else:
        words = encoded(others.words, vocabulary.ids(numbers))
        held = labelled(words, others, labels, ngrams, np.arange(len(others.records)))
    return Material(
        parts=Parts(vocabulary, labels, ngrams),
        train=own,
        valid=held,
        facts={"train": facts(own), "valid": facts(held)},
        fingerprints={
            "training text": facts(own)["fingerprint"],
            "validation text": facts(held)["fingerprint"],
            "vocabulary": vocabulary.digest,
        },
        talk=[
            *(describe(file, n, labels) for file, n in train.talk),
            f"{len(own.rows):,} to train on, {len(held.rows):,} to validate;"
            f" {vocabulary.n_tokens:,} words, {0 if ngrams is None else len(ngrams):,} features",
        ],
        note=SAME if held.rows is rows else "",
    )


def spelled(paths: Iterable[Any], request: Any, numbers: dict[str, int]) -> Spelled:
    """The records of files, read once; new words get their numbers."""
    words, records, talk = Gathering(), list[Record](), []
    tokenizer, lower = TOKENIZERS[request.text.tokens], request.text.lower
    for path in paths:
        file, before = read_labelled(path, **request.columns), len(records)
        for record in file.records:
            text = record.text.lower() if lower else record.text
            ids = [numbers.setdefault(w, len(numbers)) for w in split_line(tokenizer, text)]
            words.add(np.array(ids, np.int32))
            records.append(record._replace(text=""))
        talk.append((file, len(records) - before))
    if not records:
        raise InputError("there is no labelled text to learn from")
    return Spelled(words.ragged(), records, talk)


def split(train: Spelled, labels: Labels, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows to train on and rows to validate on; the same where there is nothing to spare."""
    first = np.array([labels.id(record.labels[0]) for record in train.records], np.int32)
    own, held = held_out(first, min(HELD_OUT, MOST_HELD_OUT / len(first)), seed)
    return own, held if len(held) else own


def vocabulary_of(
    words: Ragged, rows: NDArray[np.intp], spellings: list[str], text: TextSettings
) -> Vocabulary:
    """That of the examples to train on."""
    counts = np.zeros(len(spellings), np.int64)
    for row in rows:
        np.add.at(counts, words[row], 1)
    named = dict(zip(spellings, counts.tolist(), strict=True))
    return Vocabulary.from_counts({w: n for w, n in named.items() if n}, len(rows), text)


def encoded(words: Ragged, ids: list[int]) -> Ragged:
    """Numbers as they turned up -> ids of the vocabulary."""
    return Ragged(np.array(ids, np.int32)[words.flat], words.offsets)


def ngrams_of(
    words: Ragged, rows: NDArray[np.intp], n_words: int, longest: int | None
) -> Ngrams | None:
    """The runs of words in the examples to train on."""
    longest = LONGEST_NGRAM if longest is None else longest
    own = Ragged.of(words[row] for row in rows)
    return Ngrams.build(own.flat, own.offsets, n_words, longest) if longest else None


def labelled(
    words: Ragged, read: Spelled, labels: Labels, ngrams: Ngrams | None, rows: NDArray[np.intp]
) -> Labelled:
    """Examples as numbers. Raises InputError for a label that no training text has."""
    wide = None if ngrams is None else Ragged(*ngrams.of(words.flat, words.offsets))
    return Labelled(words, Ragged.of(map(labels.targets, read.records)), wide, rows)


def facts(data: Labelled) -> dict[str, Any]:
    """What a model file says about examples."""
    digest = hashlib.sha256()
    for x in (data.sources.flat, data.sources.offsets, data.targets.flat, data.rows):
        digest.update(np.ascontiguousarray(x).data)
    n_words = int(data.sources.lengths[data.rows].sum())
    return {"fingerprint": digest.hexdigest()[:16], "n": len(data.rows), "n_words": n_words}


class Fit(NamedTuple):
    """What suits training on so many examples."""

    limit: float
    embed: int
    hidden: int
    batch: int
    lr: float
    dropout: float
    epochs: float


FITS = (
    Fit(300, 32, 32, 8, 0.004, 0.3, 40),
    Fit(3_000, 64, 64, 16, 0.004, 0.4, 20),
    Fit(30_000, 128, 128, 32, 0.003, 0.5, 8),
    Fit(300_000, 192, 192, 64, 0.003, 0.4, 4),
    Fit(math.inf, 256, 256, 128, 0.003, 0.2, 2),
)
WORD_DROP = 0.1
SGD_LR = 0.5
STREAMS = 8  # of a shard, at least


def plan(
    settings: ClassifierSettings, recipe: TrainSettings, material: Material, speed: float
) -> tuple[ClassifierSettings, TrainSettings]:
    """Sizes, epochs and batch that follow the number of examples."""
    n = len(material.train.rows)
    fit, ngrams = next(fit for fit in FITS if n <= fit.limit), material.parts.ngrams
    hidden = settings.hidden or settings.embed or fit.hidden
    members = settings.members or 1
    network = replace(
        settings,
        hidden=hidden,
        embed=settings.embed or min(hidden, fit.embed),
        layers=0 if settings.cell == NO_CELL else settings.layers,
        ngrams=0 if ngrams is None else 1 + len(ngrams.keys),
        members=members,
        labelling="sigmoid" if material.parts.labels.several else "full",
    )
    batch = min(recipe.batch or fit.batch, n)
    shards = min(batch, recipe.shards or default_shards(batch, members))
    asked = recipe.epochs or recipe.steps or recipe.seconds
    given = {name: getattr(recipe, name) for name in ("dropout", "weight_drop", "word_drop")}
    chosen = {"dropout": fit.dropout, "weight_drop": 0.0, "word_drop": WORD_DROP}
    drops: dict[str, Any] = {n: chosen[n] if x is None else x for n, x in given.items()}
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
    counts, n = material.parts.labels.counts, len(material.train.rows)
    classifier.initialise(parameters, settings, counts, n, rng)


def data(material: Material, recipe: TrainSettings) -> Examples:
    """Examples of like length side by side."""
    return Examples(
        material.train.sources,
        material.train.targets,
        batch=recipe.batch or 1,
        seed=recipe.seed,
        rows=material.train.rows,
        ngrams=material.train.ngrams,
    )


def judge(material: Material, recipe: TrainSettings, workers: Workers, units: int) -> LabelJudge:
    """By the labels' probabilities."""
    held = material.valid
    examples = Examples(
        held.sources, held.targets, batch=1, seed=0, rows=held.rows, ngrams=held.ngrams
    )
    return LabelJudge(examples, material.parts.labels.several, workers, units)


def learn(
    settings: ClassifierSettings,
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
    spelled = np.frombuffer("\n".join(vocabulary.tokens).encode(), np.uint8)
    tensors: dict[str, NDArray[Any]] = {
        "source.vocabulary": spelled,
        "source.counts": vocabulary.counts,
    }
    tensors |= labels.tensors() | ({} if ngrams is None else ngrams.tensors())
    return {"text": asdict(vocabulary.settings), "temperature": temperature}, tensors


def restore(
    settings: ClassifierSettings, card: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> Parts:
    """The parts, verified."""
    spelled, counts = tensors.pop("source.vocabulary"), tensors.pop("source.counts")
    if spelled.dtype != np.uint8 or spelled.ndim != 1 or counts.dtype != np.int64:
        raise ValueError("its vocabulary is damaged")
    tokens = tuple(spelled.tobytes().decode().split("\n"))
    vocabulary = Vocabulary(tokens, counts, text_settings(card["text"]))
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
    if judge.several:
        return model
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
)
