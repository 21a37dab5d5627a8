"""What reads a source: words, also as spelled, or frames, or one vector -> the tops of its cells.

v = letters of each word, every distinct one of the batch computed once    (1)
x = [embedding[ids] * word mask, v, case],  or  x = frames W'              (2)
top = stack(x), each source from zero state at its first real step         (3)
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids, Shapes
from lmtool.data.batch import Batch
from lmtool.nn import letters
from lmtool.nn import stack as stacks
from lmtool.nn.embedding import embedding_backward
from lmtool.nn.noise import Noise, masked, word_mask
from lmtool.nn.packed import Packed, packed
from lmtool.nn.parameters import Parameters
from lmtool.nn.rowwise import apart, passed
from lmtool.nn.stack import Stack, States, Tape

__all__ = ["CASE", "EMBEDDING", "FRAMES", "Encoded", "Read", "encode", "encode_backward"]
__all__ += ["keeps_apart", "read", "source_shapes", "spelling_shapes"]

EMBEDDING, FRAMES = "source.embedding.weight", "source.weight"
CASE = "case.embedding.weight"


class Spelled(NamedTuple):
    """The distinct words of a batch."""

    letters: Ids  # (M, W)
    places: NDArray[np.intp]  # (S, B) or (N,) which of them stands there
    cases: Ids  # (S, B) or (N,)


class Encoded(NamedTuple):
    """What a source became, and what the backward pass needs."""

    top: Array  # (S, B, D)
    last: States  # after the last step
    words: Array | None  # the word mask (S, B, 1)
    spelled: Spelled | None
    windows: letters.Tape | None
    tape: Tape


class Read(NamedTuple):
    """What sources became: the rows of all of them, and where they belong."""

    top: Array  # (N, D)
    last: States  # after the last step, longest first
    rows: Packed


def source_shapes(E: int, n_words: int, n_features: int) -> Shapes:
    """One matrix: a row for each of the words, or a column for each number of a frame."""
    return {EMBEDDING: (n_words, E)} if n_words else {FRAMES: (E, n_features)}


def spelling_shapes(A: int, C: int, F: int, n_cases: int, size: int) -> Shapes:
    """C numbers for each of A letters and F filters, ``size`` for a case; what is 0 is absent."""
    own = letters.shapes(A, C, F) if C and F else {}
    return {**own, **({CASE: (n_cases, size)} if size else {})}


def encode(stack: Stack, parameters: Mapping[str, Array], batch: Batch, noise: Noise) -> Encoded:
    """The forward pass; the tops at padding mean nothing."""
    words = v = own = None
    if EMBEDDING in parameters:
        words = word_mask(parameters[EMBEDDING], noise, source_of(batch))
    spelled = spelled_of(parameters, batch)
    if spelled is not None and letters.VECTORS in parameters:
        v, own = letters.forward(parameters, spelled.letters)  # (1)
    x = features(parameters, source_of(batch), words, spelled, v)
    state = stack.zero_state(x.shape[1], x.dtype)
    keep, turn = batch.keep().astype(x.dtype), batch.turn()
    top, last, tape = stacks.forward(stack, parameters, x, state, keep, noise, turn)  # (3)
    return Encoded(top, last, words, spelled, own, tape)


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
    )  # 3'
    source = source_of(batch)
    if EMBEDDING in parameters:
        E = parameters[EMBEDDING].shape[1]
        add_at(gradients[EMBEDDING], source, masked(dx[..., :E], encoded.words))  # 2'
        spelled_backward(parameters, gradients, encoded, dx[..., E:])
    else:
        flat = dx.reshape(-1, dx.shape[-1])
        gradients[FRAMES][...] = flat.T @ source.reshape(len(flat), -1)


def spelled_backward(
    parameters: Mapping[str, Array], gradients: Parameters, encoded: Encoded, dx: Array
) -> None:
    """2' of letters and case, and 1'; dx (S, B, F + size)."""
    spelled, own = encoded.spelled, encoded.windows
    if spelled is not None and own is not None:
        dv: Array = np.empty(own.where.shape, dx.dtype)
        add_at(dv, spelled.places, dx[..., : dv.shape[1]])
        letters.backward(parameters, gradients, own, dv)
    if spelled is not None and CASE in parameters:
        add_at(gradients[CASE], spelled.cases, dx[..., -parameters[CASE].shape[1] :])


def add_at(total: Array, ids: NDArray[np.integer], dx: Array) -> None:
    """total (V, E) = dx (S, B, E) at rows ids (S, B), else 0."""
    total[...] = 0
    embedding_backward(total, ids, dx)


def read(stack: Stack, parameters: Mapping[str, Array], batch: Batch) -> Read:
    """(1) to (3) in numpy, a source's bits being its own where products keep rows apart."""
    source = source_of(batch)
    rows = packed(batch.first(), len(source))
    spelled, v = spelled_of(parameters, batch, rows), None
    if spelled is not None and letters.VECTORS in parameters:
        v = letters.read(parameters, spelled.letters)
    x = features(parameters, source[rows.times, rows.columns], None, spelled, v, apart)
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
    words: Array | None,
    spelled: Spelled | None,
    v: Array | None,
    multiply: Callable[[Array, Array], Array] = product,
) -> Array:
    """(2): ids (...) or frames (..., F) -> (..., I)."""
    if EMBEDDING not in parameters:
        W = parameters[FRAMES]
        flat = multiply(np.asarray(source, W.dtype).reshape(-1, source.shape[-1]), W)
        return flat.reshape(*source.shape[:-1], -1)
    parts = [masked(parameters[EMBEDDING][source], words)]
    if spelled is not None and v is not None:
        parts.append(v[spelled.places])
    if spelled is not None and CASE in parameters:
        parts.append(parameters[CASE][spelled.cases])
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)


def spelled_of(
    parameters: Mapping[str, Array], batch: Batch, rows: Packed | None = None
) -> Spelled | None:
    """The words as spelled, if the model looks at them. Raises ValueError where they are not."""
    if letters.VECTORS not in parameters and CASE not in parameters:
        return None
    if batch.spellings is None or batch.letters is None:
        raise ValueError("the batch has no spellings")
    spellings = batch.spellings if rows is None else batch.spellings[rows.times, rows.columns]
    distinct, places = np.unique(spellings, return_inverse=True)
    own = batch.letters[distinct]
    places = places.reshape(spellings.shape)
    return Spelled(own[:, 1:], places, own[:, 0][places])


def source_of(batch: Batch) -> Array:
    """The source. Raises ValueError without one."""
    if batch.source is None:
        raise ValueError("the batch has no source")
    return batch.source
