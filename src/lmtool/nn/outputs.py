"""Output layers: from top vectors to the loss and its gradients; a new one is one line in OUTPUTS.

    logits = x W' + b     p = softmax(logits)     loss = -sum_n ln p_n[target_n]     (1)
    dlogits = p - onehot(target)   dx = dlogits W   dW = dlogits' x   db = sum_n dlogits    (1')
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmtool.nn.parameters import Array

__all__ = ["OUTPUTS", "Output"]

CHUNK = 1 << 23  # logits held at once: 32 MB of float32


@dataclass(frozen=True, slots=True)
class Output:
    """An output layer.

    loss(x (N, D), weight (V, D), bias (V,), targets (N,), dweight, dbias, scale) -> (loss, dx):
    the sum of -ln p in nats; gradients are overwritten with scale times the loss's.
    """

    name: str
    loss: Callable[
        [Array, Array, Array, NDArray[np.int32], Array, Array, float], tuple[float, Array]
    ]


def full_loss(
    x: Array,
    weight: Array,
    bias: Array,
    targets: NDArray[np.int32],
    dweight: Array,
    dbias: Array,
    scale: float,
) -> tuple[float, Array]:
    """The softmax over all V tokens, in chunks of rows."""
    from lmtool.nn import kernels  # only training loads numba

    N, V = len(x), len(weight)
    rows = max(1, min(N, CHUNK // V))
    dx, loss = np.empty_like(x), 0.0
    for start in range(0, N, rows):
        part = slice(start, start + rows)
        logits = x[part] @ weight.T
        loss += kernels.softmax_cross_entropy(logits, bias, targets[part], scale)  # (1)
        np.dot(logits, weight, out=dx[part])  # (1')
        _accumulate(dweight, logits.T, x[part], first=start == 0)
        _accumulate(dbias, np.ones(len(logits), x.dtype), logits, first=start == 0)
    return loss, dx


def _accumulate(out: Array, a: Array, b: Array, first: bool) -> None:
    """out = a b for the first chunk, out += a b for the others."""
    if first:
        np.dot(a, b, out=out)
    else:
        out += a @ b


OUTPUTS: dict[str, Output] = {output.name: output for output in (Output("full", full_loss),)}
