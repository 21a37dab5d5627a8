"""Attention after a whole decoder run (Luong et al. 2015, "general", without input feeding).

Queries of all steps exist at once, so two batched products over time do the work and the cells'
loops stay as they are. Notation: h_t what the decoder says, m_s what the encoder says.

    k_s = W_k m_s                                                (1)
    e_ts = h_t k_s / sqrt(H), -inf at padding                    (2)
    a_t = softmax over s of e_t                                  (3)
    c_t = sum_s a_ts m_s                                         (4)
    y_t = tanh(W_y [h_t, c_t] + b_y)                             (5)
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Shapes
from lmtool.nn.rowwise import apart, products, stackable

__all__ = ["KEY", "Memory", "Tape", "backward", "forward", "keeps_apart"]
__all__ += ["look", "memories_of", "mixed", "shapes"]

KEY, MIX, BIAS = "attention.key", "attention.mix", "attention.bias"
STRIDE = 16  # steps of a memory, of which it holds a multiple: few widths need a trial
TRIED = range(STRIDE, 8 * STRIDE + 1, STRIDE)  # before anything is read; longer ones by themselves


class Tape(NamedTuple):
    """What the backward pass needs, sequences first."""

    m: Array  # (B, S, M)
    h: Array  # (B, T, H)
    k: Array  # (B, S, H)
    a: Array  # (B, T, S)
    both: Array  # (B, T, H + M) [h, c]
    y: Array  # (B, T, Y)


class Memory(NamedTuple):
    """n sources of like length, to be looked at by any number of queries."""

    sources: NDArray[np.intp]  # (n,) their numbers, ascending
    keys: Array  # (n, S', H) of (1), S' a multiple of STRIDE
    values: Array  # (n, M, S')
    lengths: NDArray[np.intp]  # (n,) S of each


def shapes(H: int, M: int, Y: int) -> Shapes:
    """Of a decoder of H numbers, a memory of M, an answer of Y."""
    return {KEY: (H, M), MIX: (Y, H + M), BIAS: (Y,)}


def forward(
    weights: Mapping[str, Array], h: Array, m: Array, real: NDArray[np.bool_]
) -> tuple[Array, Tape]:
    """h (T, B, H), m (S, B, M), real (S, B): where m is no padding -> y (T, B, Y), tape."""
    h, m = (np.ascontiguousarray(x.swapaxes(0, 1)) for x in (h, m))
    k = flatly(m, weights[KEY].T)  # (1)
    a = np.matmul(h, k.swapaxes(1, 2))
    a *= a.dtype.type(h.shape[2] ** -0.5)
    a += np.where(real.T, 0, -np.inf).astype(a.dtype)[:, None]  # (2)
    softmax(a)  # (3)
    both = np.concatenate([h, np.matmul(a, m)], axis=2)  # (4)
    y = flatly(both, weights[MIX].T)
    y += weights[BIAS]
    np.tanh(y, out=y)  # (5)
    return np.ascontiguousarray(y.swapaxes(0, 1)), Tape(m, h, k, a, both, y)


def backward(
    weights: Mapping[str, Array], gradients: Mapping[str, Array], tape: Tape, dy: Array
) -> tuple[Array, Array]:
    """dy (T, B, Y) -> dh (T, B, H), dm (S, B, M); ``gradients`` are overwritten."""
    m, h, k, a, both, y = tape
    H, scale = h.shape[2], a.dtype.type(h.shape[2] ** -0.5)
    dz = np.ascontiguousarray(dy.swapaxes(0, 1)) * (1 - y * y)  # 5'
    flat = dz.reshape(-1, dz.shape[2])
    np.dot(flat.T, both.reshape(len(flat), -1), out=gradients[MIX])
    gradients[BIAS][...] = flat.sum(0)
    dboth = flatly(dz, weights[MIX])
    dh, dc = dboth[..., :H], np.ascontiguousarray(dboth[..., H:])
    de = np.matmul(dc, m.swapaxes(1, 2))  # 4', da
    dm = np.matmul(a.swapaxes(1, 2), dc)
    de -= np.einsum("bts,bts->bt", de, a)[..., None]
    de *= a
    de *= scale  # 3', 2'
    dh = dh + np.matmul(de, k)
    dk = np.matmul(de.swapaxes(1, 2), h)
    np.dot(dk.reshape(-1, H).T, m.reshape(-1, m.shape[2]), out=gradients[KEY])  # 1'
    dm += flatly(dk, weights[KEY])
    return np.ascontiguousarray(dh.swapaxes(0, 1)), np.ascontiguousarray(dm.swapaxes(0, 1))


def flatly(x: Array, y: Array) -> Array:
    """x (B, T, K) y (K, N) -> (B, T, N) as one product; numpy would make one of each sequence."""
    product: Array = x.reshape(-1, x.shape[2]) @ y
    return product.reshape(*x.shape[:2], -1)


def memories_of(weights: Mapping[str, Array], m: Sequence[Array]) -> tuple[Memory, ...]:
    """Sources m, (S, M) each, those of like length together; the bits of each are its own."""
    lengths = np.array([len(one) for one in m])
    k = np.split(apart(np.concatenate(list(m)), weights[KEY]), np.cumsum(lengths)[:-1])  # (1)
    padded, found = -(-lengths // STRIDE) * STRIDE, []
    for S in np.unique(padded).tolist():
        some = np.flatnonzero(padded == S)
        keys, values = (side_by_side([x[i] for i in some.tolist()], S) for x in (k, m))
        values = np.ascontiguousarray(values.swapaxes(1, 2))
        found.append(Memory(some, keys, values, lengths[some]))
    return tuple(found)


def side_by_side(rows: Sequence[Array], S: int) -> Array:
    """Arrays (n, K) with zeros below -> (B, S, K)."""
    out = np.zeros((len(rows), S, rows[0].shape[1]), rows[0].dtype)
    for own, one in zip(out, rows, strict=True):
        own[: len(one)] = one
    return out


def look(h: Array, which: NDArray[np.intp], memories: Sequence[Memory]) -> tuple[Array, Array]:
    """``forward`` in numpy, of queries h (N, H), each to its source -> c (N, M), a (N, S)."""
    c = np.empty((len(h), memories[0].values.shape[1]), h.dtype)
    a = np.zeros((len(h), max(int(memory.lengths.max()) for memory in memories)), h.dtype)
    for memory in memories:
        some = np.flatnonzero(np.isin(which, memory.sources))
        if len(some):
            c[some], own = look_at(memory, h[some], np.searchsorted(memory.sources, which[some]))
            a[some, : own.shape[1]] = own
    return c, a


def look_at(memory: Memory, h: Array, which: NDArray[np.intp]) -> tuple[Array, Array]:
    """The same of queries to the sources of one memory, ``which`` their places there."""
    asked, place, n = np.unique(which, return_inverse=True, return_counts=True)
    _, keys, values, lengths = (part[asked] for part in memory)
    order = np.argsort(which, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(h)) - np.repeat(np.cumsum(n) - n, n)
    queries = np.zeros((len(asked), n.max(), h.shape[1]), h.dtype)
    queries[place, rank] = h
    a = products(queries, keys)
    a *= a.dtype.type(h.shape[1] ** -0.5)  # (2)
    a += np.where(np.arange(a.shape[2]) < lengths[:, None], 0, -np.inf).astype(a.dtype)[:, None]
    softmax(a)  # (3)
    c = products(a, values)  # (4)
    return c[place, rank], a[place, rank, : lengths.max()]


def mixed(weights: Mapping[str, Array], h: Array, c: Array) -> Array:
    """(5) of rows, each with bits of its own."""
    y: Array = np.tanh(apart(np.concatenate([h, c], axis=1), weights[MIX]) + weights[BIAS])
    return y


def softmax(e: Array) -> None:
    """In place, over the last axis."""
    e -= e.max(axis=-1, keepdims=True)
    np.exp(e, out=e)
    e /= e.sum(axis=-1, keepdims=True)


def keeps_apart(weights: Mapping[str, Array]) -> bool:
    """Whether a query has the same bits beside others; tried on this processor."""
    (H, M), dtype = weights[KEY].shape, weights[KEY].dtype.char
    return all(stackable(H, S, dtype) and stackable(S, M, dtype) for S in TRIED)
