"""Minimal pairs: how often is the good sentence the more probable one?

A pair counts as right where P(good) > P(bad), strictly (Linzen et al. 2016; Warstadt et al. 2020).
Pairs with a word outside the vocabulary are counted apart: there the model compares something else.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import tee
from typing import Any, NamedTuple

from lmtool.display import Listing, Shown
from lmtool.errors import InputError
from lmtool.inference.reading import AHEAD, Ahead
from lmtool.inference.score import LN2, LN10, SentenceScore, score_lines
from lmtool.models.predictor import Predictor

__all__ = ["GroupResult", "Pair", "PairScore", "accuracies", "score_pairs", "wilson"]

Z = 1.959964  # of a 95 % interval
BITS = LN10 / LN2  # in log10 1


class Pair(NamedTuple):
    """Two sentences that differ in what is tested."""

    good: str
    bad: str
    group: tuple[str, ...] = ()
    line: int = 0  # of the input, from 1


@dataclass(frozen=True, slots=True, repr=False)
class PairScore(Shown):
    """What the model makes of a pair."""

    _shown = ("good", "bad", "difference_bits", "right", "oov")

    group: tuple[str, ...]
    line: int
    good: str
    bad: str
    good_log10_p: float
    bad_log10_p: float
    difference_bits: float  # log2 P(good) - log2 P(bad), or their means per word
    right: bool
    oov: bool  # some word of either sentence is outside the vocabulary

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, repr=False)
class GroupResult(Shown):
    """Counts of a group; pairs with unknown words are in ``n_oov`` and ``accuracy_oov`` alone."""

    _shown = ("group", "n", "n_right", "accuracy", "low", "high", "n_oov", "accuracy_oov")

    group: tuple[str, ...]
    n: int
    n_right: int
    accuracy: float | None  # None where there is no pair
    low: float | None  # Wilson's 95 % interval
    high: float | None
    mean_difference_bits: float | None
    n_oov: int
    accuracy_oov: float | None

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(slots=True)
class Tally:
    """What is added up over pairs."""

    n: int = 0
    n_right: int = 0
    differences: list[float] = field(default_factory=list)

    def add(self, score: PairScore) -> None:
        """One more."""
        self.n += 1
        self.n_right += score.right
        self.differences.append(score.difference_bits)


def score_pairs(
    model: Predictor,
    pairs: Iterable[Pair],
    per_word: bool = False,
    threads: int = 1,
    ahead: Ahead = AHEAD,
) -> Iterator[PairScore]:
    """Each pair's score, in order; ``per_word`` compares means per word, <EOS> included.

    At most ``ahead`` pairs are asked for before the first is answered. Raises InputError where a
    sentence has no word.
    """
    first, second = tee(pairs)
    texts = (text for pair in first for text in (pair.good, pair.bad))
    scores = score_lines(model, texts, threads, ahead if callable(ahead) else 2 * ahead)
    for pair in second:
        yield compared(pair, next(scores), next(scores), per_word)
    next(scores, None)  # raises what ended the pairs too early


def compared(pair: Pair, good: SentenceScore, bad: SentenceScore, per_word: bool) -> PairScore:
    """The verdict on a pair."""
    if not (good.words and bad.words):
        side = "bad" if good.words else "good"
        raise InputError(f"pair {pair.line}: the {side} sentence is empty; give both")
    values = [score.log10_p / (len(score.words) if per_word else 1) for score in (good, bad)]
    return PairScore(
        group=pair.group,
        line=pair.line,
        good=pair.good,
        bad=pair.bad,
        good_log10_p=good.log10_p,
        bad_log10_p=bad.log10_p,
        difference_bits=(values[0] - values[1]) * BITS,
        right=values[0] > values[1],
        oov=good.n_oov + bad.n_oov > 0,
    )


def accuracies(scores: Iterable[PairScore]) -> Listing[GroupResult]:
    """One result a group, in the order of their first pairs, and one of all if there are several.

    Raises InputError where there is no pair.
    """
    known: dict[tuple[str, ...], Tally] = {}
    unknown: dict[tuple[str, ...], Tally] = {}
    everything = Tally(), Tally()
    for score in scores:
        known.setdefault(score.group, Tally())
        unknown.setdefault(score.group, Tally())
        (unknown if score.oov else known)[score.group].add(score)
        everything[score.oov].add(score)
    if not known:
        raise InputError("there is no pair to compare")
    results = Listing(result(group, known[group], unknown[group]) for group in known)
    if len(results) > 1:
        results.append(result(("all",) * len(next(iter(known))), *everything))
    return results


def result(group: tuple[str, ...], known: Tally, unknown: Tally) -> GroupResult:
    """A group's numbers."""
    low, high = wilson(known.n_right, known.n) if known.n else (None, None)
    mean = math.fsum(known.differences) / known.n if known.n else None
    return GroupResult(
        group=group,
        n=known.n,
        n_right=known.n_right,
        accuracy=known.n_right / known.n if known.n else None,
        low=low,
        high=high,
        mean_difference_bits=mean,
        n_oov=unknown.n,
        accuracy_oov=unknown.n_right / unknown.n if unknown.n else None,
    )


def wilson(k: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of k successes in n trials (Wilson 1927)."""
    p, z2 = k / n, Z * Z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
