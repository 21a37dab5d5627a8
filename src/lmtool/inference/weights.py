"""What each source of knowledge counts for in the choice among hypotheses, found on other lists.

The hypothesis is chosen whose total is largest, the first one of several,

total = a r + sum_k lambda_k ln p_k + w n + u o                                             (1)

r the recogniser's score, p_k of model k, n words, o of them unknown. Along one of the weights each
total is a line, the chosen hypothesis runs along the upper envelope of its list, and the errors of
all lists together are constant between the crossings: the sweep over these is exact (Och 2003). Of
the weights with the fewest errors the middle of the widest interval is taken. Weights are swept one
by one until the errors fall no more, from several starts; w and u move only where it saves errors.
The scale is free, so a stays 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.display import Shown

__all__ = ["Interval", "Weights", "best_interval", "chosen", "tuned"]

BEYOND = 0.1  # of the span of all crossings: how far the first and the last interval are seen
STARTS = (1.0, 0.25, 4.0, 0.0)  # of the models together, where 1 is the recogniser's spread
ROUNDS = 50

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, repr=False)
class Weights(Shown):
    """Those of (1); ``per_word``: all but n are divided by the words and <EOS>."""

    _shown = ("recogniser", "models", "words", "unknown", "per_word")

    recogniser: float
    models: tuple[float, ...]
    words: float = 0.0
    unknown: float = 0.0
    per_word: bool = False
    score_type: str = "total"  # what the recogniser's scores are taken for

    @classmethod
    def of(cls, vector: Sequence[float], per_word: bool, score_type: str) -> "Weights":
        """From numbers in the order of the fields."""
        recogniser, *models, words, unknown = map(float, vector)
        return cls(recogniser, tuple(models), words, unknown, per_word, score_type)

    def vector(self) -> Floats:
        """(F,), as ``of`` takes it."""
        return np.array([self.recogniser, *self.models, self.words, self.unknown])

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


class Interval(NamedTuple):
    """Values of one weight with the same errors of all lists."""

    low: float
    high: float
    errors: int

    @property
    def middle(self) -> float:
        """Its middle."""
        return (self.low + self.high) / 2


def chosen(features: Floats, weights: Floats) -> Counts:
    """The best of each list: features (n, H, F), weights (F,) -> places (n,)."""
    places: Counts = np.argmax(features @ weights, axis=1)
    return places


def tuned(features: Floats, errors: Counts) -> tuple[Floats, int]:
    """Weights (F,) and their errors: features (n, H, F), errors (n, H), as the class has them.

    Where the recogniser has no scores, the first model's weight is 1.
    """
    spread = features.std(axis=1).mean(axis=0)  # (F,)
    fixed = 0 if spread[0] > 0 else 1
    axes = [axis for axis in range(len(spread)) if axis != fixed and spread[axis] > 0]
    found = (ascended(features, errors, start, axes) for start in starts(spread, fixed))
    return min(found, key=lambda one: one[1])


def starts(spread: Floats, fixed: int) -> Iterator[Floats]:
    """Where the search begins: models together, then each of several alone."""
    models = np.arange(1, len(spread) - 2)
    some = [models, *(models[k : k + 1] for k in range(len(models) if len(models) > 1 else 0))]
    scale = np.divide(spread[fixed] or 1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    for places in some:
        for size in STARTS:
            start = np.zeros(len(spread))
            start[places] = size * scale[places] / len(places)
            start[fixed] = 1.0
            yield start


def ascended(
    features: Floats, errors: Counts, start: Floats, axes: Sequence[int]
) -> tuple[Floats, int]:
    """The weights where no single one makes fewer errors."""
    weights, rows = start.copy(), np.arange(len(features))
    fewest = int(errors[rows, chosen(features, weights)].sum())
    for _ in range(ROUNDS if axes else 0):
        before = fewest
        for axis in axes:
            others = np.where(np.arange(len(weights)) == axis, 0.0, weights)
            low = 0.0 if axis < len(weights) - 2 else -np.inf  # no model counts against itself
            best = best_interval(features @ others, features[..., axis], errors, low)
            counts = axis >= len(weights) - 2  # words: what saves nothing is left as it was
            if best.errors < fewest + (not counts):
                weights[axis], fewest = best.middle, best.errors
        if fewest == before:
            break
    return weights, fewest


def best_interval(rest: Floats, slopes: Floats, errors: Counts, low: float) -> Interval:
    """The widest of those with the fewest errors, from ``low`` on; the first one of several.

    Totals are rest + x slopes; all (n, H).
    """
    first, crossings, changes = envelope(rest, slopes, errors)
    order = np.argsort(crossings, kind="stable")
    crossings, levels = crossings[order], first + np.cumsum([0, *changes[order].tolist()])
    span = BEYOND * (np.ptp(crossings) or 1.0) if len(crossings) else 1.0
    ends = (crossings[0] - span, crossings[-1] + span) if len(crossings) else (0.0, 0.0)
    edges = np.maximum(np.array([ends[0], *crossings, ends[1]]), low)
    if edges[0] == edges[-1]:  # nothing changes from ``low`` on
        return Interval(float(edges[0]), float(edges[0]), int(levels[-1]))
    real = edges[1:] > edges[:-1]
    return max(
        merged(edges[:-1][real], edges[1:][real], levels[real]),
        key=lambda one: one.high - one.low,
    )


def merged(lows: Floats, highs: Floats, levels: Counts) -> Iterator[Interval]:
    """The intervals with the fewest errors, neighbours being one."""
    fewest = levels.min()
    inside = np.concatenate([[False], levels == fewest, [False]]).astype(np.int8)
    begins, ends = np.flatnonzero(np.diff(inside) == 1), np.flatnonzero(np.diff(inside) == -1)
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        yield Interval(float(lows[begin]), float(highs[end - 1]), int(fewest))


def envelope(rest: Floats, slopes: Floats, errors: Counts) -> tuple[int, Floats, Counts]:
    """The errors at minus infinity, where the chosen one of a list changes, and by how many."""
    active = np.arange(len(rest))
    flattest = slopes == slopes.min(axis=1, keepdims=True)
    now = np.argmax(np.where(flattest, rest, -np.inf), axis=1)
    first = int(errors[active, now].sum())
    crossings, changes = [np.zeros(0)], [np.zeros(0, np.int64)]
    while len(active):
        rows = np.arange(len(active))
        rise = slopes[active] - slopes[active, now][:, None]
        gap = rest[active, now][:, None] - rest[active]
        x = np.divide(gap, rise, out=np.full_like(gap, np.inf), where=rise > 0)
        at = x.min(axis=1)
        then = np.argmax(np.where(x <= at[:, None], rise, -np.inf), axis=1)
        goes_on = np.isfinite(at)
        crossings.append(at[goes_on])
        changes.append((errors[active, then] - errors[active, now])[goes_on])
        active, now = active[goes_on], then[rows][goes_on]
    return first, np.concatenate(crossings), np.concatenate(changes)
