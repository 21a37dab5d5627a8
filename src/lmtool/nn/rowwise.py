"""Products in which a row's bits are its own: no neighbour and no place in the matrix changes them.

BLAS promises nothing of the kind: the last rows and columns of a matrix often go through another
kernel, which adds up in another order. So products are cut into tiles of one width, in which BLAS
is tried on the processor at hand, at every place and with any number of rows. Where rows differ at
the edges of BLAS's own blocks alone, the columns there are computed once more, away from any edge.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.workers import single_threaded_blas

__all__ = ["Tile", "apart", "keeps_rows_apart", "parts", "passed", "product", "products"]
__all__ += ["stackable", "tile"]


class Tile(NamedTuple):
    """What BLAS multiplies at once."""

    rows: int
    width: int  # columns
    group: int  # rows come in so many, the last ones zeros
    least: int  # or in so many, where no more are left
    margin: int = 0  # columns at either edge of a width in which rows of a group differ


TILES = (
    Tile(32, 32, 1, 2),  # OpenBLAS for AVX-512 copies no matrix where M K N is at most 10**6
    Tile(16, 32, 1, 2),
    Tile(8, 32, 1, 2),
    Tile(384, 320, 12, 2, 8),  # OpenBLAS for AVX2 has a kernel of 12 rows, which adds up in another
    Tile(384, 512, 12, 2, 8),  # order from the seventh on, but at the edges of its blocks alone
    Tile(8, 512, 8, 8),
)
BLOCKS = 3  # of a trial
STACKED = 8  # rows of many products at once
Product = Callable[[Array, Array], Array]
ELEMENTWISE: tuple[Callable[[Array], Array], ...] = (np.exp, np.tanh, np.log)


def product(x: Array, W: Array) -> Array:
    """x (M, K) W' (K, N) -> (M, N); from two rows on each row has bits of its own."""
    fit = tile(x.shape[1], x.dtype.char) if len(x) > 1 else None
    if fit is None:
        return np.asarray(x @ W.T)
    M, N = len(x), len(W)
    x = at_least(x, n_rows(M, fit))
    if fit.margin:
        return in_blocks(x, W, fit)[:M]
    W = at_least(W, fit.width)
    out = np.empty((len(x), len(W)), x.dtype)
    for part in parts(len(x), fit.rows):
        in_strips(x[part], W, fit.width, out[part])
    return out[:M, :N]


def apart(x: Array, W: Array) -> Array:
    """The same, where a single row, too, has the bits that it has among others."""
    return product(x, W) if len(x) != 1 else product(np.concatenate([x, x]), W)[:1]


