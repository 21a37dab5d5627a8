"""What is wanted of a trained model."""

import math
from dataclasses import dataclass
from typing import Any

from lmtool.settings.fields import check, option

__all__ = [
    "BASES",
    "CONTEXTS",
    "LEVELS",
    "CompareSettings",
    "SampleSettings",
    "SurprisalSettings",
]

BASES = {"2": math.log(2), "e": 1.0, "10": math.log(10)}  # of logarithms: nats in one unit
LEVELS = ("word", "token")  # what stands between blanks, or what is predicted
CONTEXTS = ("sentence", "document")  # each line from zero state, or the state carried over


def context() -> Any:
    """The option that several commands share."""
    message = "Start each line afresh, or carry the state over from line to line."
    return option(CONTEXTS[0], message, choices=CONTEXTS)


@dataclass(frozen=True, slots=True)
class SurprisalSettings:
    """What is wanted of each word. Raises OptionError for a value that cannot be meant."""

    base: str = option("2", "Of all logarithms; 2 gives bits.", choices=tuple(BASES))
    context: str = context()
    level: str = option(LEVELS[0], "Words, or the tokens that they have.", choices=LEVELS)
    top: int = option(0, "The K most probable words instead of each.", at_least=0, metavar="K")
    spillover: int = option(  # each word before has its columns
        0, "Repeat the values of the K words before.", at_least=0, at_most=1000, metavar="K"
    )
    frequency: bool = option(True, "Counts in the training text.")  # needs those of the model

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """How the next word is drawn. Raises OptionError for a value that cannot be meant."""

    max_words: int = option(20, "Stop here if <EOS> has not come.", at_least=1)
    temperature: float = option(
        1.0, "Below 1 safer, above 1 wilder, 0 always the likeliest.", at_least=0
    )
    top_k: int = option(0, "Draw among the k likeliest words; 0 = all.", at_least=0)
    top_p: float = option(
        1.0, "Draw among the likeliest that sum to p; 1 = all.", above=0, at_most=1
    )
    allow_unk: bool = option(False, "Let <UNK> be drawn.")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class CompareSettings:
    """How two models are compared. Raises OptionError for a value that cannot be meant."""

    context: str = context()
    oov: str = option(
        "refuse",
        "Where vocabularies differ: refuse, or price unknown words by their spelling.",
        choices=("refuse", "spell"),
    )
    resamples: int = option(10_000, "Of the bootstrap.", at_least=1)
    seed: int = option(1, "Of the bootstrap.", at_least=0)

    def __post_init__(self) -> None:
        check(self)
