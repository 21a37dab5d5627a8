"""Ids to vectors: a row of a matrix each."""

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array

__all__ = ["BOUND", "embedding_backward"]

BOUND = 0.1  # of the uniform distribution that rows start from


def embedding_backward(gradient: Array, ids: NDArray[np.integer], dx: Array) -> None:
    """gradient (V, E) += dx (T, B, E) at rows ids (T, B)."""
    from lmtool.nn import kernels  # only training loads numba

    kernels.scatter_add(dx.reshape(-1, dx.shape[-1]), ids.ravel(), gradient)
