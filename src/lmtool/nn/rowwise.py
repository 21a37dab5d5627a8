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

__all__ = ["Tile", "apart", "keeps_rows_apart", "parts", "passed", "product", "products"]
__all__ += ["stackable", "tile"]


class Tile(NamedTuple):
    """What BLAS multiplies at once."""

    rows: int
    width: int  # columns
    group: int  # rows come in so many, the last ones zeros
    least: int  # or in so many, where no more are left
    margin: int = 0  # columns at either edge that come out differently from ``group`` rows on


TILES = (
    Tile(32, 32, 1, 2),  # OpenBLAS for AVX-512 copies no matrix where M K N is at most 10**6
    Tile(16, 32, 1, 2),
    Tile(8, 32, 1, 2),
    # OpenBLAS for AVX2 has a kernel of 12 rows, which adds up in another order from the seventh on,
    # but in 8 columns at an edge alone
    Tile(384, 272, 12, 2, 8),
    Tile(8, 512, 8, 8),
)
STACKED = 8  # rows of many products at once
Product = Callable[[Array, Array], Array]
ELEMENTWISE: tuple[Callable[[Array], Array], ...] = (np.exp, np.tanh, np.log)


def product(x: Array, W: Array) -> Array:
    """x (M, K) W' (K, N) -> (M, N); from two rows on each row has bits of its own."""
    fit = tile(x.shape[1], x.dtype.char) if len(x) > 1 else None
    if fit is None:
        return np.asarray(x @ W.T)
    rows, columns, margin = slice(len(x)), len(W), fit.margin
    x = at_least(x, n_rows(len(x), fit))
    if columns >= fit.width:
        return multiplied(x, W, edges(W, margin), fit)[rows]
    narrow = at_least(W, max(fit.width - margin, columns + margin), margin)
    return multiplied(x, narrow, None, fit)[rows, margin : margin + columns]


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


def multiplied(x: Array, W: Array, ends: Array | None, fit: Tile) -> Array:
    """x (M, K) W' of as many rows as BLAS may get; ``ends`` has W's edges inside."""
    if ends is not None and len(x) == fit.least:
        return np.asarray(x @ W.T)
    out, m = np.empty((len(x), len(W)), x.dtype), fit.margin
    for part in parts(len(x), fit.rows):
        if not m:
            in_strips(x[part], W, fit.width, out[part])
            continue
        in_windows(x[part], W, fit.width, m, out[part])
        if ends is not None:
            found = x[part] @ ends.T
            out[part, :m], out[part, -m:] = found[:, m : 2 * m], found[:, 2 * m : -m]
    return out


def in_strips(x: Array, W: Array, width: int, out: Array) -> None:
    """out (M, N) = x (M, K) W'; the last strip of so many columns overlaps the one before."""
    n = len(W) // width
    strips = W[: n * width].reshape(n, width, -1)  # a view
    columns = out[:, : n * width].reshape(len(x), n, width)
    np.matmul(x, strips.swapaxes(1, 2), out=columns.swapaxes(0, 1))
    if len(W) > n * width:
        np.matmul(x, W[-width:].T, out=out[:, -width:])


def in_windows(x: Array, W: Array, width: int, margin: int, out: Array) -> None:
    """The same but for a margin on either side; what one strip lacks, those beside it have."""
    last = len(W) - width
    for start in (*range(0, last, width - 2 * margin), last):
        before = out[:, start : start + margin].copy()
        np.matmul(x, W[start : start + width].T, out=out[:, start : start + width])
        if start:
            out[:, start : start + margin] = before


def edges(W: Array, margin: int) -> Array | None:
    """The first and last rows of W between as many zeros, (4 margin, K)."""
    ends = [W[:margin], W[-margin:]]
    return at_least(np.concatenate(ends), 3 * margin, margin) if margin else None


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
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, K)).astype(dtype)
    W = rng.standard_normal((one.width, K)).astype(dtype)
    inside = slice(one.margin, one.width - one.margin)
    few = multiply(x.repeat(one.least, axis=0), W[inside].T)
    found = (multiply(x.repeat(M, axis=0), W.T)[:, inside] for M in counts(one))
    return all((y == few[0]).all() for y in (few, *found))


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
