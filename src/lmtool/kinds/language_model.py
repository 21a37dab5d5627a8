"""The language model: reads nothing, writes text; what training goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.display import counted
from lmtool.kinds import counting, mixtures
from lmtool.kinds.base import BEGUN, Estimate, Kind, Material, Memory, Table
from lmtool.kinds.initial import agreed, descended, plan_on
from lmtool.kinds.sizes import Drops, by_budget, finish_cost, regularised
from lmtool.kinds.sizes import plan as sized
from lmtool.models import network
from lmtool.models.language_model import LanguageModel
from lmtool.models.network import PER_TOKEN
from lmtool.nn.noise import Noise
from lmtool.nn.outputs import OUTPUTS, SOFTMAXES, Sampler
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States
from lmtool.settings import ModelSettings, TextSettings
from lmtool.text import subwords
from lmtool.text.subwords import Merges
from lmtool.text.tokenizers import TOKENIZERS
from lmtool.text.vocabulary import EOS_ID, UNK_ID, Vocabulary

if TYPE_CHECKING:
    from lmtool.data.batch import Batch
    from lmtool.data.stream import Stream
    from lmtool.inference.validation import Perplexity
    from lmtool.settings import TrainSettings
    from lmtool.text.corpus import Corpus, Paths
    from lmtool.workers import Workers


__all__ = ["KIND"]

MERGES = "subwords.merges"  # the tensor's name, after the vocabulary's prefix
SAME = "validation is on the text trained on: give more lines, or another text"


def prepare(
    corpus: Paths, valid: Paths, request: Any, folder: Path, init: LanguageModel | None
) -> Material:
    """Vocabulary, which may be that of ``init``, training and validation ids. Raises InputError."""
    from lmtool.text.corpus import prepare as read_texts

    counting.check(request.network, request.recipe)
    known, begun = (init.vocabulary, {BEGUN: init.digest}) if init else (None, {})
    vocabulary, train, held_out = read_texts(corpus, valid or None, request.text, folder, known)
    counted_before, said = counting.brought(request.recipe, vocabulary)
    share = int(vocabulary.counts[UNK_ID]) / max(1, len(train.ids))
    words = f" ({counted(train.n_words, 'word')})" * vocabulary.several
    talk = (
        f"{counted(train.n_lines, 'line')}, {counted(len(train.ids), 'token')}{words} to train on,"
        f" {len(held_out.ids):,} to validate; {counted(vocabulary.n_tokens, 'output')},"
        f" {share:z.1%} <UNK>"
    )
    return Material(
        parts=vocabulary,
        train=train,
        valid=held_out,
        facts={"train": facts(train), "valid": facts(held_out)},
        fingerprints=begun
        | {
            "training text": train.fingerprint,
            "validation text": held_out.fingerprint,
            "vocabulary": vocabulary.digest,
        }
        | ({"n-gram model": counted_before.digest} if counted_before else {}),
        talk=[talk, *said],
        note=SAME if train.fingerprint == held_out.fingerprint else "",
        init=init,
        counted=counted_before,
    )


def facts(corpus: Corpus) -> dict[str, Any]:
    """What a model file says about a text."""
    names = ("fingerprint", "n_lines", "n_words", "n_oov")
    return {name: getattr(corpus, name) for name in names}


def plan(
    settings: ModelSettings, recipe: TrainSettings, material: Material, speed: float
) -> tuple[ModelSettings, TrainSettings]:
    """Sizes, epochs and batch that follow the corpus."""
    recipe = counting.planned(recipe, material)
    if settings.members == 0:
        return settings, recipe
    fitting = sized if material.init is None else plan_on
    return fitting(settings, recipe, len(material.train.ids), material.parts.n_tokens, speed)


def paced(
    asked: TrainSettings, recipe: TrainSettings, material: Material, steps: int
) -> TrainSettings:
    """What is left out follows the steps that fit; a guess went before."""
    n_tokens, V = len(material.train.ids), material.parts.n_tokens
    if not by_budget(n_tokens):
        return recipe
    again = {name: getattr(asked, name) for name in (*Drops._fields, "drop_warmup")}
    return regularised(replace(recipe, **again), steps, n_tokens, V)


def shapes(settings: ModelSettings, vocabulary: Vocabulary) -> dict[str, tuple[int, ...]]:
    """Of one network's weights; none where there is no network."""
    return {} if settings.members == 0 else network.shapes(settings, vocabulary.n_tokens)


def initialise(
    parameters: Parameters,
    settings: ModelSettings,
    material: Material,
    rng: np.random.Generator,
) -> None:
    """Fresh weights of one network."""
    network.initialise(parameters, settings, material.parts.counts, rng)


def data(material: Material, recipe: TrainSettings) -> Stream:
    """The corpus as a ring."""
    from lmtool.data.stream import Stream

    return Stream(material.train.ids, recipe.batch or 1, recipe.bptt or 1)


def judge(material: Material, recipe: TrainSettings, workers: Workers, units: int) -> Perplexity:
    """By perplexity, in the context trained for."""
    from lmtool.inference.validation import Perplexity

    valid = material.valid
    per_word = len(valid.ids) / (valid.n_words + valid.n_lines) if material.parts.several else None
    return Perplexity(
        valid.ids,
        recipe.context == "sentence",
        workers,
        units,
        per_word,
        counting.counting(material, recipe),
        counting.sample(material, recipe),
        seen=material.train.fingerprint == valid.fingerprint,
    )


