"""The n-grams of a text however long, in bounded memory: a tree of endings, in files without names.

Each place is a row: its token, then those before it as far as its line and N - 1 go. Sorted rows
have all n-grams with the same ending side by side, so that one pass over them tells how often each
n-gram occurs and how many tokens stand before it (Heafield et al. 2013). Rows are sorted some
millions at a time: those that begin within a range of tokens, which a scan of the text collects;
where one token alone has too many, within ranges of the token before it, and so on.

Of n-grams that may not be kept only those that occur twice are worth a place: what occurs once has
one token before it, and all the others after the same context are known.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids, let_go
from lmtool.text.vocabulary import EOS_ID

__all__ = ["Endings", "Spill", "tallied"]

ROWS = 1 << 22  # that are sorted at once
SLICE = 1 << 18  # rows whose codes are in memory
CHUNK = 1 << 22  # tokens of a text that are in memory
BITS = 64  # of a number
IN_MEMORY = 1 << 20  # bytes of an array that needs no file

Packed = NDArray[np.uint64]
Longs = NDArray[np.int64]


class Piece(NamedTuple):
    """The rows that begin with a head of codes and go on with one of a range."""

    head: tuple[int, ...]
    low: int
    high: int
    n: int


class Spill:
    """Numbers that are written bit by bit and read at once, from a file that nobody else sees."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self._n = 0

    def add(self, numbers: Ids) -> None:
        """At the end. Raises OSError."""
        self._file.write(numbers.data)
        self._n += len(numbers)

    def take(self) -> Ids:
        """All of them; the file is gone. Raises OSError."""
        numbers = np.empty(self._n, np.int32)
        self._file.seek(0)
        with self._file:
            for start in range(0, self._n, CHUNK):
                part = self._file.read(numbers.itemsize * CHUNK)
                numbers[start : start + CHUNK] = np.frombuffer(part, np.int32)
        return numbers

    def close(self) -> None:
        """The file is gone."""
        self._file.close()


class Endings(NamedTuple):
    """The n-grams of one order, by their last token, then the one before it, and so on: (n,)."""

    firsts: Spill  # the first token
    n: Spill  # how often
    left: Spill  # how many tokens stand before it; how often, of order N or where it begins a line
    stops: Spill  # where those one longer end that end with it; not of order N


@contextmanager
def tallied(
    ids: Ids, V: int, order: int, least: Sequence[int], most: int = ROWS
) -> Iterator[tuple[list[Endings], Longs]]:
    """The n-grams of N orders that occur more often than ``least``, 0 or 1 each, and the others.

    How many of each order these are, (N,), as they all occur once. ``ids`` (T,) are those of a
    corpus, ``<EOS>`` after each line; ``most`` rows of it are sorted at once. Raises OSError.
    """
    found = [Endings(Spill(), Spill(), Spill(), Spill()) for _ in range(order)]
    try:
        yield found, spilled(ids, V, order, least, most, found)
    finally:
        for spill in chain.from_iterable(found):
            spill.close()


def spilled(
    ids: Ids, V: int, order: int, least: Sequence[int], most: int, found: Sequence[Endings]
) -> Longs:
    """Adds what ``tallied`` gives; the number of what it leaves out."""
    from lmtool.models import kernels  # only what counts loads numba

    path, seen, kinds = (np.zeros(order, kind) for kind in (np.int32, np.int64, np.int64))
    sizes, once = np.zeros(order, np.int64), np.zeros(order, np.int64)
    limits = np.asarray(least, np.int64)
    for rows, counts in sorted_rows(ids, V, order, most):
        out = np.empty((4, order, len(rows) + 1), np.int32)
        made, passed = kernels.grow(rows, counts, limits, path, seen, kinds, sizes, out)
        once += passed
        for k, n in enumerate(made.tolist()):
            for spill, numbers in zip(found[k], out[:, k, :n], strict=True):
                spill.add(numbers)
    return once


def sorted_rows(ids: Ids, V: int, order: int, most: int) -> Iterator[tuple[Ids, Longs]]:
    """All distinct rows (U, N) ascending and how often each occurs; at last one of zeros."""
    for piece in pieces(ids, V, order, most):
        if len(piece.head) == order:  # all the same
            yield np.array([piece.head], np.int32), np.array([piece.n])
            continue
        plan = columns(V, order - len(piece.head), piece.high - piece.low, piece.n)
        keys, counts, tables = distinct(collected(ids, piece, plan), plan)
        for start in range(0, len(keys), SLICE):
            some = slice(start, start + SLICE)
            codes = unpacked(keys[some], plan, tables)
            codes[:, 0] += piece.low
            heads = np.broadcast_to(np.array(piece.head, np.int32), (len(codes), len(piece.head)))
            yield np.concatenate([heads, codes], axis=1), counts[some]
    yield np.zeros((1, order), np.int32), np.zeros(1, np.int64)


