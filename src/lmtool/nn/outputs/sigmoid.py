"""Several labels at once, each of them there or not; or the second of two tags.

p_k = 1 / (1 + exp(-z_k))     loss = -sum_k (y_k ln p_k + (1 - y_k) ln(1 - p_k))     (1)
dz = p - y                                                                           (1')
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.nn.outputs.base import Chain, Ids, Labelling, Rules, Tagging, Weights, apart, share

__all__ = ["LABELLING", "TAGGING"]


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


def tag_loss(
    weights: Weights, gradients: Weights, z: Array, targets: Ids, starts: Ids, rules: Rules,
    scale: float,
) -> tuple[float, Array]:  # fmt: skip
    """(1) of the second tag at each step."""
    return loss(z, targets[..., None], scale)


def chain(networks: Sequence[tuple[Weights, Array]], rules: Rules) -> Chain:
    """The mean probability of both tags, from logits z (S, B, 1) of the second."""
    logits = [z.astype(np.float64) for _, z in networks]
    return apart([log_probabilities(np.concatenate([-z, z], axis=2)) for z in logits], rules)


def one(K: int) -> int:
    """A logit for two tags."""
    if K != 2:
        raise ValueError(f"a sigmoid tells two tags apart, not {K}")
    return 1


LABELLING = Labelling("sigmoid", loss, log_probabilities, bias, evidence)
TAGGING = Tagging("sigmoid", one, lambda K: {}, tag_loss, chain)