def products(x: Array, W: Array) -> Array:
    """x (B, M, K) W' (B, K, N) -> (B, M, N), many small ones; every row has bits of its own."""
    B, M, K = x.shape
    if not stackable(K, W.shape[1], x.dtype.char):
        return np.stack([apart(own, each) for own, each in zip(x, W, strict=True)])
    rows = np.zeros((B, -(-M // STACKED), STACKED, K), x.dtype)
    rows.reshape(B, -1, K)[:, :M] = x
    found: Array = np.matmul(rows, W.swapaxes(1, 2)[:, None])
    return found.reshape(B, -1, W.shape[1])[:, :M]


def in_strips(x: Array, W: Array, width: int, out: Array) -> None:
    """out (M, N) = x (M, K) W'; the last strip of so many columns overlaps the one before."""
    n = len(W) // width
    strips = W[: n * width].reshape(n, width, -1)  # a view
    columns = out[:, : n * width].reshape(len(x), n, width)
    np.matmul(x, strips.swapaxes(1, 2), out=columns.swapaxes(0, 1))
    if len(W) > n * width:
        np.matmul(x, W[-width:].T, out=out[:, -width:])


def in_blocks(x: Array, W: Array, fit: Tile) -> Array:
    """x (M, K) W' of as many rows as BLAS may get; columns at an edge come from within others."""
    if len(x) == fit.least and len(W) >= fit.width:
        return np.asarray(x @ W.T)
    out, m, whole = np.empty((len(x), len(W)), x.dtype), fit.margin, len(W) // fit.width * fit.width
    edges, most = at_edges(len(W), fit), fit.width - 2 * m
    cuts = [edges[i : i + most] for i in range(0, len(edges), most)]
    within = [(some, at_least(W[some], -(-len(some) // m) * m + m, m)) for some in cuts]
    for part in parts(len(x), fit.rows):
        if whole:
            np.matmul(x[part], W[:whole].T, out=out[part, :whole])
        for some, others in within:
            out[part, some] = (x[part] @ others.T)[:, m : m + len(some)]
    return out


@cache
def at_edges(N: int, fit: Tile) -> NDArray[np.intp]:
    """Of N columns those at an edge of a block, and those beyond the last whole one."""
    columns = np.arange(N)
    place = columns % fit.width
    inside = (place >= fit.margin) & (place < fit.width - fit.margin)
    return columns[~inside | (columns >= N // fit.width * fit.width)]


def n_rows(n: int, fit: Tile) -> int:
    """What BLAS gets for n rows: whole groups, and the least number where no more are left."""
    whole, rest = divmod(n, fit.group)
    return n if not rest else whole * fit.group + (fit.least if rest <= fit.least else fit.group)


def parts(n: int, size: int) -> Iterator[slice]:
    """range(n) in parts of at most size, 3 or more; none of one row, which would be no matrix."""
    start = 0
    while start < n:
        stop = min(n, start + size - (n - start == size + 1))
        yield slice(start, stop)
        start = stop


def at_least(x: Array, rows: int, above: int = 0) -> Array:
    """x in memory row by row, with zeros below where it has fewer rows, and so many above."""
    if len(x) >= rows and not above:
        return np.ascontiguousarray(x)
    padded = np.zeros((above + max(rows, len(x)), x.shape[1]), x.dtype)
    padded[above : above + len(x)] = x
    return padded


# --- the trial ------------------------------------------------------------------------------


def passed(widths: Iterable[int], dtype: str) -> bool:
    """Whether products of so many factors, and numpy's functions, keep rows apart."""
    return keeps_rows_apart(dtype) and None not in {tile(K, dtype) for K in widths}


@cache
def tile(K: int, dtype: str) -> Tile | None:
    """The first tile of K factors in which BLAS keeps rows apart; None where there is none."""
    with single_threaded_blas():
        return next((one for one in TILES if passes(one, K, dtype)), None)


@cache
def stackable(K: int, N: int, dtype: str) -> bool:
    """Whether STACKED rows of K factors keep apart where there are N columns."""
    with single_threaded_blas():
        return passes(Tile(STACKED, N, STACKED, STACKED), K, dtype)


def passes(one: Tile, K: int, dtype: str, multiply: Product = np.matmul) -> bool:
    """Whether a row has the same bits at every place, however many there are."""
    rng, n = np.random.default_rng(0), one.width * (BLOCKS if one.margin else 1)
    x = rng.standard_normal((1, K)).astype(dtype)
    W = rng.standard_normal((n, K)).astype(dtype)
    inside = np.ones(n, np.bool_)
    inside[at_edges(n, one) if one.margin else []] = False
    few = multiply(x.repeat(one.least, axis=0), W.T)
    found = (multiply(x.repeat(M, axis=0), W.T)[:, inside] for M in counts(one))
    return all((y == few[0, inside]).all() for y in found)


def counts(one: Tile) -> list[int]:
    """How many rows BLAS may get: some where there are many, since they come in groups."""
    if one.group == 1:
        return list(range(one.least, one.rows + 1))
    return sorted(
        {n_rows(min(n, one.rows), one) for n in (2, one.group, one.group + 2, 3 * one.group)}
    )


@cache
def keeps_rows_apart(dtype: str) -> bool:
    """Whether numpy gives a number the same bits wherever it stands in an array."""
    x = np.random.default_rng(0).uniform(0.01, 9, 100).astype(dtype)
    return all(
        np.array_equal(function(x[start : start + n]), function(x)[start : start + n])
        for function in ELEMENTWISE
        for start in range(17)
        for n in range(1, 34)
    )
