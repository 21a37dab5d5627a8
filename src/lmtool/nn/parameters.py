"""One flat vector with named views, so that update, norm, clip and save are one loop each."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lmtool.arrays import Array, Shapes
from lmtool.display import Shown, counted

__all__ = ["Parameters"]


class Parameters(Shown, Mapping[str, Array]):
    """Names -> arrays that share one flat vector; gradients and moments have the same layout.

    ``flat`` is used in place when given (its length must be the sum of all sizes), else zeros.
    """

    def __init__(
        self, shapes: Shapes, flat: Array | None = None, dtype: type[np.floating] = np.float32
    ) -> None:
        self.shapes = dict(shapes)
        size = sum(math.prod(shape) for shape in shapes.values())
        self.flat: Array = np.zeros(size, dtype) if flat is None else flat
        if self.flat.shape != (size,):
            raise ValueError(f"{size} numbers expected, {self.flat.shape} given")
        self._views = dict(self._slices())

    def _slices(self) -> Iterator[tuple[str, Array]]:
        start = 0
        for name, shape in self.shapes.items():
            stop = start + math.prod(shape)
            yield name, self.flat[start:stop].reshape(shape)
            start = stop

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __reduce__(self) -> tuple[Any, ...]:
        return Parameters, (self.shapes, self.flat)  # views again, and not copies

    def _parts(self) -> Iterator[str]:
        yield counted(len(self), "array")
        yield f"{self.flat.size:,} x {self.flat.dtype}"

    def like(self) -> "Parameters":
        """Zeros of the same layout and dtype."""
        return Parameters(self.shapes, np.zeros_like(self.flat))

    def copy(self) -> "Parameters":
        """The same numbers in a vector of their own."""
        return Parameters(self.shapes, self.flat.copy())
