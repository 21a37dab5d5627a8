"""Chains of tags, all in float64; the equations are those of nn/outputs/crf.py.

Potentials are used as exponentials, so that a step is a product with a (K, K) matrix, and what
comes out is divided by its largest entry. A tag that is possible and yet below FLOOR of the
likeliest might vanish in a product: such a sequence is done once more in logarithms, with an
exponential for each pair of tags. So no legal tags are ever lost, however unlikely.

Messages flow two ways, 0 from the first step and 1 from the last: ``ends`` (2, K) are potentials
of the first and of the last tag, ``between`` (2, K, K) those of pairs and the transpose.
"""

import math
from typing import Any

import numpy as np

from lmtool.arrays import Array
from lmtool.kernel_cache import compiler

__all__ = ["chain_cross_entropy", "chain_messages"]

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}
SUMS = FLAGS | {"fastmath": {"contract", "nsz", "reassoc"}}
FLOOR = 1e-100  # a product of three is a normal number


@kernel(**FLAGS)
def _log(x: float) -> Any:
    return math.log(x) if x != 0 else -np.inf  # an error of Python's


@kernel(**SUMS)
def _dot(x: Array, y: Array) -> Any:
    total = 0.0
    for j in range(x.shape[0]):
        total += x[j] * y[j]
    return total


@kernel(**FLAGS)
def _peak(x: Array) -> Any:
    peak = x[0]
    for j in range(1, x.shape[0]):
        if x[j] > peak:
            peak = x[j]
    return peak


@kernel(**FLAGS)
def _exponentials(x: Array, out: Array) -> Any:
    """out = exp(x - peak); returns the peak."""
    peak = _peak(x)
    for j in range(x.shape[0]):
        out[j] = math.exp(x[j] - peak) if x[j] != peak else 1.0  # a peak of -inf, too
    return peak


@kernel(**FLAGS)
def _log_sum(x: Array) -> Any:
    """ln of the sum of exp(x)."""
    peak, total = _peak(x), 0.0
    for j in range(x.shape[0]):
        total += math.exp(x[j] - peak) if x[j] != peak else 1.0
    return peak + math.log(total)


# --- messages -------------------------------------------------------------------------------


@kernel(**FLAGS)
def _linear(way: int, f: Array, ends: Array, between: Array, s: Array, a: Array, logs: Any) -> bool:
    """(2), (3) from exponentials f (T, K): a (T, K) divided by its largest entries, exp(logs).

    False where a possible number is below FLOOR; s and a are then worth nothing.
    """
    T, K = f.shape
    for n in range(T):
        t, before = (n, n - 1) if way == 0 else (T - 1 - n, T - n)
        st, at, ft = s[t], a[t], f[t]
        if n == 0:
            for j in range(K):
                st[j] = ends[j]
        else:
            for j in range(K):
                st[j] = 0
            for i in range(K):
                x, row = a[before, i], between[i]
                for j in range(K):
                    st[j] += x * row[j]
        for j in range(K):
            at[j] = st[j] * ft[j]
        peak, n_low = _peak(at), 0
        for j in range(K):
            n_low += st[j] > 0 and at[j] < FLOOR * peak
        if n_low or peak < FLOOR * FLOOR:
            return False
        part = 1 / peak
        for j in range(K):
            at[j] *= part
        logs[t] = math.log(peak)
    return True


@kernel(**FLAGS)
def _logarithmic(way: int, e: Array, ends: Array, between: Array, s: Array, a: Array) -> None:
    """(2), (3) in logarithms, from e (T, K)."""
    T, K = e.shape
    x = np.empty(K)
    for n in range(T):
        t, before = (n, n - 1) if way == 0 else (T - 1 - n, T - n)
        for j in range(K):
            if n == 0:
                s[t, j] = ends[j]
            else:
                for i in range(K):
                    x[i] = a[before, i] + between[i, j]
                s[t, j] = _log_sum(x)
            a[t, j] = s[t, j] + e[t, j]


