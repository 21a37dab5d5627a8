"""The loss of labels without times, in logarithms and float64; equations as in nn/outputs/ctc.py.

A sequence is a piece of work of its own, so that its numbers are the same beside any others.
"""

import math
from typing import Any

import numpy as np

from lmtool.arrays import Array
from lmtool.kernel_cache import compiler

__all__ = ["ctc_cross_entropy"]

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}


@kernel(**FLAGS)
def _log_sum(x: float, y: float, z: float) -> Any:
    """ln(exp x + exp y + exp z)."""
    peak = max(x, max(y, z))
    if peak == -np.inf:
        return peak
    return peak + math.log(math.exp(x - peak) + math.exp(y - peak) + math.exp(z - peak))


@kernel(**FLAGS)
def _emissions(z: Array, start: int, b: int, states: Any, p: Array, e: Array) -> None:
    """(1): p (T, V) of sequence b of z (S, B, V), and of each state its ln p: e (T, 2 L + 1)."""
    T, V = p.shape
    for t in range(T):
        row, q = z[start + t, b], p[t]
        peak = row[0]
        for k in range(1, V):
            peak = max(peak, row[k])
        total = 0.0
        for k in range(V):
            q[k] = math.exp(float(row[k]) - float(peak))
            total += q[k]
        part, shift = 1 / total, float(peak) + math.log(total)
        for k in range(V):
            q[k] *= part
        for s in range(states.shape[0]):
            e[t, s] = float(row[states[s]]) - shift


@kernel(**FLAGS)
def _skips(states: Any, s: int) -> Any:
    """Whether the blank between state s and the label before it may be left out."""
    return s > 1 and states[s] != states[0] and states[s] != states[s - 2]


@kernel(**FLAGS)
def _alphas(states: Any, e: Array, alpha: Array) -> Any:
    """(2), and ln P by (4)."""
    T, n = e.shape
    alpha[:] = -np.inf
    alpha[0, 0] = e[0, 0]
    if n > 1:
        alpha[0, 1] = e[0, 1]
    for t in range(1, T):
        before, now = alpha[t - 1], alpha[t]
        for s in range(max(0, n - 2 * (T - t)), min(n, 2 * t + 2)):
            one = before[s - 1] if s else -np.inf
            two = before[s - 2] if _skips(states, s) else -np.inf
            now[s] = _log_sum(before[s], one, two) + e[t, s]
    return _log_sum(alpha[T - 1, n - 1], alpha[T - 1, n - 2] if n > 1 else -np.inf, -np.inf)


@kernel(**FLAGS)
def _betas(states: Any, e: Array, t: int, beta: Array, former: Array) -> None:
    """(3): beta (2 L + 1,) of step t in place, by way of ``former``, where that of t + 1 was."""
    T, n = e.shape
    if t == T - 1:
        beta[:] = -np.inf
        beta[max(0, n - 2) :] = 0
        return
    for s in range(n):
        former[s] = beta[s] + e[t + 1, s]
    for s in range(n):
        one = former[s + 1] if s + 1 < n else -np.inf
        two = former[s + 2] if s + 2 < n and _skips(states, s + 2) else -np.inf
        beta[s] = _log_sum(former[s], one, two)


@kernel(**FLAGS)
def ctc_cross_entropy(
    z: Array, targets: Any, starts: Any, blank: int, scale: float, dz: Array
) -> Any:
    """The sum of -ln P (4) over sequences z (S, B, V), and how many cannot have their labels.

    Labels (L, B) are padded at the front with -1. scale times (6) comes into dz (S, B, V), 0 at
    padding and for sequences that cannot have their labels, which add nothing to the sum.
    """
    S, B, V = z.shape
    L = targets.shape[0]
    states = np.empty(2 * L + 1, np.int64)
    ps, es, alphas = np.empty((S, V)), np.empty((S, 2 * L + 1)), np.empty((S, 2 * L + 1))
    betas, formers = np.empty(2 * L + 1), np.empty(2 * L + 1)
    total, n_left = 0.0, 0
    dz[:] = 0
    for b in range(B):
        start, n = starts[b], 0
        T = S - start
        states[0] = blank
        for i in range(L):
            if targets[i, b] >= 0:
                states[2 * n + 1], states[2 * n + 2] = targets[i, b], blank
                n += 1
        own, n = states[: 2 * n + 1], 2 * n + 1
        p, e, alpha, beta = ps[:T], es[:T, :n], alphas[:T, :n], betas[:n]
        _emissions(z, start, b, own, p, e)
        logp = _alphas(own, e, alpha)
        if logp == -np.inf:
            n_left += 1
            continue
        total -= logp
        for t in range(T - 1, -1, -1):
            _betas(own, e, t, beta, formers)
            d = dz[start + t, b]
            for s in range(n):
                p[t, own[s]] -= math.exp(alpha[t, s] + beta[s] - logp)  # (5)
            for k in range(V):
                d[k] = scale * p[t, k]
    return total, n_left
