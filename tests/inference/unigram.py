"""The least of all predictors: the next word does not depend on those before."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.text.vocabulary import Vocabulary

__all__ = ["Unigram"]

Top = tuple[NDArray[np.int64]]  # how many words came before, of each row
State = tuple[NDArray[np.int64]]


@dataclass(frozen=True)
class Unigram:
    """The shares of the words in the training text; its state counts words, to see it handed on."""

    vocabulary: Vocabulary
    block: int = 4

    def zero_state(self, B: int = 1) -> State:
        return (np.zeros(B, np.int64),)

    def step(self, ids: Ids, state: State) -> tuple[Top, State]:
        assert len(ids) == len(state[0])
        return state, (state[0] + 1,)

    def read(self, ids: Ids, state: State) -> tuple[Top, State]:
        return (state[0] + np.arange(len(ids)),), (state[0] + len(ids),)

    def log_probabilities(self, top: Top) -> Array:
        counts = self.vocabulary.counts + 1
        return np.tile(np.log(counts / counts.sum()), (len(top[0]), 1))

    def log_probability(self, top: Top, ids: Ids) -> Array:
        return np.asarray(self.log_probabilities(top)[np.arange(len(ids)), ids])
