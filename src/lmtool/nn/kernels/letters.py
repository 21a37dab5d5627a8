"""Kernels of a word's letters: sums of looked-up vectors, and the largest of each filter's."""

from typing import Any

import numpy as np

from lmtool.arrays import Array
from lmtool.kernel_cache import compiler

__all__ = ["largest_of_windows", "largest_of_windows_backward"]

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}


@kernel(**FLAGS)
def largest_of_windows(P: Array, letters: Any, v: Array, where: Any) -> None:
    """Equations (2), (3) of letters, without b: P (3, A, F), letters (N, W) -> v, where (N, F)."""
    N, W = letters.shape
    for n in range(N):
        word, best, at = letters[n], v[n], where[n]
        best[:] = -np.inf
        at[:] = 0
        for w in range(W):
            if w > 0 and word[w] == 0:
                break
            before = P[0, word[w - 1] if w > 0 else 0]
            here, after = P[1, word[w]], P[2, word[w + 1] if w + 1 < W else 0]
            for f in range(best.shape[0]):
                y = before[f] + here[f] + after[f]
                if y > best[f]:
                    best[f] = y
                    at[f] = w


@kernel(**FLAGS)
def largest_of_windows_backward(letters: Any, where: Any, dv: Array, dP: Array) -> None:
    """dv (N, F) is added to dP (3, A, F) where the maximum stood."""
    N, W = letters.shape
    for n in range(N):
        word, at, d = letters[n], where[n], dv[n]
        for f in range(d.shape[0]):
            w = at[f]
            dP[0, word[w - 1] if w > 0 else 0, f] += d[f]
            dP[1, word[w], f] += d[f]
            dP[2, word[w + 1] if w + 1 < W else 0, f] += d[f]
