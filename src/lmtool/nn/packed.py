"""Sequences of any length side by side, without padding: the rows that a step needs lie together.

They end together, so that more and more have begun: at step t the first counts[t] of them, the
longest first. Where products keep rows apart (``rowwise.apart``), a sequence read so has the same
bits alone and beside any others.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids

__all__ = ["Packed", "packed"]

Places = NDArray[np.int64]


class Packed(NamedTuple):
    """Where the N real steps of B sequences, padded at the front to (S, B), lie as rows."""

    counts: tuple[int, ...]  # rows of each step from the first one on; never falling, B at last
    times: Places  # (N,) of each row, its place in (S, B)
    columns: Places  # (N,)
    turn: Places  # (N,) the rows that reverse each sequence; its own inverse
    order: Places  # (B,) the column of each sequence, longest first

    def steps(self) -> Iterator[slice]:
        """The rows of each step."""
        start = 0
        for n in self.counts:
            yield slice(start, start + n)
            start += n

    def places(self) -> Places:
        """(N,) of each row, the place of its sequence, longest first."""
        return np.concatenate([np.arange(n) for n in self.counts])

    def lengths(self) -> Places:
        """(B,) of the sequences, longest first."""
        return np.bincount(self.columns)[self.order]

    def by_column(self, x: Array) -> Array:
        """x (B, ...), longest first, as the columns stand."""
        out = np.empty_like(x)
        out[self.order] = x
        return out

    def split(self, x: Array) -> list[Array]:
        """Rows x (N, ...) -> those of each column, in time."""
        rows = x[np.argsort(self.columns, kind="stable")]
        return np.split(rows, np.cumsum(np.bincount(self.columns))[:-1])


def packed(starts: Ids, S: int) -> Packed:
    """Sequences whose first real steps are ``starts`` (B,), each below S."""
    order, first = np.argsort(starts, kind="stable"), int(starts.min())
    begun = np.arange(first, S)[:, None] >= starts[order]
    times, places = np.nonzero(begun)
    row = (np.cumsum(begun) - 1).reshape(begun.shape)
    columns = order[places]
    turn = row[starts[columns] - first + len(begun) - 1 - times, places]
    return Packed(tuple(begun.sum(1).tolist()), times + first, columns, turn, order)
