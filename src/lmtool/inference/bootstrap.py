"""The paired bootstrap: how much would a difference vary over other texts of this kind?

Lines are drawn with replacement, as many as there are and the same ones for both sides (Efron &
Tibshirani 1993; Koehn 2004). Of a long text runs of neighbouring lines are drawn in their place.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["draws", "interval", "sums"]

UNITS = 10_000  # lines, or runs of neighbouring lines where there are more, that are drawn
DRAWS = 1 << 22  # held at once
TAILS = (0.025, 0.975)


def sums(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """(N, ...) of the lines -> (n, ...) of the units that are drawn, at most UNITS."""
    n = min(UNITS, len(values))
    added: NDArray[np.generic] = np.add.reduceat(values, np.arange(n) * len(values) // n)
    return added


def draws(n: int, resamples: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Which units are drawn, for some resamples at a time: (R, n) places of n units."""
    step = max(1, DRAWS // n)
    for start in range(0, resamples, step):
        yield rng.integers(0, n, (min(step, resamples - start), n))


def interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """The middle 95 % of what was drawn."""
    low, high = np.quantile(drawn, TAILS).tolist()
    return low, high