def learn(
    settings: ModelSettings,
    parts: Vocabulary,
    recipe: TrainSettings,
    weights: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    state: States,
    noise: Noise,
    estimate: Estimate,
) -> tuple[float, States]:
    """-ln p of a segment, the state carried on but where a line starts afresh."""
    from lmtool.data.resets import CONTEXTS
    from lmtool.models.decoder import loss_and_gradients

    assert batch.inputs is not None and noise.rng is not None
    keep = CONTEXTS[recipe.context](batch.inputs, noise.rng)
    return loss_and_gradients(
        settings, weights, gradients, batch.inputs, batch.targets, state, estimate, keep, noise
    )


def store(model: LanguageModel) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The vocabulary, and what is counted."""
    card, tensors = mixtures.described(model)
    own = {"text": asdict(model.vocabulary.settings)}
    return own | card, spelled(model.vocabulary) | tensors


def spelled(vocabulary: Vocabulary, prefix: str = "") -> dict[str, NDArray[Any]]:
    """UTF-8 bytes, one token a line, and its counts (V,); of learnt ones a merge a line, too."""
    tensors = {f"{prefix}vocabulary": text_tensor("\n".join(vocabulary.tokens))}
    if vocabulary.tokenizer.learn:
        tensors[f"{prefix}{MERGES}"] = text_tensor(subwords.spelled(vocabulary.merges))
    return {**tensors, f"{prefix}counts": vocabulary.counts}


def text_tensor(text: str) -> NDArray[np.uint8]:
    """Its UTF-8 bytes."""
    return np.frombuffer(bytearray(text.encode()), np.uint8)


def restore(
    settings: ModelSettings, card: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> Vocabulary:
    """The vocabulary, verified."""
    if settings.softmax not in SOFTMAXES:
        raise ValueError(f"its softmax is unknown: {settings.softmax!r}")
    return respelled(card, tensors)


def respelled(
    card: dict[str, Any], tensors: dict[str, NDArray[Any]], prefix: str = ""
) -> Vocabulary:
    """The vocabulary that ``spelled`` wrote, taken out of the tensors. Raises ValueError."""
    tokens, counts = tensors.pop(f"{prefix}vocabulary"), tensors.pop(f"{prefix}counts")
    if tokens.dtype != np.uint8 or tokens.ndim != 1 or counts.dtype != np.int64:
        raise ValueError("its vocabulary is damaged")
    text = text_settings(card["text"])
    merges = merges_of(tensors, f"{prefix}{MERGES}") if TOKENIZERS[text.tokens].learn else ()
    return Vocabulary(tuple(tokens.tobytes().decode().split("\n")), counts, text, merges)


def merges_of(tensors: dict[str, NDArray[Any]], name: str) -> Merges:
    """The merges, taken out of the tensors. Raises ValueError."""
    merges = tensors.pop(name, None)
    if merges is None or merges.dtype != np.uint8 or merges.ndim != 1:
        raise ValueError("its merges are missing or damaged")
    return subwords.parse(merges.tobytes().decode())


def text_settings(values: Any) -> TextSettings:
    """Exactly the expected names; raises OptionError for values that cannot be meant."""
    if not isinstance(values, dict) or set(values) != set(TextSettings.__slots__):
        raise ValueError("its settings have unknown or missing names")
    return TextSettings(**values)


def sampler(vocabulary: Vocabulary, recipe: TrainSettings) -> Sampler | None:
    """What the output draws its tokens from."""
    make = OUTPUTS[recipe.output or "full"].sampler
    return make and make(vocabulary.counts, recipe.samples or 1)


def memory(settings: ModelSettings, recipe: TrainSettings, material: Material) -> Memory:
    """From shapes alone; ids are on disk."""
    from lmtool.kinds.memory import forecast_memory

    counted = counting.counted_memory(recipe, material)
    if settings.members == 0:
        return Memory(0, counted, 0)
    own = forecast_memory(settings, recipe, material.parts.n_tokens)
    return own._replace(step=max(own.step, counted))


def dearer(settings: ModelSettings, recipe: TrainSettings, vocabulary: Vocabulary) -> float:
    """The last steps use the exact softmax."""
    V, samples = vocabulary.n_tokens, recipe.samples or 1
    return finish_cost(settings, recipe.output or "full", V, samples)


KIND = Kind(
    name="language model",
    reads="nothing",
    writes="text",
    verbs=(
        "score",
        "sample",
        "next",
        "surprisal",
        "evaluate",
        "compare",
        "pairs",
        "rescore",
        "trace",
        "export",
        "mix",
    ),
    settings=ModelSettings,
    prepare=prepare,
    plan=plan,
    build=LanguageModel,
    shapes=shapes,
    initialise=initialise,
    data=data,
    judge=judge,
    learn=learn,
    zero_state=network.zero_state,
    n_outputs=lambda vocabulary: vocabulary.n_tokens,
    store=store,
    restore=restore,
    memory=memory,
    outputs=OUTPUTS,
    tables=(Table(PER_TOKEN, ("inputs", "targets"), (EOS_ID,), drawn=True),),  # <EOS> stays row 0
    sampler=sampler,
    paced=paced,
    agreed=agreed,
    complete=counting.complete,
    beside=mixtures.beside,
    descended=descended,
    dearer=dearer,
)
