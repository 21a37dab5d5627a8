"""What the dialects of ``score`` share: the job, the sums, and words in formats split at blanks."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Any

from lmtool.cli.render import power
from lmtool.cli.terminal import harmless

if TYPE_CHECKING:
    from lmtool.text.reader import Line

__all__ = ["LN10", "Format", "Job", "Totals", "Writer", "as_spelled", "bare", "fixed"]
__all__ += ["line_by_line", "perplexity", "report", "single", "summary", "totals"]

LN10 = math.log(10)


@dataclass(frozen=True, slots=True)
class Job:
    """What the scores belong to."""

    level: str | None  # a level of the format; None leaves the choice to it
    ranked: bool  # sentences to compare, rather than lines of a file
    source: str  # the file's name; of several, with + between them
    token_id: Callable[[str], int]  # 0 is <EOS>, 1 is <UNK>
    columns: Sequence[str] = ()  # of formats with columns: what is printed
    kept: Iterable[dict[str, str]] = field(default_factory=lambda: repeat({}))  # one a score
    before: int = 0  # sentences before the first one, which count where they are numbered


Writer = Callable[[Iterable[Any], Job], Iterator[str]]


def as_spelled(line: "Line") -> str:
    """A line of input whose whole text is scored."""
    return line.text


@dataclass(frozen=True, slots=True)
class Format:
    """One dialect: a writer for each level that it knows."""

    levels: Mapping[str, Writer]
    default: Writer  # where no level is asked for
    scores: str = "score_lines"  # the method of Model whose results the writers take
    options: Mapping[str, Any] = field(default_factory=dict)  # of that method
    reads: Callable[["Line"], str] = as_spelled  # what of a line goes there; may raise InputError
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)  # that can be chosen
    summed: Sequence[str] = ()  # levels with sums over all lines
    levelled: Sequence[str] = ()  # columns more where a word may have several tokens

    @property
    def default_level(self) -> str:
        """The level of the default writer, where it has one."""
        return next((name for name, write in self.levels.items() if write is self.default), "")

    def lines(self, scores: Iterable[Any], job: Job) -> Iterator[str]:
        """The output, line by line."""
        write = self.levels[job.level] if job.level else self.default
        return write(scores, job)


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

    @property
    def log10_p(self) -> float:
        """log10 P of everything."""
        return self.known + self.unknown

    @property
    def n_factors(self) -> int:
        """Words and one <EOS> a sentence."""
        return self.n_words + self.n_sentences


def totals(score: Any) -> Totals:
    """The counts of one sentence, its words ending with <EOS>; nothing for a blank line."""
    if not score.words:
        return Totals()
    unknown = [word.log10_p for word in score.words if word.oov]
    known = math.fsum(word.log10_p for word in score.words if not word.oov)
    return Totals(1, len(score.words) - 1, len(unknown), known, math.fsum(unknown))


def line_by_line(row: Callable[[Any], str]) -> Writer:
    """A writer of one line a sentence; a blank line stays blank."""

    def write(scores: Iterable[Any], job: Job) -> Iterator[str]:
        return (row(score) if score.words else "" for score in scores)

    return write


def report(
    block: Callable[[Any, Job, int], Iterator[str]], sums: Callable[[Totals, Job], Iterator[str]]
) -> Writer:
    """A writer of a block a sentence, given the number of its line, and of the sums at the end.

    A blank line gives an empty one.
    """

    def write(scores: Iterable[Any], job: Job) -> Iterator[str]:
        total = Totals()
        for line, score in enumerate(scores, job.before + 1):
            total += totals(score)
            yield from block(score, job, line) if score.words else [""]
        yield from sums(total, job)

    return write


def summary(sums: Callable[[Totals, Job], Iterator[str]]) -> Writer:
    """A writer of nothing but the sums."""

    def write(scores: Iterable[Any], job: Job) -> Iterator[str]:
        return sums(sum(map(totals, scores), Totals()), job)

    return write


def bare(word: str) -> str:
    """A word without blanks, for formats that are split at them: a character may be one."""
    return harmless(word) if word.strip() else "<space>"


def perplexity(log10_p: float, n: int, digits: int = 7) -> str:
    """10 ** (-log10_p / n), however large."""
    return power(-log10_p / n, digits)


def single(value: float) -> str:
    """Seven significant digits, those that a 32-bit float holds."""
    return f"{value:z.7g}"


def fixed(log10: float, decimals: int) -> str:
    """10 ** log10 with so many decimals; as a power of ten where they would not show it."""
    if -decimals <= log10 < 300:
        return f"{10**log10:z.{decimals}f}"
    return power(log10, 6)
