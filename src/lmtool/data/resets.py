"""Which streams start a line from zero state; a new context is one line in CONTEXTS."""

from collections.abc import Callable

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.text.vocabulary import EOS_ID

__all__ = ["CONTEXTS"]


RESET = 0.1  # share of the lines that start from zero state in the mixed context


def document(inputs: Ids, rng: np.random.Generator) -> Array | None:
    """The state carries over from line to line."""
    return None


def sentence(inputs: Ids, rng: np.random.Generator) -> Array:
    """Each line starts from zero state: 0 where the input (T, B) is <EOS>."""
    return np.not_equal(inputs, EOS_ID).astype(np.float32)


def mixed(inputs: Ids, rng: np.random.Generator) -> Array:
    """A random share of the lines starts from zero state."""
    carried = rng.random(inputs.shape, np.float32) >= RESET
    keep: Array = np.logical_or(inputs != EOS_ID, carried).astype(np.float32)
    return keep


CONTEXTS: dict[str, Callable[[Ids, np.random.Generator], Array | None]] = {
    "document": document,
    "sentence": sentence,
    "mixed": mixed,
}
