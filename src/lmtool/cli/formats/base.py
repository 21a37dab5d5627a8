"""What dialects share: the job, the table's entry, sums, words without blanks."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lmtool.cli.render import power
from lmtool.cli.terminal import harmless

__all__ = ["Format", "Job", "Totals", "bare", "nats", "perplexity", "totals"]

LN10 = math.log(10)


@dataclass(frozen=True, slots=True)
class Job:
    """What the scores belong to."""

    level: str | None  # one of the format's; None leaves the choice to it
    ranked: bool  # sentences to compare, rather than lines of a file
    source: str  # the file's name
    token_id: Callable[[str], int]  # 0 is <EOS>, 1 is <UNK>


@dataclass(frozen=True, slots=True)
class Format:
    """A dialect.

    write(scores, job) -> lines. The first of ``levels`` is the default. Where ``entropies`` are
    needed the scores are SentenceSurprisals; where lines begin with an utterance id (``ids``) the
    scores come as (id, score).
    """

    write: Callable[[Iterable[Any], Job], Iterator[str]]
    levels: tuple[str, ...]
    entropies: bool = False
    ids: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of a sentence or a file; a sum of two is again one."""

    n_sentences: int = 0
    n_words: int = 0  # without <EOS>
    n_oov: int = 0
    known: float = 0.0  # log10 P without the unknown words
    unknown: float = 0.0  # log10 P of the unknown words

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.n_sentences + other.n_sentences,
            self.n_words + other.n_words,
            self.n_oov + other.n_oov,
            self.known + other.known,
            self.unknown + other.unknown,
        )


def totals(score: Any) -> Totals:
    """The counts of one sentence."""
    known = sum(word.log10_p for word in score.words if not word.oov)
    unknown = sum(word.log10_p for word in score.words if word.oov)
    return Totals(1, score.n_words, score.n_oov, known, unknown)


def perplexity(log10_p: float, n: int, undefined: str, digits: int) -> str:
    """10 ** (-log10_p / n), however large."""
    return power(-log10_p / n, digits) if n > 0 else undefined


def bare(word: str) -> str:
    """A word without blanks, which these formats split at."""
    return harmless(word) if word.strip() else "<space>"


def nats(log10_p: float) -> float:
    """The natural logarithm."""
    return log10_p * LN10
