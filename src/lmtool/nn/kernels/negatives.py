"""Means of rows, and pairs of rows that should be alike, with their gradients."""

import math
from typing import Any

import numpy as np

from lmtool.arrays import Array
from lmtool.kernel_cache import compiler

__all__ = ["attract", "mean_rows", "spread_rows"]

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}
SUMS = FLAGS | {"fastmath": {"contract", "nsz", "reassoc"}}


@kernel(**FLAGS)
def mean_rows(table: Array, ids: Any, out: Array, n: Array) -> None:
    """out (B, E) = the mean of the rows ids (M, B) of table (V, E), n (B,) of them; -1 is none."""
    M, B = ids.shape
    for b in range(B):
        mean, n[b] = out[b], 0
        mean[:] = 0
        for m in range(M):
            if ids[m, b] >= 0:
                n[b] += 1
                row = table[ids[m, b]]
                for j in range(row.shape[0]):
                    mean[j] += row[j]
        if n[b] > 1:
            mean /= n[b]


@kernel(**FLAGS)
def spread_rows(rows: Array, ids: Any, n: Array, out: Array) -> None:
    """The backward pass of ``mean_rows``: out[ids[m, b]] += rows[b] / n[b]."""
    M, B = ids.shape
    for b in range(B):
        if n[b] > 1:
            rows[b] /= n[b]
        for m in range(M):
            if ids[m, b] >= 0:
                row, target = rows[b], out[ids[m, b]]
                for j in range(row.shape[0]):
                    target[j] += row[j]


@kernel(**SUMS)
def attract(
    x: Array, weight: Array, targets: Any, scale: float, dx: Array, dweight: Array
) -> float:
    """-sum ln sigmoid(x_b w_t) over targets t (L, B) >= 0; adds scale times its gradients."""
    L, B = targets.shape
    kind, total = x.dtype.type, 0.0
    for b in range(B):
        own, down = x[b], dx[b]
        for k in range(L):
            t = targets[k, b]
            if t < 0:
                continue
            row, drow = weight[t], dweight[t]
            dot = kind(0)
            for j in range(own.shape[0]):
                dot += own[j] * row[j]
            e = math.exp(-abs(np.float64(dot)))
            total += math.log1p(e) - min(np.float64(dot), 0.0)
            g = kind(-scale * (e / (1 + e) if dot > 0 else 1 / (1 + e)))
            for j in range(own.shape[0]):
                down[j] += g * row[j]
                drow[j] += g * own[j]
    return total