@kernel(**FLAGS)
def _enter(z: Array, start: int, b: int, e: Array, f: Array, peaks: Array) -> None:
    """e, f (T, K): sequence b of z (S, B, K) and its exponentials, less their peaks (T,)."""
    for t in range(e.shape[0]):
        source, target = z[start + t, b], e[t]
        for j in range(e.shape[1]):
            target[j] = source[j]
        peaks[t] = _exponentials(target, f[t])


@kernel(**FLAGS)
def _both(
    e: Array, f: Array, logs: Array, potentials: Any, exponentials: Any, s: Array, a: Array
) -> Any:
    """The messages s, a (2, T, K) of one sequence: whether they are linear, not logarithms."""
    (ends, between), (exp_ends, exp_between, sound) = potentials, exponentials
    for way in range(2):
        sound = sound and _linear(
            way, f, exp_ends[way], exp_between[way], s[way], a[way], logs[way]
        )  # fmt: skip
    if not sound:
        for way in range(2):
            _logarithmic(way, e, ends[way], between[way], s[way], a[way])
    return sound


@kernel(**FLAGS)
def _prepared(ends: Array, between: Array) -> Any:
    """((ends, between, whether none is below FLOOR) as exponentials, their peaks (3,))."""
    peaks, exp_ends, exp_between = np.empty(3), np.empty_like(ends), np.empty_like(between)
    for way in range(2):
        peaks[way] = _exponentials(ends[way], exp_ends[way])
        peaks[2] = _exponentials(between[way].ravel(), exp_between[way].ravel())
    n_low = 0
    for way in range(2):
        for i in range(ends.shape[1]):
            n_low += exp_ends[way, i] < FLOOR and ends[way, i] > -np.inf
            for j in range(ends.shape[1]):
                n_low += exp_between[way, i, j] < FLOOR and between[way, i, j] > -np.inf
    return (exp_ends, exp_between, n_low == 0), peaks


@kernel(**FLAGS)
def chain_messages(
    z: Array, starts: Any, ends: Array, between: Array, alpha: Array, beta: Array, log_z: Array
) -> None:
    """(2) and (3) in logarithms: alpha, beta (S, B, K), left alone at padding, and ln Z (B,)."""
    S, B, K = z.shape
    exponentials, shifts = _prepared(ends, between)
    es, fs, peaks, logs = np.empty((S, K)), np.empty((S, K)), np.empty(S), np.empty((2, S))
    ss, aa = np.empty((2, S, K)), np.empty((2, S, K))
    for b in range(B):
        start, T = starts[b], S - starts[b]
        e, f, s, a = es[:T], fs[:T], ss[:, :T], aa[:, :T]
        _enter(z, start, b, e, f, peaks)
        linear = _both(e, f, logs, (ends, between), exponentials, s, a)
        log_z[b] = _log_z(linear, a[0], peaks, logs[0], shifts, ends[1]) if T else 0.0
        ahead, behind = shifts[0], shifts[1]
        for n in range(T):
            t, u = start + n, T - 1 - n
            ahead += peaks[n] + logs[0, n]
            for j in range(K):
                alpha[t, b, j] = _log(a[0, n, j]) + ahead if linear else a[0, n, j]
                beta[S - 1 - n, b, j] = _log(s[1, u, j]) + behind if linear else s[1, u, j]
            ahead += shifts[2]
            behind += peaks[u] + logs[1, u] + shifts[2]


@kernel(**FLAGS)
def _log_z(linear: bool, a: Array, peaks: Array, logs: Array, shifts: Array, last: Array) -> Any:
    """(4) in logarithms, from messages a (T, K)."""
    T, K = a.shape
    x, ahead = np.empty(K), 0.0
    if linear:
        ahead = shifts[0]
        for t in range(T):
            ahead += peaks[t] + logs[t] + (shifts[2] if t else 0.0)
    for j in range(K):
        x[j] = (_log(a[T - 1, j]) if linear else a[T - 1, j]) + ahead + last[j]
    return _log_sum(x)


