"""Layers around the cells: (forward, backward) pairs."""

import numpy as np
from numpy.typing import NDArray

from lmtool.nn.parameters import Array

__all__ = ["dropout_mask", "embedding_backward", "masked"]


def dropout_mask(rng: np.random.Generator | None, p: float, like: Array) -> Array | None:
    """One mask for all time steps (Gal & Ghahramani 2016): 0 and 1 / (1 - p), like (B, D)."""
    if not p or rng is None:
        return None
    keep = rng.random(like.shape, np.float32) >= p
    return np.multiply(keep, 1 / (1 - p), dtype=like.dtype)


def masked(x: Array, mask: Array | None) -> Array:
    """x (T, B, D) times its mask, (B, D) or (T, B, 1); its own backward pass."""
    return x if mask is None else x * mask


def embedding_backward(gradient: Array, ids: NDArray[np.int32], dx: Array) -> None:
    """gradient (V, E) += dx (T, B, E) at rows ids (T, B)."""
    from lmtool.nn import kernels  # only training loads numba

    kernels.scatter_add(dx.reshape(-1, dx.shape[-1]), ids.ravel(), gradient)
