"""Arrays of different lengths in one: no object for each of them, memory as small as the data."""

from array import array
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.text.rows import Rows

__all__ = ["Ragged"]

DTYPES = {"i": np.dtype(np.int32), "u": np.dtype(np.int32), "f": np.dtype(np.float32)}


class Ragged:
    """n arrays end to end: (N,) ids or (N, F) frames, array i from ``offsets[i]`` on.

    Both may be memory maps. Raises ValueError for offsets (n + 1,) that do not cut ``flat``.
    """

    def __init__(self, flat: Array, offsets: NDArray[np.int64]) -> None:
        self.flat, self.offsets = flat, offsets
        if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(flat):
            raise ValueError(f"offsets from 0 to {len(flat)} expected")
        if (np.diff(offsets) < 0).any():
            raise ValueError("offsets that never fall expected")

    @classmethod
    def of(cls, arrays: Iterable[Array]) -> "Ragged":
        """Arrays, taken one by one: whole numbers become int32, others float32.

        Raises ValueError where one has another kind of number, or frames of another width.
        """
        gathered = Gathering()
        for x in arrays:
            gathered.add(x)
        return gathered.ragged()

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> Array:
        """Array i, a view."""
        rows: Array = self.flat[self.offsets[i] : self.offsets[i + 1]]
        return rows

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,)"""
        return np.diff(self.offsets)

    def renumbered(self, ids: Sequence[int]) -> "Ragged":
        """Numbers k as ids[k]."""
        return Ragged(np.array(ids, np.int32)[self.flat], self.offsets)

    def respelled(self, rows: Rows) -> "Ragged":
        """Each number k as row k, which may have several numbers."""
        ends = np.append(0, np.cumsum(rows.lengths[self.flat]))
        return Ragged(rows.along(self.flat), ends[self.offsets])

    def occurring(self, some: NDArray[np.intp], names: Sequence[str]) -> dict[str, int]:
        """The names of numbers that occur in some of the arrays, each with its count."""
        meant = np.zeros(len(self), np.bool_)
        meant[some] = True
        own = self.flat[np.repeat(meant, self.lengths)]
        counts = np.bincount(own, minlength=len(names)).tolist()
        return {name: n for name, n in zip(names, counts, strict=True) if n}

    def side_by_side(self, some: NDArray[np.intp], fill: float) -> tuple[Array, NDArray[np.int32]]:
        """((T, B) or (T, B, F), first real steps (B,)): some arrays as columns that end together.

        T is the longest length; ``fill`` stands in front of the shorter ones. An array without any
        step counts as one step of ``fill``, so that every column has a real step.
        """
        lengths = self.offsets[some + 1] - self.offsets[some]
        T = max(1, int(lengths.max()))
        starts = (T - np.maximum(lengths, 1)).astype(np.int32)
        return self._columns(some, T - lengths, T, fill), starts

    def from_the_top(self, some: NDArray[np.intp], fill: float) -> Array:
        """(T, B): some arrays as columns that begin together, ``fill`` below the shorter ones."""
        lengths = self.offsets[some + 1] - self.offsets[some]
        return self._columns(some, np.zeros_like(lengths), max(1, int(lengths.max())), fill)

    def _columns(
        self, some: NDArray[np.intp], begin: NDArray[np.int64], T: int, fill: float
    ) -> Array:
        """Some arrays as columns of T steps, each from its own step ``begin`` (B,) on."""
        first, stop = self.offsets[some], self.offsets[some + 1]
        places = first - begin + np.arange(T)[:, None]  # (T, B)
        real = (places >= first) & (places < stop)
        columns = np.full((*real.shape, *self.flat.shape[1:]), fill, self.flat.dtype)
        columns[real] = self.flat[places[real]]
        return columns


class Gathering:
    """Room that grows with the arrays that are put into it."""

    def __init__(self) -> None:
        self._raw, self._offsets, self._n = bytearray(), array("q", [0]), 0
        self._dtype: np.dtype[np.generic] | None = None
        self._shape: tuple[int, ...] = ()

    def add(self, x: Array) -> None:
        """One array more."""
        dtype = DTYPES.get(x.dtype.kind)
        if dtype is None:
            raise ValueError(f"array {len(self._offsets) - 1}: {x.dtype} holds no numbers")
        if self._dtype is None:
            self._dtype, self._shape = dtype, x.shape[1:]
        if (dtype, x.shape[1:]) != (self._dtype, self._shape):
            found, first = (dtype, x.shape[1:]), (self._dtype, self._shape)
            raise ValueError(f"array {len(self._offsets) - 1}: {found} where the first has {first}")
        self._raw += x.astype(dtype, order="C", copy=False).data.cast("B") if x.size else b""
        self._n += len(x)
        self._offsets.append(self._n)

    def ragged(self) -> Ragged:
        """All of them, without a copy."""
        dtype = self._dtype or np.dtype(np.int32)
        flat = np.frombuffer(self._raw, dtype).reshape(self._n, *self._shape)
        return Ragged(flat, np.frombuffer(self._offsets, np.int64))
