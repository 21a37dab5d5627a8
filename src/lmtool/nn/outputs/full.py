"""The softmax over all V tokens.

logits = x W' + b     p = softmax(logits)     loss = -sum_n ln p_n[target_n]     (1)
dlogits = p - onehot(target)   dx = dlogits W   dW = dlogits' x   db = sum_n dlogits    (1')
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.nn.outputs.base import (
    Chain,
    Ids,
    Labelling,
    Output,
    OutputWeights,
    Rules,
    Softmax,
    Tagging,
    Weights,
    apart,
    log_softmax,
    share,
)
from lmtool.nn.rowwise import parts, product

__all__ = ["LABELLING", "OUTPUT", "SOFTMAX", "TAGGING"]

CHUNK = 1 << 22  # logits held at once: 16 MB of float32
ROWS, COLUMNS = 384, 1040  # of the logits at once; no power of two, which is slow to write
LOWEST, HIGHEST = 1e-30, 1e30  # sums of exponentials in float32


def loss(
    weights: OutputWeights,
    gradients: OutputWeights,
    x: Array,
    targets: Ids,
    scale: float,
    draw: None = None,
    smoothing: float = 0.0,
) -> tuple[float, Array]:
    """Exact, in chunks of rows so that memory does not grow with N V.

    ``smoothing`` is the share of each target that all tokens get alike, in the gradients alone:
    the loss stays that of the targets.
    """
    from lmtool.nn import kernels  # only training loads numba

    rows = max(1, CHUNK // len(weights.weight))
    dx, total = np.empty_like(x), 0.0
    for start in range(0, len(x), rows):
        part = slice(start, start + rows)
        logits = x[part] @ weights.weight.T
        total += kernels.softmax_cross_entropy(logits, weights.bias, targets[part], scale)  # (1)
        if smoothing:
            smooth(logits, targets[part], scale * smoothing)
        np.dot(logits, weights.weight, out=dx[part])  # (1')
        add_product(gradients.weight, logits.T, x[part], start == 0)
        add_product(gradients.bias, np.ones(len(logits), x.dtype), logits, start == 0)
    return total, dx


def smooth(dlogits: Array, targets: Ids, amount: float) -> None:
    """In place: so much of each row's gradient (N, V) pulls to all tokens, not to its target."""
    dlogits -= dlogits.dtype.type(amount / dlogits.shape[1])
    dlogits[np.arange(len(targets)), targets] += dlogits.dtype.type(amount)


def add_product(total: Array, x: Array, y: Array, first: bool) -> None:
    """total += x y, which needs no memory of its own while total is 0."""
    from lmtool.nn import kernels

    if first:
        np.dot(x, y, out=total)
    else:
        kernels.add(total.ravel(), (x @ y).ravel())


def log_probabilities(weights: OutputWeights, x: Array) -> Array:
    """(1) without a target."""
    out, total = np.empty((len(x), len(weights.weight)), x.dtype), np.zeros(len(x))
    for start, logits in blocks(weights, x):
        out[:, start : start + COLUMNS] = logits
        total += np.exp(logits, out=logits).sum(axis=1)
    extreme = np.flatnonzero(is_extreme(total))
    careful = log_softmax(out[extreme])
    out -= np.log(total).astype(x.dtype)[:, None]
    out[extreme] = careful
    return out


def log_probability(weights: OutputWeights, x: Array, ids: Ids) -> Array:
    """ln p of one token a row, the same bits: needs them all, but never at once."""
    logp, total = np.empty(len(ids), x.dtype), np.zeros(len(ids))
    for part in parts(len(ids), ROWS):
        wanted = ids[part]
        for start, logits in blocks(weights, x[part]):
            here = np.flatnonzero((wanted >= start) & (wanted < start + COLUMNS))
            logp[part][here] = logits[here, wanted[here] - start]
            total[part] += np.exp(logits, out=logits).sum(axis=1)
    logp -= np.log(total).astype(x.dtype)
    for i in np.flatnonzero(is_extreme(total)):
        logp[i] = log_probabilities(weights, x[[i, i]] if len(x) > 1 else x)[0, ids[i]]
    return logp


def blocks(weights: OutputWeights, x: Array) -> Iterator[tuple[int, Array]]:
    """The logits (N, V) in blocks of columns, each with its first."""
    for start in range(0, len(weights.weight), COLUMNS):
        logits = product(x, weights.weight[start : start + COLUMNS])
        logits += weights.bias[start : start + COLUMNS]
        yield start, logits


def is_extreme(total: Array) -> Array:
    """Where exponentials leave what float32 holds, unless the largest logit is taken off first."""
    return np.logical_not((total > LOWEST) & (total < HIGHEST))


def initialise(weights: OutputWeights, counts: NDArray[np.int64]) -> None:
    """Unigrams."""
    weights.bias[...] = np.log(share(counts))


def label_loss(
    logits: Array, targets: Ids, scale: float, smoothing: float = 0.0
) -> tuple[float, Array]:
    """(1) for one label each, targets (N,)."""
    rows, logp = np.flatnonzero(targets >= 0), log_softmax(logits.copy())
    wanted = np.zeros_like(logits)
    wanted[rows] = smoothing / logits.shape[1]
    wanted[rows, targets[rows]] += 1 - smoothing
    p = np.exp(logp) * (targets >= 0)[:, None]
    return -float((wanted * logp).sum()), np.multiply(scale, p - wanted, dtype=logits.dtype)


def label_log_probabilities(logits: Array) -> Array:
    """ln p of each label, one of which it is: (N, K) -> (N, K)."""
    return log_softmax(logits.copy())


def label_bias(counts: NDArray[np.int64], n: int) -> Array:
    """Unigrams: (K,)."""
    return np.log(share(counts))


def evidence(counts: NDArray[np.int64], totals: NDArray[np.int64]) -> Array:
    """ln p(feature | label), less its mean over the labels."""
    logp = np.log(share(counts))
    return np.asarray(logp - logp.mean(axis=1, keepdims=True))


def tag_loss(
    weights: Weights, gradients: Weights, z: Array, targets: Ids, starts: Ids, rules: Rules,
    scale: float,
) -> tuple[float, Array]:  # fmt: skip
    """(1) for the tag of each step, whatever stands beside it."""
    total, dz = label_loss(z.reshape(-1, z.shape[2]), targets.ravel(), scale)
    return total, dz.reshape(z.shape)


def chain(networks: Sequence[tuple[Weights, Array]], rules: Rules) -> Chain:
    """The mean probability of each tag, from logits z (S, B, K)."""
    return apart([log_softmax(z.astype(np.float64)) for _, z in networks], rules)


OUTPUT = Output("full", loss, takes=("smoothing",))
LABELLING = Labelling("full", label_loss, label_log_probabilities, label_bias, evidence)
TAGGING = Tagging("full", lambda K: K, lambda K: {}, tag_loss, chain)
SOFTMAX = Softmax(log_probabilities, log_probability, lambda V, D: {}, initialise)
