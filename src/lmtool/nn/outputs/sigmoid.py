"""Several labels at once, each of them there or not.

p_k = 1 / (1 + exp(-z_k))     loss = -sum_k (y_k ln p_k + (1 - y_k) ln(1 - p_k))     (1)
dz = p - y                                                                           (1')
"""

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.nn.outputs.base import Ids, Labelling, share

__all__ = ["LABELLING"]


def loss(logits: Array, targets: Ids, scale: float, smoothing: float = 0.0) -> tuple[float, Array]:
    """(1) for targets (N, K), each 1 or 0; those below 0 do not count."""
    counts = targets >= 0
    wanted = np.where(counts, (1 - smoothing) * targets + smoothing / 2, 0).astype(logits.dtype)
    p = np.exp(log_probabilities(logits))
    total = counts * np.logaddexp(0, logits) - wanted * logits
    return float(total.sum()), np.multiply(scale, counts * p - wanted, dtype=logits.dtype)


def log_probabilities(logits: Array) -> Array:
    """ln p of each label, whatever the others are: (N, K) -> (N, K)."""
    return np.asarray(-np.logaddexp(0, -logits))


def bias(counts: NDArray[np.int64], n: int) -> Array:
    """Logits of each label's share of n examples: (K,)."""
    return np.log((counts + 1) / (n - counts + 1))


def evidence(counts: NDArray[np.int64], totals: NDArray[np.int64]) -> Array:
    """ln p(feature | label) - ln p(feature | without the label)."""
    return np.log(share(counts) / share(totals[:, None] - counts))


LABELLING = Labelling("sigmoid", loss, log_probabilities, bias, evidence)
