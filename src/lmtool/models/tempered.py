"""A predictor at another temperature: how sure it is of itself, told from a text it has not seen.

    p_T(w | h) = p(w | h)^(1/T) / sum_v p(v | h)^(1/T)                                 (1)

T below 1 makes a distribution sharper, above 1 flatter (Guo et al. 2017 for classifiers).
"""

from dataclasses import dataclass

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.models.predictor import Predictor, State, Top, rows
from lmtool.nn.rowwise import parts
from lmtool.text.vocabulary import Vocabulary

__all__ = ["Tempered", "pieces", "tempered"]

CHUNK = 1 << 22  # probabilities held at once
LEAST = 3  # rows of a piece


def pieces(n: int, V: int) -> list[slice]:
    """The rows of n distributions over V tokens, as many at once as memory is for."""
    return list(parts(n, max(LEAST, CHUNK // V)))


def tempered(logp: Array, temperature: float) -> Array:
    """(1) of ln p (N, V)."""
    scaled = logp / np.float32(temperature)
    scaled -= scaled.max(axis=1, keepdims=True)
    scaled -= np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    return scaled


@dataclass(frozen=True, slots=True)
class Tempered:
    """(1) of any predictor; tops and states are its own."""

    model: Predictor
    temperature: float

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens of the predictor."""
        return self.model.vocabulary

    @property
    def block(self) -> int:
        """Streams side by side, as the predictor takes them."""
        return self.model.block

    def zero_state(self, B: int = 1) -> State:
        """The predictor's."""
        return self.model.zero_state(B)

    def step(self, ids: Ids, state: State) -> tuple[Top, State]:
        """The predictor's."""
        return self.model.step(ids, state)

    def read(self, ids: Ids, state: State) -> tuple[Top, State]:
        """The predictor's."""
        return self.model.read(ids, state)

    def log_probabilities(self, top: Top) -> Array:
        """ln p of every token: N rows -> (N, V)."""
        return tempered(self.model.log_probabilities(top), self.temperature)

    def log_probability(self, top: Top, ids: Ids) -> Array:
        """ln p of one token a row: N rows, ids (N,) -> (N,)."""
        out: Array = np.empty(len(ids), np.float32)
        for some in pieces(len(ids), self.vocabulary.n_tokens):
            logp = self.log_probabilities(rows(top, some))
            out[some] = logp[np.arange(len(logp)), ids[some]]
        return out