def pieces(ids: Ids, V: int, order: int, most: int, head: tuple[int, ...] = ()) -> Iterator[Piece]:
    """All rows in ascending order, no more than so many at a time if they differ."""
    from lmtool.models import kernels

    counts = np.zeros(V + 1, np.int64)
    for chunk, first in chunks(ids, order):
        kernels.spread(chunk, first, np.array(head, np.int32), counts)
    low = n = 0
    for code in np.flatnonzero(counts).tolist():
        more = int(counts[code])
        if n and n + more > most:
            yield Piece(head, low, code, n)
            n = 0
        if more > most:
            yield from heavy(ids, V, order, most, (*head, code), more)
            continue
        low, n = low if n else code, n + more
    if n:
        yield Piece(head, low, V + 1, n)


def heavy(
    ids: Ids, V: int, order: int, most: int, head: tuple[int, ...], n: int
) -> Iterator[Piece]:
    """The rows that begin with a head, which are many."""
    if len(head) == order or (len(head) > 1 and head[-1] == EOS_ID + 1):
        yield Piece((*head, *[0] * order)[:order], 0, 0, n)
    else:
        yield from pieces(ids, V, order, most, head)


def chunks(ids: Ids, order: int) -> Iterator[tuple[Ids, int]]:
    """The text in parts, each with the N - 1 tokens before it, and where it begins in that."""
    before = np.full(order - 1, EOS_ID, np.int32)
    for start in range(0, len(ids), CHUNK):
        chunk = np.concatenate([before, ids[start : start + CHUNK]]).astype(np.int32, copy=False)
        let_go(ids)
        yield chunk, len(before)
        before = chunk[len(chunk) - len(before) :]


def columns(V: int, depth: int, span: int, n: int) -> Longs:
    """How many codes go into one number, and of how many bits, until all have a place: (C, 2).

    The first code is one of a span; numbers but the first begin with a rank among n.
    """
    bits, room = V.bit_length(), BITS - (span - 1).bit_length()
    plan = [1 + min(depth - 1, room // bits)]
    while (left := depth - sum(plan)) > 0:
        plan.append(min(left, (BITS - n.bit_length()) // bits))
    return np.array([(codes, bits) for codes in plan], np.int64)


def collected(ids: Ids, piece: Piece, plan: Longs) -> list[Packed]:
    """The packed codes of a piece's rows, in the order of the text: of each column (n,)."""
    from lmtool.models import kernels

    out, n = np.empty((len(plan), piece.n), np.uint64), 0
    head, depth = np.array(piece.head, np.int32), len(piece.head) + int(plan[:, 0].sum())
    for chunk, first in chunks(ids, depth):
        n = kernels.collect(chunk, first, head, piece.low, piece.high, plan, out, n)
    return list(out)


def distinct(packed: list[Packed], plan: Longs) -> tuple[Packed, Longs, list[Packed]]:
    """The last numbers once, ascending; how often each occurs; what the ranks before stand for."""
    tables, keys = [], packed[0]
    for column, (codes, bits) in zip(packed[1:], plan[1:].tolist(), strict=True):
        order = np.argsort(keys)
        keys = keys[order]
        new = steps(keys)
        tables.append(keys[new])
        ranks = np.empty(len(keys), np.uint64)
        ranks[order] = np.cumsum(new) - 1
        keys = ranks << np.uint64(codes * bits) | column
    keys.sort()
    first = np.flatnonzero(steps(keys))
    return keys[first], np.diff(first, append=len(keys)), tables


def steps(keys: Packed) -> NDArray[np.bool_]:
    """Whether each of ascending keys differs from the one before."""
    new = np.empty(len(keys), np.bool_)
    new[:1], new[1:] = True, keys[1:] != keys[:-1]
    return new


def unpacked(keys: Packed, plan: Longs, tables: Sequence[Packed]) -> Ids:
    """The codes of some of the last numbers: (n, depth)."""
    parts = []
    for (codes, bits), table in zip(plan[:0:-1].tolist(), reversed(tables), strict=True):
        rank = keys >> np.uint64(codes * bits)
        parts.append(digits(keys ^ rank << np.uint64(codes * bits), codes, bits))
        keys = table[rank]
    parts.append(digits(keys, *plan[0].tolist()))
    return np.concatenate(parts[::-1], axis=1)


def digits(keys: Packed, codes: int, bits: int) -> Ids:
    """The codes of a number, the first of which may have more bits: (n, codes)."""
    out = np.empty((len(keys), codes), np.int32)
    for k in range(codes - 1, -1, -1):
        longer = keys >> np.uint64(bits)
        out[:, k] = keys ^ longer << np.uint64(bits) if k else keys
        keys = longer
    return out
