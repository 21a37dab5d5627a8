"""What a training step leaves out: units, weights from state to state, whole words."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array

__all__ = ["QUIET", "Noise", "dropout_mask", "masked", "weight_masks", "word_mask"]


class Noise(NamedTuple):
    """Shares left out in [0, 1), and what draws them; nothing is left out without ``rng``."""

    dropout: float = 0.0  # units
    weight_drop: float = 0.0  # weights from state to state
    word_drop: float = 0.0  # words
    rng: np.random.Generator | None = None


QUIET = Noise()


def dropout_mask(rng: np.random.Generator | None, p: float, like: Array) -> Array | None:
    """One mask for all time steps (Gal & Ghahramani 2016): 0 and 1 / (1 - p), like (B, D)."""
    if not p or rng is None:
        return None
    keep = rng.random(like.shape, np.float32) >= p
    return np.multiply(keep, 1 / (1 - p), dtype=like.dtype)


def masked(x: Array, mask: Array | None) -> Array:
    """x (T, B, D) times its mask, (B, D) or (T, B, 1); its own backward pass."""
    return x if mask is None else x * mask


def weight_masks(weights: Mapping[str, Array], noise: Noise) -> dict[str, Array]:
    """A mask for each matrix from state to state (Merity et al. 2018): 0 and 1 / (1 - p)."""
    names = [name for name in weights if ".weight_hh" in name]
    masks = {name: dropout_mask(noise.rng, noise.weight_drop, weights[name]) for name in names}
    return {name: mask for name, mask in masks.items() if mask is not None}


def word_mask(embedding: Array, noise: Noise, ids: NDArray[np.int32]) -> Array | None:
    """A mask for each word of the vocabulary (Gal & Ghahramani 2016), at ids (T, B): (T, B, 1)."""
    mask = dropout_mask(noise.rng, noise.word_drop, embedding[:, :1])
    return None if mask is None else mask[ids]
