"""Class-factored softmax for very large vocabularies (Goodman 2001; Grave et al. 2017).

Tokens are numbered by falling count. The first S stand in the head; the others form K classes of
C neighbours, and the head has an entry for each class:

    p(v) = head(v)                          v < S                                     (1)
    p(v) = head(class of v) p(v | class)    v >= S                                    (2)

Both are exact softmaxes, so a score costs S + K + C products instead of V, and a step touches
the rows of the head and of the classes of its targets alone.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.nn.outputs.base import Draw, Ids, Output, OutputWeights, Softmax, log_softmax, share
from lmtool.nn.rowwise import parts, product

__all__ = ["OUTPUT", "SOFTMAX", "S", "n_classes"]

S = 2000  # tokens in the head
C = 128  # tokens of a class; the last class may have fewer
ROWS = 64  # whose head is held at once


def n_classes(V: int) -> int:
    """K."""
    return max(0, -(-(V - S) // C))


def class_share(p: Array) -> Array:
    """The probability of each class (K,), from those of the tokens (V,)."""
    return np.add.reduceat(p, np.arange(S, len(p), C)) if len(p) > S else p[:0]


class Blocks(NamedTuple):
    """The classes of a step's targets: where each begins among the drawn ids."""

    classes: NDArray[np.intp]  # (M,) ascending
    places: NDArray[np.intp]  # (M + 1,)


class Classes(NamedTuple):
    """The classes of V tokens."""

    V: int

    def draw(self, targets: Ids, rng: np.random.Generator) -> Draw:
        """The head and every token in a target's class; nothing is random."""
        classes = np.unique((targets[targets >= S] - S) // C).astype(np.intp)
        first = S + classes * C
        sizes = np.minimum(first + C, self.V) - first
        places = min(S, self.V) + np.concatenate([[0], np.cumsum(sizes)])
        members = [np.arange(f, f + n) for f, n in zip(first, sizes, strict=True)]
        ids = np.concatenate([np.arange(min(S, self.V)), *members])
        return Draw(ids, Blocks(classes, places))


def loss(
    weights: OutputWeights,
    gradients: OutputWeights,
    x: Array,
    targets: Ids,
    scale: float,
    draw: Draw,
) -> tuple[float, Array]:
    """Exact; draw.ids are the rows of the head and of the targets' classes, in that order."""
    from lmtool.nn import kernels  # only training loads numba

    blocks: Blocks = draw.extra
    n_head = int(blocks.places[0])
    tail = np.flatnonzero(targets >= n_head).astype(np.int64)
    firsts = draw.ids[blocks.places[:-1]]  # row where a class begins
    which = np.searchsorted(firsts, targets[tail], "right") - 1
    in_head = targets.copy()
    in_head[tail] = n_head + blocks.classes[which]
    total, dx = head_loss(weights, gradients, x, in_head, scale, n_head)
    sizes = np.diff(blocks.places)
    total += kernels.block_cross_entropy(
        x, weights.weight, weights.bias, tail, firsts[which], sizes[which], targets, scale,
        dx, gradients.weight, gradients.bias,
    )  # fmt: skip
    return total, dx


def head_loss(
    weights: OutputWeights, gradients: OutputWeights, x: Array, targets: Ids, scale: float, n: int
) -> tuple[float, Array]:
    """(1) and the first factor of (2): a softmax over the n head tokens and the classes."""
    from lmtool.nn import kernels

    W, b = head(weights, n)
    logits = x @ W.T
    total = kernels.softmax_cross_entropy(logits, b, targets, scale)
    dW, db = logits.T @ x, np.ones(len(logits), x.dtype) @ logits
    for own, ours in ((gradients.weight, dW), (gradients.bias, db)):
        own[:n] = ours[:n]
        own[n:] = 0  # the classes add to theirs
    if gradients.class_weight is not None and gradients.class_bias is not None:
        gradients.class_weight[...] = dW[n:]
        gradients.class_bias[...] = db[n:]
    return total, logits @ W


def head(weights: OutputWeights, n: int) -> tuple[Array, Array]:
    """Weights (n + K, D) and bias of the head."""
    if weights.class_weight is None or weights.class_bias is None:
        return weights.weight[:n], weights.bias[:n]
    W = np.concatenate([weights.weight[:n], weights.class_weight])
    return W, np.concatenate([weights.bias[:n], weights.class_bias])


def log_probabilities(weights: OutputWeights, x: Array) -> Array:
    """ln p of every token: (N, D) -> (N, V)."""
    V, n = len(weights.weight), min(S, len(weights.weight))
    first = log_head(weights, x, n)
    out = product(x, weights.weight)
    out += weights.bias
    out[:, :n] = first[:, :n]
    for k, start in enumerate(range(n, V, C)):
        block = out[:, start : start + C]
        log_softmax(block)
        block += first[:, n + k, None]
    return out


def log_head(weights: OutputWeights, x: Array, n: int) -> Array:
    """ln p of the n head tokens and the K classes: (N, n + K)."""
    logits = product(x, weights.weight[:n]) + weights.bias[:n]
    if weights.class_weight is not None and weights.class_bias is not None:
        classes = product(x, weights.class_weight) + weights.class_bias
        logits = np.concatenate([logits, classes], axis=1)
    return log_softmax(logits)


def log_probability(weights: OutputWeights, x: Array, ids: Ids) -> Array:
    """ln p of one token a row, from the head and the token's class; a class is computed alone."""
    n = min(S, len(weights.weight))
    tail, classes = ids >= n, (ids - n) // C
    wanted, logp = np.where(tail, n + classes, ids), np.empty(len(ids), x.dtype)
    for part in parts(len(ids), ROWS):
        logp[part] = log_head(weights, x[part], n)[np.arange(len(ids[part])), wanted[part]]
    for row in np.flatnonzero(tail):
        start = n + int(classes[row]) * C
        block = slice(start, start + C)
        inside = log_softmax(weights.weight[block] @ x[row] + weights.bias[block])
        logp[row] += inside[ids[row] - start]
    return logp


def shapes(V: int, D: int) -> dict[str, tuple[int, ...]]:
    """The classes' own weights, where there are classes."""
    K = n_classes(V)
    return {"output.class_weight": (K, D), "output.class_bias": (K,)} if K else {}


def initialise(weights: OutputWeights, counts: NDArray[np.int64]) -> None:
    """Unigrams, of tokens and of classes."""
    p = share(counts)
    weights.bias[...] = np.log(p)
    if weights.class_bias is not None:
        weights.class_bias[...] = np.log(class_share(p))


OUTPUT = Output("classes", loss, lambda counts, samples: Classes(len(counts)), softmax="classes")
SOFTMAX = Softmax(log_probabilities, log_probability, shapes, initialise)
