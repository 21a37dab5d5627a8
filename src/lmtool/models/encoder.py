"""What reads a source: word ids, frames or one vector -> the tops of its cells.

x = embedding[ids] * word mask,  or  x = frames W'                     (1)
top = stack(x), each source from zero state at its first real step     (2)
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array, Shapes
from lmtool.data.batch import Batch
from lmtool.nn import stack as stacks
from lmtool.nn.embedding import embedding_backward
from lmtool.nn.noise import Noise, masked, word_mask
from lmtool.nn.packed import Packed, packed
from lmtool.nn.parameters import Parameters
from lmtool.nn.rowwise import apart, passed
from lmtool.nn.stack import Stack, States, Tape

__all__ = ["EMBEDDING", "FRAMES", "Encoded", "Read"]
__all__ += ["encode", "encode_backward", "keeps_apart", "read", "source_shapes"]

EMBEDDING, FRAMES = "source.embedding.weight", "source.weight"


class Encoded(NamedTuple):
    """What a source became, and what the backward pass needs."""

    top: Array  # (S, B, D)
    last: States  # after the last step
    words: Array | None  # the word mask (S, B, 1)
    tape: Tape


class Read(NamedTuple):
    """What sources became: the rows of all of them, and where they belong."""

    top: Array  # (N, D)
    last: States  # after the last step, longest first
    rows: Packed


def source_shapes(stack: Stack, n_words: int, n_features: int) -> Shapes:
    """One matrix: a row for each of the words, or a column for each number of a frame."""
    E = stack.inputs
    return {EMBEDDING: (n_words, E)} if n_words else {FRAMES: (E, n_features)}


def encode(stack: Stack, parameters: Mapping[str, Array], batch: Batch, noise: Noise) -> Encoded:
    """The forward pass; the tops at padding mean nothing."""
    source = source_of(batch)
    x, words = features(parameters, source), None
    if EMBEDDING in parameters:
        words = word_mask(parameters[EMBEDDING], noise, source)
    state = stack.zero_state(x.shape[1], x.dtype)
    keep, turn = batch.keep().astype(x.dtype), batch.turn()
    top, last, tape = stacks.forward(
        stack, parameters, masked(x, words), state, keep, noise, turn
    )  # (2)
    return Encoded(top, last, words, tape)


def encode_backward(
    stack: Stack,
    parameters: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    encoded: Encoded,
    dtop: Array,
    dlast: States | None = None,
) -> None:
    """Gradients of all that ``encode`` read, overwritten; dtop (S, B, D) is 0 at padding."""
    after = stacks.no_future(encoded.last) if dlast is None else dlast
    dx, _ = stacks.backward(
        stack, parameters, gradients, encoded.tape, dtop, after, batch.turn()
    )  # 2'
    source = source_of(batch)
    if EMBEDDING in parameters:
        gradients[EMBEDDING][...] = 0
        embedding_backward(gradients[EMBEDDING], source, masked(dx, encoded.words))  # 1'
    else:
        flat = dx.reshape(-1, dx.shape[-1])
        gradients[FRAMES][...] = flat.T @ source.reshape(len(flat), -1)


def read(stack: Stack, parameters: Mapping[str, Array], batch: Batch) -> Read:
    """(1), (2) in numpy, a source's bits being its own where products keep rows apart."""
    source, starts = source_of(batch), batch.starts
    if starts is None:
        raise ValueError("the batch has no source")
    rows = packed(starts, len(source))
    x = features(parameters, source[rows.times, rows.columns], apart)
    return Read(*stacks.read(stack, parameters, x, rows), rows)


def keeps_apart(stack: Stack, parameters: Parameters) -> bool:
    """Whether ``read`` gives a source the same bits beside others; tried on this processor."""
    widths = {x.shape[1] for x in parameters.values() if x.ndim == 2}  # all that multiply
    dtypes = {parameters.flat.dtype.char, "d"}  # of log-probabilities
    return all(passed(widths | {stack.outputs}, dtype) for dtype in dtypes)


def product(x: Array, W: Array) -> Array:
    """x (M, K) W' (K, N)."""
    return np.asarray(x @ W.T)


def features(
    parameters: Mapping[str, Array],
    source: Array,
    multiply: Callable[[Array, Array], Array] = product,
) -> Array:
    """(1): ids (...) or frames (..., F) -> (..., E)."""
    if EMBEDDING in parameters:
        return parameters[EMBEDDING][source]
    W = parameters[FRAMES]
    flat = multiply(np.asarray(source, W.dtype).reshape(-1, source.shape[-1]), W)
    return flat.reshape(*source.shape[:-1], -1)


def source_of(batch: Batch) -> Array:
    """The source. Raises ValueError without one."""
    if batch.source is None:
        raise ValueError("the batch has no source")
    return batch.source
