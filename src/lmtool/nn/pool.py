"""Pooling over time: a sequence of any length becomes one vector; padding is never seen.

h (S, B, D) tops, r (S, B) 1 where a step is real, n_b = sum_t r[t, b]:

    m[b] = sum_t r[t, b] h[t, b] / n_b                                       mean      (1)
    x[b] = max_t h[t, b] over real t                                         max       (2)
    a[t, b] = exp(h[t, b] u) / sum over real s of exp(h[s, b] u)                       (3)
    c[b] = sum_t a[t, b] h[t, b]                                             attention (4)

(3), (4): Yang et al. 2016 without their layer in between.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Shapes
from lmtool.nn.packed import Packed
from lmtool.nn.rowwise import apart

__all__ = ["POOLS", "Pool"]

Real = NDArray[np.bool_]  # (S, B)
WEIGHT = "pool.weight"


@dataclass(frozen=True, slots=True)
class Pool:
    """What a sequence becomes.

    forward(weights, h (S, B, D), real (S, B)) -> (pooled (B, P), tape).
    backward(weights, gradients, tape, dpooled (B, P)) -> dh (S, B, D), 0 at padding; ``gradients``
    are overwritten.
    read(weights, rows h (N, D), packed) -> pooled (B, P), longest first: ``forward`` of which each
    sequence has bits of its own.
    parts: P / D.
    shapes(D) -> names and shapes of the weights.
    """

    name: str
    parts: int
    forward: Callable[[Mapping[str, Array], Array, Real], tuple[Array, Any]]
    backward: Callable[[Mapping[str, Array], Mapping[str, Array], Any, Array], Array]
    read: Callable[[Mapping[str, Array], Array, Packed], Array]
    shapes: Callable[[int], Shapes] = lambda D: {}


def share(real: Real, dtype: np.dtype[Any]) -> Array:
    """r / n: (S, B, 1)."""
    part: Array = np.divide(real, real.sum(0), dtype=dtype)
    return part[..., None]


def mean_max(weights: Mapping[str, Array], h: Array, real: Real) -> tuple[Array, Any]:
    """(1) and (2) side by side: (B, 2 D)."""
    part, padding, seen = share(real, h.dtype), ~real, h.copy()
    seen[padding] = -np.inf
    peak = seen.max(0)
    highest = first(seen == peak)
    seen[padding] = 0
    mean = np.multiply(seen, part, out=seen).sum(0)
    return np.concatenate([mean, peak], axis=1), (part, highest)


def first(there: NDArray[np.bool_]) -> NDArray[np.int32]:
    """there (S, B, D) -> (B, D) the first step that is, else the last; argmax is slower by far."""
    left = np.arange(len(there), 0, -1, dtype=np.int32)  # steps from each on
    ranked = there * left[:, None, None]
    return np.asarray(len(there) - ranked.max(0, initial=1), np.int32)


def mean_max_backward(
    weights: Mapping[str, Array], gradients: Mapping[str, Array], tape: Any, dpooled: Array
) -> Array:
    """The mean's gradient goes to all steps, the maximum's to the first one where it stood."""
    part, highest = tape
    dmean, dpeak = np.split(dpooled, 2, axis=1)
    dh = part * dmean  # 1'
    dh.reshape(len(dh), -1)[highest.ravel(), np.arange(highest.size)] += dpeak.ravel()  # 2'
    return np.asarray(dh)


def read_mean_max(weights: Mapping[str, Array], h: Array, packed: Packed) -> Array:
    """(1) and (2) side by side: (B, 2 D)."""
    n = packed.lengths().astype(h.dtype)[:, None]
    return np.concatenate([total(h, packed) / n, peaks(h, packed)], axis=1)


def attention(weights: Mapping[str, Array], h: Array, real: Real) -> tuple[Array, Any]:
    """(4): (B, D)."""
    e = np.where(real, h @ weights[WEIGHT], -np.inf)
    a = np.exp(e - e.max(0))
    a /= a.sum(0)  # (3)
    return np.einsum("sb,sbd->bd", a, h), (a, h)


def attention_backward(
    weights: Mapping[str, Array], gradients: Mapping[str, Array], tape: Any, dpooled: Array
) -> Array:
    """4', then 3'."""
    a, h = tape
    da = np.einsum("bd,sbd->sb", dpooled, h)
    de = a * (da - (a * da).sum(0))
    gradients[WEIGHT][...] = np.einsum("sb,sbd->d", de, h)
    return np.asarray(a[..., None] * dpooled + de[..., None] * weights[WEIGHT])


def read_attention(weights: Mapping[str, Array], h: Array, packed: Packed) -> Array:
    """(4): (B, D)."""
    e, places = apart(h, weights[WEIGHT][None]), packed.places()
    a = np.exp(e - peaks(e, packed)[places])
    return np.asarray(total(a * h, packed) / total(a, packed))


def total(x: Array, packed: Packed) -> Array:
    """Rows x (N, D) summed over time, one after the other: (B, D)."""
    out = np.zeros((packed.counts[-1], x.shape[1]), x.dtype)
    for step in packed.steps():
        out[: step.stop - step.start] += x[step]
    return out


def peaks(x: Array, packed: Packed) -> Array:
    """The largest of rows x (N, D) over time: (B, D)."""
    out = np.full((packed.counts[-1], x.shape[1]), -np.inf, x.dtype)
    for step in packed.steps():
        some = out[: step.stop - step.start]
        np.maximum(some, x[step], out=some)
    return out


POOLS: dict[str, Pool] = {
    pool.name: pool
    for pool in (
        Pool("mean-max", 2, mean_max, mean_max_backward, read_mean_max),
        Pool(
            "attention", 1, attention, attention_backward, read_attention, lambda D: {WEIGHT: (D,)}
        ),
    )
}
