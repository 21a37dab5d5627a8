"""Vectors of words by counting: what stands near what, more often than by chance.

n_ij = sum over pairs at distance d <= W of (W + 1 - d) / W, times keep_i keep_j     (1)
m_ij = max(0, ln n_ij - ln n_i - ln q_j),  q_j ~ n_j^0.75, sum_j q_j = 1             (2)
M ~ U S V',  e = U S^p                                                               (3)

n_i = sum_j n_ij. (1) is what a window drawn from 1 .. W and a subsampled text give on average.
(2): positive pointwise mutual information, contexts smoothed; (3): Levy, Goldberg & Dagan 2015;
found by a random range and power iterations (Halko, Martinsson & Tropp 2011).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.text.vocabulary import EOS_ID, N_SPECIALS
from lmtool.workers import Workers, slices

__all__ = ["Sparse", "cooccurrences", "count_vectors", "information", "truncated"]

SMOOTHED = 0.75  # power of a context's count in (2)
POWER = 0.5  # p
BEYOND = 20  # columns of the random range beyond those that are kept
ITERATIONS = 3
CHUNK = 1 << 21  # tokens counted at a time
PIECES = 64  # of a product; who computes one changes no bit


class Sparse(NamedTuple):
    """A matrix (V, V) by rows, columns ascending in each."""

    offsets: NDArray[np.int64]  # (V + 1,)
    columns: Ids  # (n,)
    values: Array  # (n,)

    def transposed(self) -> "Sparse":
        """Its columns as rows."""
        V = len(self.offsets) - 1
        order = np.argsort(self.columns, kind="stable")
        rows = np.repeat(np.arange(V, dtype=np.int32), np.diff(self.offsets))
        offsets = np.searchsorted(self.columns[order], np.arange(V + 1))
        return Sparse(offsets, rows[order], self.values[order])

    def times(self, x: Array, workers: Workers) -> Array:
        """The product with x (V, E)."""
        from lmtool.nn import kernels  # counting loads numba, as training does

        out, V = np.empty_like(x), len(self.offsets) - 1

        def part(some: slice) -> None:
            kernels.multiply_sparse(*self, x, out, some.start, some.stop)

        workers.map(part, slices(V, PIECES))
        return out


Pairs = tuple[NDArray[np.int64], NDArray[np.float64]]  # keys i V + j, ascending; their counts


def count_vectors(
    ids: Ids, keep: NDArray[np.float64], W: int, size: int, seed: int, threads: int = 1
) -> Array:
    """(V, size) vectors of the words of a text (N,), <EOS> after each line; 0 for the specials.

    ``keep`` (V,) are shares of each word that are read. The bits do not follow ``threads``.
    """
    V = len(keep)
    with Workers(threads) as workers:
        m = information(cooccurrences(ids, keep, W), V)
        U, S = truncated(m, min(size, V), np.random.default_rng(seed), workers)
    e = np.zeros((V, size), np.float32)
    e[:, : U.shape[1]] = U * S**POWER
    e[np.diff(m.offsets) == 0] = 0  # nothing is known of these words
    return e


def cooccurrences(ids: Ids, keep: NDArray[np.float64], W: int) -> Pairs:
    """(1), of both orders of each pair."""
    V, found = len(keep), (np.zeros(0, np.int64), np.zeros(0))
    for keys, weights in chunks(ids, keep, W, V):
        found = merged(np.append(found[0], keys), np.append(found[1], weights))
    keys, n = found
    return merged(np.append(keys, keys % V * V + keys // V), np.append(n, n))


def chunks(ids: Ids, keep: NDArray[np.float64], W: int, V: int) -> Iterator[Pairs]:
    """Parts of (1), the first word of a pair before the second; unknown words are left out."""
    for start in range(0, len(ids), CHUNK):
        part = np.asarray(ids[start : start + CHUNK + W]).astype(np.int64)
        ends = np.cumsum(part == EOS_ID)
        words = np.flatnonzero((part >= N_SPECIALS) & (keep[part] > 0))
        own = words < CHUNK  # those after are the next chunk's
        part, line = part[words], ends[words]
        for d in range(1, min(W, len(part) - 1) + 1):
            together = np.flatnonzero((line[d:] == line[:-d]) & own[:-d])
            left, right = part[together], part[together + d]
            yield merged(left * V + right, (W + 1 - d) / W * keep[left] * keep[right])


def merged(keys: NDArray[np.int64], n: NDArray[np.float64]) -> Pairs:
    """Equal keys summed, ascending."""
    if not len(keys):
        return keys, n
    order = np.argsort(keys, kind="stable")
    keys, n = keys[order], n[order]
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    return keys[first], np.add.reduceat(n, first)


def information(pairs: Pairs, V: int) -> Sparse:
    """(2)."""
    keys, n = pairs
    rows, columns = keys // V, keys % V
    totals = np.bincount(rows, n, V)
    q = totals**SMOOTHED
    with np.errstate(divide="ignore"):
        log_n, log_q = np.log(totals), np.log(q / max(1e-300, q.sum()))
    m = np.log(n) - log_n[rows] - log_q[columns]
    some = m > 0
    offsets = np.searchsorted(rows[some], np.arange(V + 1))
    return Sparse(offsets, columns[some].astype(np.int32), m[some].astype(np.float32))


def truncated(
    m: Sparse, size: int, rng: np.random.Generator, workers: Workers
) -> tuple[Array, Array]:
    """U (V, size) and S (size,) of (3), signs so that each column's largest number is positive."""
    V, turned = len(m.offsets) - 1, m.transposed()
    x = rng.standard_normal((V, min(V, size + BEYOND)), np.float32)
    for _ in range(ITERATIONS):
        x = orthonormal(m.times(x, workers))
        x = orthonormal(turned.times(x, workers))
    U, S, _ = np.linalg.svd(m.times(x, workers), full_matrices=False)
    U, S = U[:, :size], S[:size]
    largest = np.take_along_axis(U, np.abs(U).argmax(axis=0)[None], axis=0)
    return U * np.where(largest < 0, np.float32(-1), np.float32(1)), S


def orthonormal(x: Array) -> Array:
    """A basis of the columns' space."""
    q: Array = np.ascontiguousarray(np.linalg.qr(x)[0])
    return q
