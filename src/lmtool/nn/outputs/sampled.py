"""Importance-sampled softmax for training (Bengio & Senecal 2008; Jean et al. 2015).

A set C of tokens is drawn for the whole step, token v being in it with probability q_v. The
sum over the vocabulary is estimated by the target and the sample, each weighted by 1 / q:

    s_v = x w_v + b_v - ln q_v  for v in C, v != target;   s_y = x w_y + b_y         (1)
    loss = -ln(exp s_y / (exp s_y + sum_{v in C} exp s_v))                          (2)

Scoring uses the full softmax, so probabilities stay exactly normalised.

With a margin m a target must lead, where x looks its way (Wang et al. 2019): for x w_y > 0,

    s_y = x w_y + b_y - m |x| |w_y|     its gradient -m |w_y| x / |x|, by x alone   (3)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.nn.outputs.base import Draw, Ids, Output, OutputWeights

__all__ = ["OUTPUT"]

TINY = 1e-20  # a square of |x| that is 0
FLATTEN = 0.75  # power of the unigram distribution that is drawn from


class Unigrams(NamedTuple):
    """The flattened unigram distribution."""

    samples: int  # draws a step, nearly as many distinct tokens
    cumulative: NDArray[np.float64]  # (V,)
    log_expected: NDArray[np.float32]  # (V,) ln q: being drawn at least once in a step

    def draw(self, targets: Ids, rng: np.random.Generator) -> Draw:
        """Distinct token ids, ascending, each with its ln q."""
        ids = np.unique(np.searchsorted(self.cumulative, rng.random(self.samples)))
        return Draw(ids, self.log_expected[ids])


def sampler(counts: NDArray[np.int64], samples: int) -> Unigrams:
    """q from the counts (V,)."""
    p = (counts + 1.0) ** FLATTEN
    p /= p.sum()
    expected = -np.expm1(samples * np.log1p(-p))
    cumulative = p.cumsum()
    return Unigrams(samples, cumulative / cumulative[-1], np.log(expected).astype(np.float32))


def loss(
    weights: OutputWeights,
    gradients: OutputWeights,
    x: Array,
    targets: Ids,
    scale: float,
    draw: Draw,
    margin: float = 0.0,
) -> tuple[float, Array]:
    """The estimate (2) and its gradients, whose rows are few."""
    from lmtool.nn import kernels  # only training loads numba

    drawn = draw.ids
    W, w = weights.weight[drawn], weights.weight[targets]  # (K, D), (N, D)
    logits = x @ W.T
    offset = weights.bias[drawn] - draw.extra
    wanted = np.einsum("nd,nd->n", x, w) + weights.bias[targets]  # s_y, becomes its gradient
    lead = leads(x, w, margin) if margin else np.zeros_like(wanted)
    wanted -= lead * np.einsum("nd,nd->n", x, x)  # (3)
    places = np.minimum(np.searchsorted(drawn, targets), len(drawn) - 1)
    hits = np.where(drawn[places] == targets, places, -1)
    total = kernels.sampled_cross_entropy(logits, offset.astype(x.dtype), wanted, hits, scale)
    gradients.weight[...] = 0
    gradients.bias[...] = 0
    kernels.scatter_add(logits.T @ x, drawn, gradients.weight)
    kernels.scatter_add(wanted[:, None] * x, targets, gradients.weight)
    gradients.bias[drawn] += np.ones(len(x), x.dtype) @ logits
    np.add.at(gradients.bias, targets, wanted)
    return total, logits @ W + wanted[:, None] * (w - lead[:, None] * x)


def leads(x: Array, w: Array, margin: float) -> Array:
    """m |w| / |x| of the rows of (3), 0 where x w is not positive: (N,)."""
    longer = np.einsum("nd,nd->n", w, w) / np.maximum(np.einsum("nd,nd->n", x, x), TINY)
    found: Array = margin * np.sqrt(longer) * (np.einsum("nd,nd->n", x, w) > 0)
    return found.astype(x.dtype, copy=False)


OUTPUT = Output("sampled", loss, sampler, finish="full", takes=("margin",))
