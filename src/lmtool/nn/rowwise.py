"""Products in which a row's bits are its own: no neighbour and no place in the matrix changes them.

BLAS promises nothing of the kind: the last rows and columns of a matrix often go through another
kernel, which adds up in another order. So products are cut into tiles of one width, in which BLAS
is tried on the processor at hand, at every place and with any number of rows.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array
from lmtool.workers import single_threaded_blas

__all__ = ["Tile", "apart", "keeps_rows_apart", "parts", "passed", "product", "tile"]


class Tile(NamedTuple):
    """What BLAS multiplies at once."""

    rows: int
    width: int  # columns
    full: bool  # always so many rows, the last ones zeros; else from 2 on any number


TILES = (
    Tile(32, 32, False),  # OpenBLAS for AVX-512 copies no matrix where M K N is at most 10**6
    Tile(16, 32, False),
    Tile(8, 32, False),
    Tile(8, 512, True),  # OpenBLAS for AVX2 has a kernel of 12 rows and another for the rest
)
Product = Callable[[Array, Array], Array]
ELEMENTWISE: tuple[Callable[[Array], Array], ...] = (np.exp, np.tanh, np.log)


def product(x: Array, W: Array) -> Array:
    """x (M, K) W' (K, N) -> (M, N); from two rows on each row has bits of its own."""
    fit = tile(x.shape[1], x.dtype.char) if len(x) > 1 else None
    if fit is None:
        return np.asarray(x @ W.T)
    M, N = len(x), len(W)
    x, W = to_multiple(x, fit.rows if fit.full else 1), at_least(W, fit.width)
    out = np.empty((len(x), len(W)), x.dtype)
    for part in parts(len(x), fit.rows):
        in_strips(x[part], W, fit.width, out[part])
    return out[:M, :N]


def apart(x: Array, W: Array) -> Array:
    """The same, where a single row, too, has the bits that it has among others."""
    return product(x, W) if len(x) != 1 else product(np.concatenate([x, x]), W)[:1]


def in_strips(x: Array, W: Array, width: int, out: Array) -> None:
    """out (M, N) = x (M, K) W'; the last strip of so many columns overlaps the one before."""
    n = len(W) // width
    strips = W[: n * width].reshape(n, width, -1)  # a view
    columns = out[:, : n * width].reshape(len(x), n, width)
    np.matmul(x, strips.swapaxes(1, 2), out=columns.swapaxes(0, 1))
    if len(W) > n * width:
        np.matmul(x, W[-width:].T, out=out[:, -width:])


def parts(n: int, size: int) -> Iterator[slice]:
    """range(n) in parts of at most size, 3 or more; none of one row, which would be no matrix."""
    start = 0
    while start < n:
        stop = min(n, start + size - (n - start == size + 1))
        yield slice(start, stop)
        start = stop


def to_multiple(x: Array, rows: int) -> Array:
    """x with zeros below, in memory row by row."""
    return at_least(x, -(-len(x) // rows) * rows)


def at_least(x: Array, rows: int) -> Array:
    """x in memory row by row, with zeros below where it has fewer rows."""
    if len(x) >= rows:
        return np.ascontiguousarray(x)
    padded = np.zeros((rows, x.shape[1]), x.dtype)
    padded[: len(x)] = x
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


def passes(one: Tile, K: int, dtype: str, multiply: Product = np.matmul) -> bool:
    """Whether a row has the same bits at every place and in any company."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((one.rows, K)).astype(dtype)
    W = rng.standard_normal((one.width, K)).astype(dtype)
    expected = multiply(x, W.T)
    every = np.arange(one.rows)
    if one.full:
        places = [np.roll(every, n) for n in every]
    else:
        places = [place for n in every[2:] for place in (every[:n], every[-n:])]
    return all(np.array_equal(multiply(x[place], W.T), expected[place]) for place in places)


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
