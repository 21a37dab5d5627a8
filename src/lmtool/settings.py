"""Settings: frozen dataclasses, and the only place where a default lives.

``None`` means "follow the corpus": ``training.plan`` replaces it before training starts, so a
model file never holds a ``None``.
"""

import math
from dataclasses import dataclass

from lmtool.errors import ConfigError

__all__ = [
    "BASES",
    "CHECKPOINT_EVERY",
    "CONTEXTS",
    "OOV_RULES",
    "ModelSettings",
    "SampleSettings",
    "SurprisalSettings",
    "TextSettings",
    "TrainSettings",
]

BASES = {"2": math.log(2), "e": 1.0, "10": math.log(10)}  # of logarithms: nats in one unit
CHECKPOINT_EVERY = 60.0  # seconds between two saved states of a run
MOST_SPILLOVER = 1000  # words before; each has its columns
CONTEXTS = ("sentence", "document")  # each line from zero state, or the state carried over
OOV_RULES = ("refuse", "spell")  # to compare over different vocabularies


@dataclass(frozen=True, slots=True)
class TextSettings:
    """How characters become ids."""

    tokens: str = "word"  # a key of text.tokenizers.TOKENIZERS
    lower: bool = False  # lower-case before splitting
    vocab_size: int = 10_000  # most frequent tokens kept; outputs = kept + <EOS> + <UNK>
    min_count: int = 1  # tokens seen less often become <UNK>


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What connects to what."""

    cell: str = "lstm"  # a key of nn.cells.CELLS
    activation: str = "tanh"  # rnn only: tanh or relu
    layers: int = 1
    embed: int | None = None  # E, size of a word vector
    hidden: int | None = None  # H, size of the recurrent state
    tie: bool = True  # output weights = embedding (a projection H -> E where they differ)
    softmax: str = "full"  # a key of nn.outputs.SOFTMAXES; follows the output that is trained
    members: int | None = None  # K, networks whose probabilities are averaged


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How the weights are found."""

    output: str | None = None  # a key of nn.outputs.OUTPUTS
    samples: int | None = None  # tokens drawn a step by the sampled output
    finish: float | None = None  # last share of the steps, with the full softmax instead
    epochs: float | None = None  # passes over the corpus; one of epochs, steps, seconds
    steps: int | None = None  # optimiser steps
    seconds: float | None = None  # wall-clock budget
    batch: int | None = None  # parallel streams B
    bptt: int | None = None  # T, time steps between truncations
    lr: float | None = None  # peak learning rate
    optimizer: str = "adam"  # a key of training.optimizers.OPTIMIZERS
    clip: float = 0.5  # largest global gradient norm
    dropout: float | None = None  # on embeddings, between layers, before the output
    weight_drop: float | None = None  # on the weights from state to state
    word_drop: float | None = None  # on whole rows of the embedding
    drop_warmup: int | None = None  # steps over which the three grow from 0
    context: str = "mixed"  # document: state carried over lines; sentence: reset; mixed: both
    seed: int = 1
    shards: int | None = None  # logical parts of a batch; they fix the bits, whatever the threads
    threads: int | None = None  # worker threads; changes the time, never the bits


@dataclass(frozen=True, slots=True)
class SurprisalSettings:
    """What is wanted of each word. Raises ConfigError for a value that cannot be meant."""

    base: str = "2"  # of all logarithms: 2 (bits), e (nats), 10
    context: str = "sentence"  # document: the state carries over from line to line
    top: int = 0  # guesses a word
    spillover: int = 0  # words before, whose values are repeated
    frequency: bool = True  # needs the counts of the model

    def __post_init__(self) -> None:
        if self.base not in BASES:
            raise ConfigError(f"--base {self.base}: choose one of {', '.join(BASES)}")
        if self.context not in CONTEXTS:
            raise ConfigError(f"--context {self.context}: choose one of {', '.join(CONTEXTS)}")
        if self.spillover > MOST_SPILLOVER:
            raise ConfigError(f"--spillover {self.spillover}: must be at most {MOST_SPILLOVER}")
        for name in ("top", "spillover"):
            if getattr(self, name) < 0:
                raise ConfigError(f"--{name} {getattr(self, name)}: must be 0 (off) or greater")


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """How the next word is drawn. Raises ConfigError for a value that cannot be meant."""

    max_words: int = 20
    temperature: float = 1.0  # 0 = always the most probable word
    top_k: int = 0  # 0 = off
    top_p: float = 1.0  # 1 = off
    allow_unk: bool = False

    def __post_init__(self) -> None:
        if self.max_words < 1:
            raise ConfigError(f"--max-words {self.max_words}: must be at least 1")
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise ConfigError(f"--temperature {self.temperature}: must be 0 (greedy) or greater")
        if self.top_k < 0:
            raise ConfigError(f"--top-k {self.top_k}: must be 0 (off) or greater")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"--top-p {self.top_p}: must be above 0 and at most 1")
