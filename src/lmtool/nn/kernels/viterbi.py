"""The best tags of a chain; the equations are those of nn/outputs/crf.py."""

from typing import Any

import numpy as np

from lmtool.arrays import Array
from lmtool.kernel_cache import compiler

__all__ = ["chain_decode"]

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}


@kernel(**FLAGS)
def chain_decode(z: Array, starts: Any, ends: Array, between: Array, out: Any) -> int:
    """The best tags (8) into out (S, B); the first sequence that no tags are legal for, or -1."""
    S, B, K = z.shape
    score, best, back = np.empty(K), np.empty(K), np.empty((S, K), np.int64)
    for b in range(B):
        for t in range(starts[b], S):
            if t == starts[b]:
                best[:] = ends[0]
            else:
                _step(score, between[0], best, back[t])
            for j in range(K):
                score[j] = best[j] + z[t, b, j]
        if starts[b] == S:
            continue
        for j in range(K):
            score[j] += ends[1, j]
        y = _first_peak(score)
        if score[y] == -np.inf:
            return b
        for t in range(S - 1, starts[b] - 1, -1):
            out[t, b] = y
            y = back[t, y] if t > starts[b] else y
    return -1


@kernel(**FLAGS)
def _step(score: Array, between: Array, best: Array, back: Any) -> None:
    """best (K,): the largest score[i] + between[i]; back (K,): its i, the lowest of equals."""
    K = score.shape[0]
    for j in range(K):
        best[j], back[j] = -np.inf, 0
    for i in range(K):
        x, row = score[i], between[i]
        for j in range(K):
            if x + row[j] > best[j]:
                best[j], back[j] = x + row[j], i


@kernel(**FLAGS)
def _first_peak(x: Array) -> int:
    at = 0
    for j in range(1, x.shape[0]):
        if x[j] > x[at]:
            at = j
    return at
