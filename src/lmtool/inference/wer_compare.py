"""Are there fewer errors than before, and by more than chance?

The interval is that of a paired bootstrap over the sentences. Matched pairs: with d_i the errors of
sentence i less those that it had,

z = mean(d) / (sd(d) / sqrt(n)),   p = 2 (1 - Phi(|z|))                                     (1)

as in the test of Gillick & Cox (1989), whose segments are whole sentences here.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.display import Shown
from lmtool.inference.bootstrap import draws, interval, sums

__all__ = ["WerDifference", "compare_errors", "matched_pairs"]

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, repr=False)
class WerDifference(Shown):
    """B against A on the same sentences; differences are B - A, so below 0 where B is better."""

    _shown = ("difference", "low", "high", "p", "n_better", "n_worse")

    difference: float  # of the WER, percentage points
    low: float | None  # 95 % interval; None where there is one sentence
    high: float | None
    p: float | None  # (1); None where all sentences differ alike
    n_better: int  # sentences
    n_worse: int
    resamples: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def compare_errors(a: Counts, b: Counts, words: Counts, resamples: int, seed: int) -> WerDifference:
    """Errors (n,) of A and of B in the same sentences of so many words (n,), not all 0."""
    d = b - a
    low, high = resampled(d, words, resamples, seed) if len(d) > 1 else (None, None)
    found = matched_pairs(d)
    return WerDifference(
        difference=100 * float(d.sum() / words.sum()),
        low=low,
        high=high,
        p=None if found is None else found[1],
        n_better=int((d < 0).sum()),
        n_worse=int((d > 0).sum()),
        resamples=resamples,
        seed=seed,
    )


def resampled(d: Counts, words: Counts, resamples: int, seed: int) -> tuple[float, float]:
    """The interval of sum d / sum words, percentage points."""
    units, rng = sums(np.stack([d, words], axis=1)), np.random.default_rng(seed)
    parts = [units[some].sum(axis=1) for some in draws(len(units), resamples, rng)]
    changed, of = np.concatenate(parts).T
    return interval(100 * changed / np.maximum(of, 1))


def matched_pairs(d: Counts) -> tuple[float, float] | None:
    """z and p of (1); None where the deviation is 0, or there is one sentence."""
    if len(d) < 2 or not (sd := float(d.std(ddof=1))):
        return None
    z = float(d.mean()) / (sd / math.sqrt(len(d)))
    return z, math.erfc(abs(z) / math.sqrt(2))