# --- the loss -------------------------------------------------------------------------------


@kernel(**FLAGS)
def chain_cross_entropy(
    z: Array, targets: Any, starts: Any, ends: Array, between: Array, scale: float,
    dz: Array, dends: Array, dbetween: Array,
) -> float:  # fmt: skip
    """The sum of (7) over sequences z (S, B, K) whose targets (S, B) are legal.

    scale times (7') comes into dz (S, B, K), dends (2, K) and dbetween (K, K).
    """
    S, B, K = z.shape
    exponentials, shifts = _prepared(ends, between)
    es, fs, peaks, logs = np.empty((S, K)), np.empty((S, K)), np.empty(S), np.empty((2, S))
    ss, aa, p = np.empty((2, S, K)), np.empty((2, S, K)), np.empty((S, K))
    products, pairs, total = np.zeros((K, K)), np.zeros((K, K)), 0.0
    dz[:], dends[:] = 0, 0
    for b in range(B):
        start, T = starts[b], S - starts[b]
        if T == 0:
            continue
        e, f, s, a = es[:T], fs[:T], ss[:, :T], aa[:, :T]
        _enter(z, start, b, e, f, peaks)
        linear = _both(e, f, logs, (ends, between), exponentials, s, a)
        log_z = _log_z(linear, a[0], peaks, logs[0], shifts, ends[1])
        if linear:
            _linear_posterior(s[0], a[0], a[1], p, products)
        else:
            _logarithmic_posterior(s[0], a[0], a[1], between[0], log_z, p, pairs)
        total += log_z - _score(e, targets[start:, b], ends, between[0])
        _less_targets(targets[start:, b], p, pairs)
        for t in range(T):
            for j in range(K):
                dz[start + t, b, j] = scale * p[t, j]
        for j in range(K):
            dends[0, j] += scale * p[0, j]
            dends[1, j] += scale * p[T - 1, j]
    for i in range(K):
        for j in range(K):
            dbetween[i, j] = scale * (products[i, j] * exponentials[1][0, i, j] + pairs[i, j])
    return total


@kernel(**FLAGS)
def _linear_posterior(s: Array, a: Array, g: Array, p: Array, products: Array) -> None:
    """(5) as p; a factor of (6), the other one is that of the pairs, is added to the products."""
    T, K = s.shape
    w = np.empty(K)
    for t in range(T):
        st, gt, pt = s[t], g[t], p[t]
        part = 1 / _dot(st, gt)
        for j in range(K):
            w[j] = gt[j] * part
        for j in range(K):
            pt[j] = st[j] * w[j]
        if t:
            for i in range(K):
                x, row = a[t - 1, i], products[i]
                for j in range(K):
                    row[j] += x * w[j]


@kernel(**FLAGS)
def _logarithmic_posterior(
    s: Array, a: Array, g: Array, between: Array, log_z: float, p: Array, pairs: Array
) -> None:
    """(5) as p; (6) is added to the pairs."""
    T, K = s.shape
    for t in range(T):
        for j in range(K):
            p[t, j] = math.exp(s[t, j] + g[t, j] - log_z)
            if t:
                for i in range(K):
                    pairs[i, j] += math.exp(a[t - 1, i] + between[i, j] + g[t, j] - log_z)


@kernel(**FLAGS)
def _score(e: Array, y: Any, ends: Array, between: Array) -> Any:
    """(1) of the tags y (T,)."""
    T = e.shape[0]
    total = ends[0, y[0]] + ends[1, y[T - 1]]
    for t in range(T):
        total += e[t, y[t]]
        if t:
            total += between[y[t - 1], y[t]]
    return total


@kernel(**FLAGS)
def _less_targets(y: Any, p: Array, pairs: Array) -> None:
    """Subtracts 1 where the tags y (T,) are."""
    for t in range(y.shape[0]):
        p[t, y[t]] -= 1
        if t:
            pairs[y[t - 1], y[t]] -= 1
