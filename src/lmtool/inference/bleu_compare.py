"""Which of two translations of the same texts has the better BLEU, and by more than chance?

The interval is that of a paired bootstrap over the sentences (Koehn 2004). With k of R resamples in
which the side that is the better one more often is not better, ties half,

p = min(1, 2 (k + 1) / (R + 1))                                                             (1)

two-sided, so about 0.05 where the 95 % interval begins at 0; never 0 (Davison & Hinkley 1997).
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.display import Shown, Tabular
from lmtool.inference.bleu import Bleu, Texts, cumulative
from lmtool.inference.bootstrap import draws, interval, sums
from lmtool.settings import BleuSettings

__all__ = ["BleuComparison", "compare_bleu"]

DEFAULT = BleuSettings()

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class BleuComparison(Tabular):
    """B against A on the same references; differences are B - A, so above 0 where B is better."""

    _shown = ("difference", "low", "high", "p", "n_sentences")

    a: Bleu
    b: Bleu
    difference: float  # of BLEU, percentage points
    low: float | None  # 95 % interval; None where there is one sentence
    high: float | None
    p: float | None  # two-sided: how often chance alone would show as much
    b_better: float | None  # share of the resamples, ties half
    n_sentences: int
    resamples: int
    seed: int

    def _rows(self) -> Sequence[Shown]:
        return self.a, self.b

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def compare_bleu(
    a: Iterable[str],
    b: Iterable[str],
    references: Iterable[Sequence[str]],
    settings: BleuSettings = DEFAULT,
) -> BleuComparison:
    """Two translations of the same texts, by a paired bootstrap. Raises InputError, ConfigError."""
    known = list(references)
    first, second = Texts.of(a, known), Texts.of(b, known)
    tables = [one.table(settings) for one in (first, second)]
    left, right = (one.bleu(t, settings) for one, t in zip((first, second), tables, strict=True))
    several, rng = len(known) > 1, np.random.default_rng(settings.seed)
    units = sums(np.concatenate(tables, axis=1))
    drawn = resampled(units, settings.resamples, rng) if several else None
    low, high, p, better = (None, None, None, None) if drawn is None else judged(drawn)
    return BleuComparison(
        a=left,
        b=right,
        difference=right.bleu - left.bleu,
        low=low,
        high=high,
        p=p,
        b_better=better,
        n_sentences=len(known),
        resamples=settings.resamples,
        seed=settings.seed,
    )


def resampled(tables: Any, resamples: int, rng: np.random.Generator) -> Floats:
    """B - A of each resample, percentage points; tables (n, 22) of A and B: (resamples,)."""
    n, parts = len(tables), []
    for some in draws(n, resamples, rng):
        places = some + n * np.arange(len(some))[:, None]
        times = np.bincount(places.ravel(), minlength=some.size).reshape(some.shape)
        totals = (times.astype(np.float64) @ tables).round().astype(np.int64)
        a, b = (cumulative(half)[:, -1] for half in np.split(totals, 2, axis=1))
        parts.append(100 * (b - a))
    return np.concatenate(parts)


def judged(drawn: Floats) -> tuple[float, float, float, float]:
    """The 95 % interval, p, and the share in which B is better; ties count half."""
    n = len(drawn)
    wins = float((drawn > 0).sum() + (drawn == 0).sum() / 2)
    p = min(1.0, 2 * (min(wins, n - wins) + 1) / (n + 1))  # (1)
    return *interval(drawn), p, wins / n
