"""Several numbers for one: the ids of each word, end to end."""

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows"]

AT_ONCE = 1 << 21  # ids


class Rows(NamedTuple):
    """n rows end to end, row i from ``offsets[i]`` on."""

    flat: NDArray[np.int32]  # (N,)
    offsets: NDArray[np.int64]  # (n + 1,)

    @classmethod
    def of(cls, rows: Iterable[list[int]]) -> "Rows":
        """Lists, taken one by one."""
        flat, ends = array("i"), array("q", [0])
        for row in rows:
            flat.extend(row)
            ends.append(len(flat))
        return cls(np.array(flat, np.int32), np.array(ends, np.int64))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,)"""
        return np.diff(self.offsets)

    @property
    def single(self) -> bool:
        """Whether each row has one number."""
        return bool((self.lengths == 1).all())

    def along(self, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        """The rows of numbers (T,), one behind the other."""
        if self.single:
            one_each: NDArray[np.int32] = self.flat[numbers]
            return one_each
        lengths = self.lengths[numbers]
        ends = np.cumsum(lengths)
        shift = np.repeat(self.offsets[numbers] - ends + lengths, lengths)
        ids: NDArray[np.int32] = self.flat[shift + np.arange(len(shift))]
        return ids

    def in_parts(self, numbers: NDArray[np.int32]) -> Iterator[NDArray[np.int32]]:
        """The same, not many at a time unless a row is long."""
        if self.single:
            yield self.flat[numbers]
            return
        part = np.cumsum(self.lengths[numbers]) // AT_ONCE
        for some in np.split(numbers, np.flatnonzero(np.diff(part)) + 1):
            yield self.along(some)

    def holding(self, number: int) -> NDArray[np.bool_]:
        """Which rows hold the number: (n,)."""
        found = np.zeros(len(self.offsets) - 1, np.bool_)
        found[np.repeat(np.arange(len(found)), self.lengths)[self.flat == number]] = True
        return found
