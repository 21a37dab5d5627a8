"""How good predicted labels are: pure functions over arrays; shares lie between 0 and 1.

N examples, K labels. Targets are ids (N,), or 0 and 1 (N, K) where an example may have several;
predictions have the same form, log-probabilities are (N, K) and natural.

precision_k = hits_k / predicted_k     recall_k = hits_k / n_k                              (1)
F1_k = 2 hits_k / (predicted_k + n_k), 0 where both are 0     macro F1 = mean_k F1_k        (2)
ECE = sum over bins of |right in it - confidence in it| / N                                 (3)
nats(T) = -1/N sum_i ln p_i(y_i), p = softmax(z / T), for several labels sigmoid(z / T)     (4)

(3) Naeini et al. 2015; (4) minimised over T: Guo et al. 2017.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids

__all__ = [
    "BINS",
    "ClassCounts",
    "accuracy",
    "as_ids",
    "calibration_error",
    "class_counts",
    "confidence",
    "confusion",
    "decided",
    "f1",
    "fit_temperature",
    "macro_f1",
    "mean_absolute_error",
    "micro_f1",
    "nats",
    "tempered",
]

Reals = NDArray[np.floating]
Counts = NDArray[np.int64]

BINS = 15  # of (3), equal in width
LEAST, MOST = -3.0, 3.0  # ln T
NARROW = 1e-7  # an interval of ln T
GOLDEN = (math.sqrt(5) - 1) / 2
THRESHOLD = math.log(0.5)
SUREST = -100.0  # ln(1 - p) at least: of a p that rounds to 1


class ClassCounts(NamedTuple):
    """For each label: examples that have it, that were given it, that were given it rightly."""

    n: Counts  # (K,)
    predicted: Counts  # (K,)
    hits: Counts  # (K,)

    def precision(self) -> NDArray[np.float64]:
        """(1), 0 for a label that was never given: (K,)."""
        return share(self.hits, self.predicted)

    def recall(self) -> NDArray[np.float64]:
        """(1), 0 for a label that no example has: (K,)."""
        return share(self.hits, self.n)

    def f1(self) -> NDArray[np.float64]:
        """(2), 0 for a label that nothing has and nothing was given: (K,)."""
        return f1(self.hits, self.predicted, self.n)


def decided(logp: Reals, several: bool = False) -> Ids:
    """The most probable ids (N,), ties to the first; for several 1 where p > 0.5: (N, K).

    [[-0.1, -2.4]] -> [0], several -> [[1, 0]]
    """
    return ((logp > THRESHOLD) if several else logp.argmax(axis=1)).astype(np.int32)


def accuracy(predicted: Ids, targets: Ids) -> float:
    """The share of examples that are right, with several labels in all of them; NaN of none.

    [0, 1, 1, 2], [0, 1, 2, 2] -> 0.75
    """
    if not len(targets):
        return math.nan
    right = predicted == targets
    return float((right.all(axis=1) if right.ndim == 2 else right).mean())


def class_counts(predicted: Ids, targets: Ids, n_labels: int) -> ClassCounts:
    """What (1) and (2) are made of: [0, 1, 1], [0, 1, 2], 3 -> n [1, 1, 1], hits [1, 1, 0]."""
    given, wanted = as_ones(predicted, n_labels), as_ones(targets, n_labels)
    return ClassCounts(wanted.sum(0), given.sum(0), (given & wanted).sum(0))


def macro_f1(counts: ClassCounts) -> float:
    """(2): the mean over all K labels, those without examples among them.

    F1 of 1, 2/3 and 0 -> 0.5556
    """
    return float(counts.f1().mean())


def micro_f1(counts: ClassCounts) -> float:
    """(2) of all labels' sums; with one label an example it is the accuracy.

    hits [1, 1], predicted [1, 2], n [1, 1] -> 0.8
    """
    return float(f1(counts.hits.sum(), counts.predicted.sum(), counts.n.sum()))


def confusion(predicted: Ids, targets: Ids, n_labels: int) -> Counts:
    """(K, K): how many of label i (row) were given label j (column).

    [0, 1, 1], [0, 1, 0], 2 -> [[1, 1], [0, 1]]
    """
    cells = targets.astype(np.int64) * n_labels + predicted
    return np.bincount(cells, minlength=n_labels**2).reshape(n_labels, n_labels)


def mean_absolute_error(predicted: Reals, targets: Reals) -> float:
    """How far numbers are off: [4, 1], [5, 1] -> 0.5; NaN of none."""
    return float(np.abs(predicted - targets).mean()) if len(targets) else math.nan


def confidence(logp: Reals, several: bool = False) -> NDArray[np.float64]:
    """How probable what is decided is: (N,), for several (N, K), each label or its absence.

    [[-0.105, -2.303]] -> [0.9], several -> [[0.9, 0.9]]
    """
    p = np.exp(logp, dtype=np.float64)
    return np.asarray(np.maximum(p, 1 - p) if several else p.max(axis=1))


def calibration_error(sure: Reals, right: NDArray[np.bool_], bins: int = BINS) -> float:
    """(3) of decisions with these confidences (N,); bin b holds (b / bins, (b + 1) / bins].

    [0.9, 0.9, 0.6, 0.6], [1, 1, 1, 0] -> 0.1
    """
    if not len(sure):
        return math.nan
    place = np.clip(np.ceil(sure * bins) - 1, 0, bins - 1).astype(np.intp)
    gaps = np.bincount(place, weights=right - sure, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))


def nats(logp: Reals, targets: Ids) -> float:
    """(4): the mean of -ln p of what is so, over an example's labels added up; NaN of none.

    [[ln 0.5, ln 0.5], [ln 0.25, ln 0.75]], [0, 1] -> 0.4904
    """
    if not len(targets):
        return math.nan
    if targets.ndim == 2:
        return float(-np.where(targets, logp, absent(logp)).sum(axis=1).mean())
    return float(-logp[np.arange(len(targets)), targets].mean())


def tempered(logp: Reals, temperature: float, several: bool = False) -> NDArray[np.float64]:
    """The log-probabilities of the same logits divided by a temperature: (N, K).

    [[ln 0.8, ln 0.2]], 2 -> [[ln 0.6667, ln 0.3333]]
    """
    precise = logp.astype(np.float64)
    if several:
        logits = (precise - absent(precise)) / temperature
        return -np.logaddexp(0, -logits)
    logits = precise / temperature
    return np.asarray(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))


def fit_temperature(logp: Reals, targets: Ids) -> float:
    """The T that minimises (4), between e^-3 and e^3; 1 where there are no examples.

    Logits or log-probabilities (N, K), of several labels log-probabilities. Three of four right
    with logits [2, 0] -> 2 / ln 3
    """
    several = targets.ndim == 2
    if not len(targets):
        return 1.0
    return math.exp(least(lambda x: nats(tempered(logp, math.exp(x), several), targets)))


def least(value: Callable[[float], float], low: float = LEAST, high: float = MOST) -> float:
    """Where a function with one valley is least, by golden section (Kiefer 1953)."""
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = value(left), value(right)
    while high - low > NARROW:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = value(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = value(right)
    return (low + high) / 2


def as_ids(targets: list[Ids], several: bool) -> Ids:
    """Targets of examples, (1,) or (K,) each, as this file takes them: (N,) or (N, K)."""
    stacked = np.array(targets, np.int32)
    return stacked if several else stacked.reshape(-1)


def as_ones(labels: Ids, n_labels: int) -> NDArray[np.bool_]:
    """(N, K): whether each example has each label."""
    return labels > 0 if labels.ndim == 2 else labels[:, None] == np.arange(n_labels)


def share(part: Counts, whole: Counts) -> NDArray[np.float64]:
    """part / whole, 0 where there is nothing: [1, 0], [2, 0] -> [0.5, 0]."""
    return part / np.maximum(whole, 1)


def f1(hits: Counts, predicted: Counts, n: Counts) -> NDArray[np.float64]:
    """(2), of one label or of many."""
    return share(2 * hits, predicted + n)


def absent(logp: Reals) -> Reals:
    """ln(1 - p) from ln p, exact at both ends: ln 0.25 -> ln 0.75."""
    with np.errstate(divide="ignore"):
        near_one = np.log(-np.expm1(logp))
        return np.maximum(np.where(logp > THRESHOLD, near_one, np.log1p(-np.exp(logp))), SUREST)
