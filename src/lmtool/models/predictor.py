"""What scoring, sampling and all other reading need of a model: a distribution after each word.

A model that writes about something gives such a predictor for each source: P(y | source).

Tops and states are arrays, or tuples of them, whose axis 0 is the row or the stream; whoever reads
knows no more of them than ``rows`` and ``joined``.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.text.vocabulary import Vocabulary

__all__ = ["Conditional", "Conditioned", "Predictor", "State", "Top", "forgets", "joined", "rows"]
__all__ += ["streamed"]

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
        """ln p of every token: N rows -> (N, V), the caller's own."""
        ...

    def log_probability(self, top: Top, ids: Ids) -> Array:
        """ln p of one token a row: N rows, ids (N,) -> (N,)."""
        ...


class Conditioned(Predictor, Protocol):
    """A predictor of what is written about n sources; a stream's state knows which is its own.

    Stream b of ``zero_state(n)`` writes about source b; of one source there may be any streams.
    """

    def attention(self, top: Top) -> Sequence[Array] | None:
        """Where each row looked in its source, arrays (S,) that sum to 1; None: it cannot look."""
        ...


class Conditional(Protocol):
    """A model of P(text | source)."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The V tokens that it writes."""
        ...

    @property
    def block(self) -> int:
        """Sources side by side, the bits of what is written about each being its own; 1: none.

        So are, from two on, those of the streams of ``given``.
        """
        ...

    def source(self, what: Any) -> Array:
        """What is read of a line, ids (S,), or of a vector, (1, F)."""
        ...

    def given(self, sources: Sequence[Array]) -> Conditioned:
        """What it writes about each of some sources."""
        ...


def forgets(model: Any) -> bool:
    """Whether nothing before a line counts in it: lines may be read as one stream, by ``stream``.

    A predictor says so itself; those of the protocol that do not, remember.
    """
    return bool(getattr(model, "forgets", False))


def streamed(model: Any, ids: Ids) -> Array:
    """ln p of each token of whole lines by a predictor that forgets, ids (T,) -> (T,)."""
    logp: Array = model.stream(ids)
    return logp


def rows(x: Any, some: slice | Ids | NDArray[np.intp]) -> Any:
    """Some rows of every array in x."""
    return tuple(rows(part, some) for part in x) if isinstance(x, tuple) else x[some]


def joined(parts: Sequence[Any]) -> Any:
    """The rows of all parts, one below the other."""
    if isinstance(parts[0], tuple):
        return tuple(joined(each) for each in zip(*parts, strict=True))
    return np.concatenate(parts)
