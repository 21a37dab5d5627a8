"""Sums over rows and vectors of gradients, and the optimisers' steps."""

import math
from typing import Any

import numpy as np

from lmtool.arrays import Array
from lmtool.kernel_cache import compiler

__all__ = [
    "adam_catch_up",
    "adam_rows",
    "adam_step",
    "add",
    "dynamic_step",
    "scatter_add",
    "sgd_rows",
    "sgd_step",
    "sum_of_squares",
]

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}
SUMS = FLAGS | {"fastmath": {"contract", "nsz", "reassoc"}}


@kernel(**FLAGS)
def scatter_add(rows: Array, ids: Any, out: Array) -> None:
    """out[ids[n]] += rows[n]: rows (N, E), ids (N,), out (V, E)."""
    for n in range(rows.shape[0]):
        source, target = rows[n], out[ids[n]]
        for j in range(source.shape[0]):
            target[j] += source[j]


@kernel(**SUMS)
def sum_of_squares(x: Array) -> float:
    """The squared Euclidean norm of x (N,), accumulated in double precision."""
    total = 0.0
    for j in range(x.shape[0]):
        total += np.float64(x[j]) * np.float64(x[j])
    return total


@kernel(**FLAGS)
def adam_step(
    x: Array, gradient: Array, factor: float, m: Array, v: Array, rate: float, decays: Any
) -> None:
    """Adam's update of x (N,) by factor * gradient; ``rate`` already holds the bias correction."""
    kind = x.dtype.type
    a, b, step, one, tiny = kind(decays[0]), kind(decays[1]), kind(rate), kind(1), kind(1e-8)
    scale = kind(factor)
    for j in range(x.shape[0]):
        g = scale * gradient[j]
        m[j] = a * m[j] + (one - a) * g
        v[j] = b * v[j] + (one - b) * g * g
        x[j] -= step * m[j] / (np.sqrt(v[j]) + tiny)


@kernel(**FLAGS)
def adam_rows(
    x: Array,
    gradient: Array,
    factor: float,
    m: Array,
    v: Array,
    rows: Any,
    rate: float,
    decays: Any,
) -> None:
    """``adam_step`` of the rows (n,) of x, m, v (V, D), gradient (n, D)."""
    for n in range(rows.shape[0]):
        i = rows[n]
        adam_step(x[i], gradient[n], factor, m[i], v[i], rate, decays)


@kernel(**FLAGS)
def adam_catch_up(
    x: Array, m: Array, v: Array, rows: Any, gaps: Any, rate: float, decays: Any
) -> None:
    """The updates of gradient 0 that rows (n,) of x, m, v (V, D) missed, gaps (n,) of them each.

    The k-th would have been rate m a^k / sqrt(v b^k), so they are a geometric series.
    """
    kind, (a, b) = x.dtype.type, decays
    ratio = a / math.sqrt(b)
    for n in range(rows.shape[0]):
        gap = gaps[n]
        if gap == 0:
            continue
        xi, mi, vi = x[rows[n]], m[rows[n]], v[rows[n]]
        step = kind(rate * ratio * (1 - ratio**gap) / (1 - ratio))
        am, bv, tiny = kind(a**gap), kind(b**gap), kind(1e-8)
        for j in range(xi.shape[0]):
            xi[j] -= step * mi[j] / (np.sqrt(vi[j]) + tiny)
        for j in range(xi.shape[0]):
            mi[j] *= am
            vi[j] *= bv


@kernel(**FLAGS)
def sgd_step(x: Array, gradient: Array, rate: float) -> None:
    """x (N,) -= rate * gradient."""
    step = x.dtype.type(rate)
    for j in range(x.shape[0]):
        x[j] -= step * gradient[j]


@kernel(**FLAGS)
def sgd_rows(x: Array, gradient: Array, factor: float, rows: Any, rate: float) -> None:
    """x[rows] (n, D) -= rate * factor * gradient (n, D)."""
    for n in range(rows.shape[0]):
        sgd_step(x[rows[n]], gradient[n], rate * factor)


@kernel(**FLAGS)
def add(x: Array, y: Array) -> None:
    """x (N,) += y."""
    for j in range(x.shape[0]):
        x[j] += y[j]


@kernel(**FLAGS)
def dynamic_step(
    x: Array, gradient: Array, start: Array, rms: Array, rate: float, decay: float, tiny: float
) -> None:
    """x (N,) -= rate gradient / (rms + tiny), then goes min(1, decay rms) of the way to start."""
    kind = x.dtype.type
    step, back, little, one = kind(rate), kind(decay), kind(tiny), kind(1)
    for j in range(x.shape[0]):
        pull = min(one, back * rms[j]) * (start[j] - x[j])
        x[j] += pull - step * gradient[j] / (rms[j] + little)
