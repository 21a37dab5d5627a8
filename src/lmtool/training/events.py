"""What training tells whoever listens; frozen values, in the order in which they happen."""

from dataclasses import dataclass

from lmtool.settings import ModelSettings, TrainSettings

__all__ = ["Event", "Finished", "Note", "Planned", "Progress", "Validated"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know."""

    message: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What is going to be trained; the settings hold no None, except ``seconds`` or ``epochs``."""

    network: ModelSettings
    recipe: TrainSettings
    n_lines: int
    n_train_tokens: int  # <EOS> included
    n_valid_tokens: int
    n_tokens: int  # V
    n_oov: int  # training tokens that became <UNK>
    n_parameters: int
    command: str  # repeats the run


@dataclass(frozen=True, slots=True)
class Progress:
    """After some optimiser steps."""

    step: int
    steps: int
    epoch: float
    loss: float  # nats per token, mean since the last Progress
    perplexity: float  # exp(loss)
    tokens_per_second: float
    seconds: float
    seconds_left: float
    lr: float


@dataclass(frozen=True, slots=True)
class Validated:
    """A validation."""

    step: int
    epoch: float
    perplexity: float
    best: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The end; perplexities are those of the weights that are kept."""

    valid_perplexity: float  # document context
    valid_perplexity_sentence: float  # each line from zero state
    step: int  # of the weights that are kept
    steps: int
    seconds: float
    tokens_per_second: float
    peak_memory_mb: float
    stopped_early: bool
    model: str | None = None
    command: str | None = None  # repeats the run bit for bit


Event = Note | Planned | Progress | Validated | Finished
