"""The arrays that pass from room to room."""

import mmap
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Ids", "Shapes", "let_go"]

Array = NDArray[Any]  # of float32, or of float64 in gradient checks
Ids = NDArray[np.int32]
Shapes = Mapping[str, tuple[int, ...]]


def let_go(array: NDArray[Any]) -> None:
    """Takes what was read of a mapped file out of memory; the system may hold it elsewhere."""
    if isinstance(array, np.memmap) and array.mode == "r" and hasattr(mmap, "MADV_DONTNEED"):
        file: mmap.mmap = array._mmap  # type: ignore[attr-defined]
        file.madvise(mmap.MADV_DONTNEED)
