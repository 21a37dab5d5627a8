"""A convolution over the letters of a word, and the largest answer of each filter.

l (N, W) letters, 0 after the last and taken to stand before the first; L (A, C) their vectors;
filters K (F, C, 3) over three letters, b (F,):

    P_k = L K[:, :, k]'        what a letter adds at place k of three: (A, F)          (1)
    y[n, w] = P_0[l[n, w - 1]] + P_1[l[n, w]] + P_2[l[n, w + 1]]                       (2)
    v[n] = b + max of y[n, w] over the letters w of the word                           (3)

Ma & Hovy 2016. Letters are few, so (1) multiplies each of them once and (2) only looks up: no word
is in a product with another one, and what it becomes has bits of its own. A word without letters
counts as one letter 0.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids, Shapes
from lmtool.nn.rowwise import product

__all__ = ["VECTORS", "WIDTH", "Tape", "backward", "bounds", "forward", "read", "shapes"]

WIDTH = 3  # letters that a filter sees
VECTORS = "letters.embedding.weight"
FILTERS, BIAS = "letters.convolution.weight", "letters.convolution.bias"


class Tape(NamedTuple):
    """What the backward pass needs."""

    letters: Ids  # (N, W)
    where: NDArray[np.int32]  # (N, F) the w of the maximum, the first of equals


def shapes(A: int, C: int, F: int) -> Shapes:
    """Names and shapes of the weights, as torch.nn has them."""
    return {VECTORS: (A, C), FILTERS: (F, C, WIDTH), BIAS: (F,)}


def bounds(weights: Mapping[str, Array]) -> dict[str, float]:
    """Of the uniform distributions that the weights start from: answers are of size 1."""
    return {
        name: (of / weights[name].shape[1]) ** 0.5
        for name, of in ((VECTORS, WIDTH), (FILTERS, 1 / WIDTH))
        if name in weights
    }


def forward(weights: Mapping[str, Array], letters: Ids) -> tuple[Array, Tape]:
    """letters (N, W) -> v (N, F)."""
    from lmtool.nn import kernels  # only training loads numba

    P = np.matmul(weights[VECTORS], weights[FILTERS].transpose(2, 1, 0))  # (1)
    v = np.empty((len(letters), len(weights[BIAS])), P.dtype)
    where = np.empty(v.shape, np.int32)
    kernels.largest_of_windows(P, letters, v, where)  # (2), (3)
    return v + weights[BIAS], Tape(letters, where)


def backward(
    weights: Mapping[str, Array], gradients: Mapping[str, Array], tape: Tape, dv: Array
) -> None:
    """dv (N, F); ``gradients`` are overwritten."""
    from lmtool.nn import kernels

    L, K = weights[VECTORS], weights[FILTERS]
    dP = np.zeros((WIDTH, len(L), len(K)), dv.dtype)
    kernels.largest_of_windows_backward(tape.letters, tape.where, dv, dP)  # 3', 2'
    gradients[BIAS][...] = dv.sum(0)
    gradients[VECTORS][...] = np.einsum("kaf,fck->ac", dP, K, optimize=True)  # 1'
    gradients[FILTERS][...] = np.matmul(dP.swapaxes(1, 2), L).transpose(1, 2, 0)


def read(weights: Mapping[str, Array], letters: Ids) -> Array:
    """``forward`` in numpy, without a tape."""
    L, K = weights[VECTORS], weights[FILTERS]
    before, here, after = (product(L, np.ascontiguousarray(K[:, :, k])) for k in range(WIDTH))
    l = np.pad(letters, ((0, 0), (1, 1)))  # noqa: E741
    y = before[l[:, :-2]] + here[l[:, 1:-1]] + after[l[:, 2:]]
    y[:, 1:][letters[:, 1:] == 0] = -np.inf
    return np.asarray(y.max(1) + weights[BIAS])
