"""The arrays that pass from room to room."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Ids", "Shapes"]

Array = NDArray[Any]  # of float32, or of float64 in gradient checks
Ids = NDArray[np.int32]
Shapes = Mapping[str, tuple[int, ...]]
