"""What scoring, sampling and all other reading need of a model: a distribution after each word.

Tops and states are arrays, or tuples of them, whose axis 0 is the row or the stream; whoever reads
knows no more of them than ``rows`` and ``joined``.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.text.vocabulary import Vocabulary

__all__ = ["Predictor", "State", "Top", "joined", "rows"]

Top = Any  # axis 0 the row
State = Any  # axis 0 the stream


class Predictor(Protocol):
    """A model of P(y_t | y_1 .. y_{t-1})."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The V tokens that it predicts."""
        ...

    @property
    def block(self) -> int:
        """Streams that ``step`` takes side by side, a stream's bits being its own; 1: none.

        They are so from two streams on, as are those of ``log_probability`` from two rows on.
        """
        ...

    def zero_state(self, B: int = 1) -> State:
        """The state of B streams before their first word."""
        ...

    def step(self, ids: Ids, state: State) -> tuple[Top, State]:
        """One word a stream, ids (B,) -> B rows and the state after them."""
        ...

    def read(self, ids: Ids, state: State) -> tuple[Top, State]:
        """T words of one stream, ids (T,) -> T rows and the state after the last."""
        ...

    def log_probabilities(self, top: Top) -> Array:
        """ln p of every token: N rows -> (N, V)."""
        ...

    def log_probability(self, top: Top, ids: Ids) -> Array:
        """ln p of one token a row: N rows, ids (N,) -> (N,)."""
        ...


def rows(x: Any, some: slice | Ids | NDArray[np.intp]) -> Any:
    """Some rows of every array in x."""
    return tuple(rows(part, some) for part in x) if isinstance(x, tuple) else x[some]


def joined(parts: Sequence[Any]) -> Any:
    """The rows of all parts, one below the other."""
    if isinstance(parts[0], tuple):
        return tuple(joined(each) for each in zip(*parts, strict=True))
    return np.concatenate(parts)
