"""The word embedding: reads nothing, writes vectors; what training goes by."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.batch import Batch, Data
from lmtool.data.windows import Nothing, Running, Windows, keep
from lmtool.display import counted
from lmtool.inference.closeness import Closeness
from lmtool.kinds.base import Estimate, Kind, Material, Memory, Table
from lmtool.kinds.fits import default_shards
from lmtool.kinds.language_model import facts, respelled, spelled
from lmtool.kinds.memory import COMPILED, FLOAT
from lmtool.models import word_embedding
from lmtool.models.cooccurrence import count_vectors
from lmtool.models.word_embedding import (
    PER_TOKEN,
    WordEmbedding,
    loss_and_gradients,
    shapes,
)
from lmtool.nn.noise import Noise
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States
from lmtool.settings import TrainSettings, WordVectorSettings
from lmtool.text.corpus import Paths
from lmtool.text.corpus import prepare as read_texts
from lmtool.text.vocabulary import UNK_ID, Vocabulary
from lmtool.workers import Workers, n_cores

__all__ = ["KIND"]

LEARNT, COUNTS = "skipgram", "counts"
MOST_COUNTED = 5e7  # tokens, by default: beyond, pairs fill the memory
SIZE = 100  # E
SUBSAMPLE = 1e-3
SAMPLES = 256
LR = {"adam": 0.01, "sgd": 1.0}
WORDS = 4e7  # read in all, by default
MOST_EPOCHS = 100.0
STEPS = 100  # of a pass, at least, where the text is long enough for batches of LEAST
LEAST, MOST = 256, 8192  # centres of a batch


def prepare(
    corpus: Paths, valid: Paths, request: Any, folder: Path, init: WordEmbedding | None
) -> Material:
    """The vocabulary and the text; all of it is learnt, whatever it is judged by."""
    vocabulary, train, held_out = read_texts(corpus, valid or None, request.text, folder)
    ids = train.ids
    if not valid and train.fingerprint != held_out.fingerprint:
        ids = np.concatenate([ids, held_out.ids])
        counts = np.bincount(ids, minlength=len(vocabulary))
        vocabulary = replace(vocabulary, counts=counts.astype(np.int64))
    own = request.network.window, subsampled(request.network)
    share = int(vocabulary.counts[UNK_ID]) / max(1, len(ids))
    talk = f"{counted(len(ids), 'token')}, {counted(len(vocabulary) - 2, 'word')} to find vectors"
    return Material(
        parts=vocabulary,
        train=Running(ids, vocabulary.counts, *own),
        valid=Running(held_out.ids, vocabulary.counts, *own),
        facts={"train": facts(train), "valid": facts(held_out)},
        fingerprints={
            "training text": train.fingerprint,
            "validation text": held_out.fingerprint,
            "vocabulary": vocabulary.digest,
        },
        talk=[f"{talk} for, {share:z.1%} <UNK>"],
        note="" if valid else "all lines are learnt; those that judge are among them",
    )


def subsampled(settings: WordVectorSettings) -> float:
    """t."""
    return SUBSAMPLE if settings.subsample is None else settings.subsample


def plan(
    settings: WordVectorSettings, recipe: TrainSettings, material: Material, speed: float
) -> tuple[WordVectorSettings, TrainSettings]:
    """Batches and passes that follow the length of the text."""
    n = max(1, len(material.train.ids))
    batch = recipe.batch or int(np.clip(n // STEPS, LEAST, MOST))
    shards = min(batch, recipe.shards or default_shards(batch, 1))
    asked = recipe.epochs or recipe.steps or recipe.seconds
    output = recipe.output or usual(recipe, n)
    network = replace(
        settings,
        embed=settings.embed or SIZE,
        subsample=subsampled(settings),
        counted=output == COUNTS,
        members=1,
    )
    if output == COUNTS:
        recipe, asked = replace(recipe, epochs=None, steps=1, seconds=None), 1.0
    return network, replace(
        recipe,
        output=output,
        samples=recipe.samples or SAMPLES,
        epochs=recipe.epochs if asked else min(MOST_EPOCHS, max(1.0, round(WORDS / n, 1))),
        batch=batch,
        lr=recipe.lr or LR[recipe.optimizer],
        dropout=recipe.dropout or 0.0,
        weight_drop=recipe.weight_drop or 0.0,
        drop_warmup=recipe.drop_warmup or 0,
        shards=shards,
        threads=min(recipe.threads or n_cores(), shards),
    )


def initialise(
    parameters: Parameters,
    settings: WordVectorSettings,
    material: Material,
    rng: np.random.Generator,
) -> None:
    """Fresh weights, or all that counting says."""
    if settings.counted:
        text, seed = material.train, int(rng.integers(1 << 31))
        own = settings.window, settings.embed or 1, seed, n_cores()
        parameters["embedding.weight"][...] = count_vectors(text.ids, keep(text), *own)
        return
    word_embedding.initialise(parameters, settings, rng)


def usual(recipe: TrainSettings, n: int) -> str:
    """Counts, which are best on small texts, unless passes are asked for."""
    return LEARNT if recipe.epochs or recipe.steps or n > MOST_COUNTED else COUNTS


def data(material: Material, recipe: TrainSettings) -> Data:
    """Centres with what is around them."""
    if recipe.output == COUNTS:
        return Nothing(material.train)
    sizes = recipe.batch or 1, recipe.samples or 1
    return Windows(material.train, *sizes, recipe.output or LEARNT, recipe.seed)


def judge(material: Material, recipe: TrainSettings, workers: Workers, units: int) -> Closeness:
    """By the loss."""
    output = None if recipe.output == COUNTS else recipe.output
    return Closeness(material.valid, output, recipe.samples or 1, workers, units)


def learn(
    settings: WordVectorSettings,
    parts: Vocabulary,
    recipe: TrainSettings,
    weights: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    state: States,
    noise: Noise,
    estimate: Estimate | None,
) -> tuple[float, States]:
    """What a batch says of the vectors."""
    return loss_and_gradients(parts, weights, gradients, batch), state


def memory(settings: WordVectorSettings, recipe: TrainSettings, material: Material) -> Memory:
    """Weights, moments, gradients, and a pass's words; what a step touches may be all rows."""
    E, V = settings.embed or 1, len(material.parts)
    P, B = 2 * E * V, recipe.batch or 1
    rows = min(V, B * 2 * settings.window + (recipe.samples or 1))
    step = B * (3 * (recipe.samples or 1) + 2 * E + 8 * settings.window)
    held = 4 * P + (recipe.shards or 1) * 2 * E * rows + 6 * len(material.train.ids)
    return Memory(held=FLOAT * held + COMPILED, step=FLOAT * step, saved=FLOAT * 8 * P)


def store(model: WordEmbedding) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The vocabulary."""
    return {"text": asdict(model.vocabulary.settings)}, spelled(model.vocabulary)


def restore(
    settings: WordVectorSettings, card: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> Vocabulary:
    """The vocabulary, verified."""
    return respelled(card, tensors)


KIND = Kind(
    name="word embedding",
    reads="nothing",
    writes="vectors",
    verbs=("neighbours", "analogy", "vectors"),
    settings=WordVectorSettings,
    prepare=prepare,
    plan=plan,
    build=WordEmbedding,
    shapes=lambda settings, vocabulary: shapes(settings, vocabulary.n_tokens),
    initialise=initialise,
    data=data,
    judge=judge,
    learn=learn,
    n_outputs=lambda vocabulary: vocabulary.n_tokens,
    store=store,
    restore=restore,
    memory=memory,
    tables=(Table(PER_TOKEN, ("inputs", "targets", "drawn"), always=True),),
    keeps_last=True,
)
