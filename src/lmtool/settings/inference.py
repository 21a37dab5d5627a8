"""What is wanted of a trained model."""

from dataclasses import dataclass
from typing import Any

from lmtool.errors import OptionError
from lmtool.errors import option as called
from lmtool.settings.fields import check, option
from lmtool.settings.shared import BASES, CONTEXTS, LEVELS

__all__ = [
    "BleuSettings",
    "CompareSettings",
    "HearSettings",
    "RescoreSettings",
    "SampleSettings",
    "SearchSettings",
    "SurprisalSettings",
    "TranscribeSettings",
]

WIDE = 32  # texts of a recogniser that are followed, where there is a choice


def context() -> Any:
    """The option that several commands share."""
    message = "Start each line afresh, or carry the state over from line to line."
    return option(CONTEXTS[0], message, choices=CONTEXTS)


def resamples() -> Any:
    """The same."""
    return option(10_000, "Of the bootstrap.", at_least=1)


def seed() -> Any:
    """The same."""
    return option(1, "Of the bootstrap.", at_least=0)


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
class SearchSettings:
    """How the best text is searched for. Raises OptionError for a value that cannot be meant."""

    n: int = option(1, "How many texts, best first.", at_least=1, flag="number")
    beam: int = option(5, "Texts followed side by side; 1 is greedy.", at_least=1, at_most=1000)
    length_norm: float = option(
        1.0, "Compare log P / tokens^X; 0 prefers short texts.", at_least=0, at_most=10
    )
    max_length: int | None = option(
        None,
        "Tokens of a text at most.",
        at_least=1,
        shown="2 n + 10 for n tokens of source; 50 for a vector",
    )
    allow_unk: bool = option(False, "Let <UNK> be written.")
    no_repeat: int = option(0, "Let no N tokens in a row come twice; 0 = let them.", at_least=0)

    def __post_init__(self) -> None:
        check(self)
        if self.n > self.beam:
            most = f"{called('beam')}, {self.beam}"
            raise OptionError(f"{called('n')}: must be at most {most}, not {self.n}")


@dataclass(frozen=True, slots=True)
class CompareSettings:
    """How two models are compared. Raises OptionError for a value that cannot be meant."""

    context: str = context()
    oov: str = option(
        "refuse",
        "Where vocabularies differ: refuse, or price unknown words by their spelling.",
        choices=("refuse", "spell"),
    )
    resamples: int = resamples()
    seed: int = seed()

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class BleuSettings:
    """How translations are measured. Raises OptionError for a value that cannot be meant."""

    lower: bool = option(False, "Lower-case both sides.")
    tokenize: str = option(
        "none", "Words between blanks, or 13a, which needs lmtool[mt].", choices=("none", "13a")
    )
    chrf: bool = option(False, "chrF2, too, of letters; needs lmtool[mt].")
    resamples: int = resamples()
    seed: int = seed()

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class RescoreSettings:
    """How lists are rescored. Raises OptionError for a value that cannot be meant."""

    score_type: str | None = option(
        None,
        "What the scores in the list are: log-probabilities, their means per word, or costs.",
        choices=("total", "mean", "cost"),
        shown="cost of a Kaldi archive; else as --tune finds it, total",
    )
    per_word: bool | None = option(
        None, "Compare means per word.", shown="as --tune finds it, else for means alone"
    )
    resamples: int = resamples()
    seed: int = seed()

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class HearSettings:
    """How a text is searched for in speech. Raises OptionError for what cannot be meant."""

    beam: int | None = option(
        None,
        "Texts of a recording followed side by side; 1 takes the best token at each step.",
        at_least=1,
        at_most=10_000,
        shown=f"1; {WIDE} with --lm or -n",
    )
    lm_weight: float = option(
        1.0, "What ln p of the language model counts for.", at_least=0, at_most=100
    )
    word_bonus: float = option(1.0, "Added for each word.", at_least=-100, at_most=100)
    lexicon: bool | None = option(
        None, "Write only words of the language model.", shown="if it is one of words"
    )

    def __post_init__(self) -> None:
        check(self)

    def width(self, fused: bool) -> int:
        """Texts that are followed, with a language model or without."""
        return self.beam or (WIDE if fused else 1)


@dataclass(frozen=True, slots=True)
class TranscribeSettings(HearSettings):
    """The same, and how many texts are wanted."""

    n: int = option(1, "How many texts, best first.", at_least=1, flag="number")

    def __post_init__(self) -> None:
        check(self)
        if self.beam is not None and self.n > self.beam:
            most = f"{called('beam')}, {self.beam}"
            raise OptionError(f"{called('n')}: must be at most {most}, not {self.n}")

    def width(self, fused: bool) -> int:
        """Texts that are followed, with a language model or without."""
        return self.beam or (max(self.n, WIDE) if fused or self.n > 1 else 1)
