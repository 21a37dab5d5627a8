"""Softmaxes and their gradients; products stay in numpy, except of single blocks.

float32 takes an approximation of exp that vectorises, as the gates do: the same lines, as a
file's kernels call none of another file's.
"""

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic, overload

from lmtool.arrays import Array
from lmtool.kernel_cache import compiler

__all__ = ["block_cross_entropy", "sampled_cross_entropy", "softmax_cross_entropy"]

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}
SUMS = FLAGS | {"fastmath": {"contract", "nsz", "reassoc"}}


def _exp(x: float) -> float:
    return math.exp(min(x, 709.0))


def _bitcast(context: Any, bits: Any) -> Any:
    """The float32 with the bits of an int32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.int32), generate


_float_from_bits: Any = intrinsic(_bitcast)


@kernel(**FLAGS)
def _exp32(x: Any) -> Any:
    """exp by 2^n times a polynomial in the remainder (Cephes expf), clamped to +-87."""
    x = min(max(x, np.float32(-87.0)), np.float32(87.0))
    n = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    r = x - n * np.float32(0.693359375)
    r = r - n * np.float32(-2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1.0)
    return p * _float_from_bits(np.int32((np.int32(n) + np.int32(127)) << np.int32(23)))


def _exp_by_type(x: Any) -> Any:
    def fast(x: float) -> float:
        return _exp32(x)  # type: ignore[no-any-return]

    return fast if x == types.float32 else _exp


overload(_exp, strict=False)(_exp_by_type)


@kernel(**SUMS)
def _sum(x: Array) -> Any:
    total = 0.0
    for j in range(x.shape[0]):
        total += x[j]
    return total


@kernel(**SUMS)
def _exp_and_sum(x: Array, peak: float) -> Any:
    """x = exp(x - peak); returns the sum."""
    for j in range(x.shape[0]):
        x[j] = _exp(x[j] - peak)
    return _sum(x)


@kernel(**SUMS)
def _add_and_peak(x: Array, bias: Array) -> Any:
    """x += bias; returns the largest entry."""
    for j in range(x.shape[0]):
        x[j] += bias[j]
    peaks = x[:8].copy() if x.shape[0] >= 8 else np.full(8, x[0], x.dtype)
    n = x.shape[0] // 8 * 8
    for j in range(0, n, 8):
        for k in range(8):
            peaks[k] = max(peaks[k], x[j + k])
    peak = peaks.max()
    for j in range(n, x.shape[0]):
        peak = max(peak, x[j])
    return peak


@kernel(**FLAGS)
def softmax_cross_entropy(logits: Array, bias: Array, targets: Any, scale: float) -> float:
    """Sum of -ln p[target] over rows; logits (N, V) become scale * d loss / d logits."""
    loss = 0.0
    for n in range(logits.shape[0]):
        x, target = logits[n], targets[n]
        peak = _add_and_peak(x, bias)
        wanted = x[target]
        total = _exp_and_sum(x, peak)
        loss += math.log(total) - (wanted - peak)
        factor = x.dtype.type(scale / total)
        for j in range(x.shape[0]):
            x[j] *= factor
        x[target] -= x.dtype.type(scale)
    return loss


@kernel(**FLAGS)
def sampled_cross_entropy(
    logits: Array, offset: Array, wanted: Array, hits: Any, scale: float
) -> float:
    """Sum over rows of the sampled softmax's equation (2).

    logits (N, K) become scale * d loss / d logits, wanted (N,) too; hits (N,) is the column of
    the row's own target, which is left out, or -1.
    """
    loss = 0.0
    for n in range(logits.shape[0]):
        x = logits[n]
        peak = max(_add_and_peak(x, offset), wanted[n])
        _exp_and_sum(x, peak)
        if hits[n] >= 0:
            x[hits[n]] = 0
        own = math.exp(wanted[n] - peak)
        total = own + _sum(x)
        loss += math.log(total) - (wanted[n] - peak)
        factor = x.dtype.type(scale / total)
        for j in range(x.shape[0]):
            x[j] *= factor
        wanted[n] = scale * (own / total - 1)
    return loss


@kernel(**SUMS)
def _dot(x: Array, y: Array) -> Any:
    total = x.dtype.type(0)
    for j in range(x.shape[0]):
        total += x[j] * y[j]
    return total


@kernel(**FLAGS)
def _add_scaled(x: Array, factor: Any, y: Array) -> None:
    """x += factor * y."""
    for j in range(x.shape[0]):
        x[j] += factor * y[j]


@kernel(**FLAGS)
def block_cross_entropy(
    x: Array, weight: Array, bias: Array, tail: Any, firsts: Any, sizes: Any, targets: Any,
    scale: float, dx: Array, dweight: Array, dbias: Array,
) -> float:  # fmt: skip
    """Sum of -ln p[target | its block] over the rows tail (M,) of x (N, D).

    The block of tail[m] is rows firsts[m] .. firsts[m] + sizes[m] of weight and bias; scale times
    the gradients is added to dx (N, D), dweight and dbias.
    """
    loss = 0.0
    for m in range(tail.shape[0]):
        n, first, size = tail[m], firsts[m], sizes[m]
        p, target = np.empty(size, x.dtype), targets[tail[m]] - firsts[m]
        for k in range(size):
            p[k] = _dot(x[n], weight[first + k])
        peak = _add_and_peak(p, bias[first : first + size])
        wanted = p[target]
        total = _exp_and_sum(p, peak)
        loss += math.log(total) - (wanted - peak)
        for k in range(size):
            d = x.dtype.type(scale * (p[k] / total - (1.0 if k == target else 0.0)))
            dbias[first + k] += d
            _add_scaled(dweight[first + k], d, x[n])
            _add_scaled(dx[n], d, weight[first + k])
    return loss
