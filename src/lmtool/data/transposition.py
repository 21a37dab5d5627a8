"""Pieces of note tokens moved along the keyboard: other pieces that sound alike.

n(k) -> n(k + s)      n(k): the token of key k;  s: of each piece in each pass, -K .. K       (1)

Only such s are drawn for a piece as leave all of its tokens in the vocabulary; 0 is one.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids
from lmtool.errors import ConfigError, option
from lmtool.music.notes import moved
from lmtool.text.vocabulary import EOS_ID, N_SPECIALS, Vocabulary

__all__ = ["Transposition"]

NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Transposition:
    """What moves the pieces of a text, a line each; pure in the place."""

    table: Ids  # (2 K + 1, V): the ids of moved tokens, NONE where there is no such token
    starts: NDArray[np.int64]  # (n,) of the pieces
    order: NDArray[np.int8]  # (2 K + 1, n): rows of the table, those that a piece can bear first
    n_borne: NDArray[np.int64]  # (n,) how many these are
    seed: int

    @classmethod
    def of(cls, vocabulary: Vocabulary, ids: Ids, most: int, seed: int) -> "Transposition":
        """By up to ``most`` semitones, K. Raises ConfigError for a token that is no note."""
        table = moves(vocabulary, most)
        ends = np.flatnonzero(np.asarray(ids) == EOS_ID)
        starts = np.concatenate([[0], ends[ends + 1 < len(ids)] + 1])
        borne = np.stack([np.logical_and.reduceat((row >= 0)[ids], starts) for row in table])
        order = np.argsort(~borne, axis=0, kind="stable").astype(np.int8)
        return cls(table, starts, order, borne.sum(0), seed)

    def __call__(self, ids: Ids, places: NDArray[np.int64], n_ids: int) -> Ids:
        """Ids (T, B) at ``places`` (T, B) of a text of ``n_ids`` that is read again and again."""
        pieces = np.searchsorted(self.starts, places % n_ids, "right") - 1
        passes = places // n_ids
        rows = np.zeros_like(pieces)
        for time in np.unique(passes):
            chosen = (drawn(self.seed, int(time), len(self.starts)) * self.n_borne).astype(np.int64)
            row = self.order[chosen, np.arange(len(chosen))]
            rows = np.where(passes == time, row[pieces], rows)
        return self.table[rows, ids]


@lru_cache(maxsize=4)
def drawn(seed: int, time: int, n: int) -> NDArray[np.float64]:
    """A number from 0 to 1 for each piece in a pass."""
    return np.random.default_rng((seed, time)).random(n)


def moves(vocabulary: Vocabulary, most: int) -> Ids:
    """(2 K + 1, V), by (1). Raises ConfigError."""
    tokens = vocabulary.tokens[N_SPECIALS:]
    strange = next((token for token in tokens if moved(token, 0) is None), None)
    if strange is not None:
        message = f"{strange[:20]!r} is no note, and only notes can be moved"
        raise ConfigError(f"{option('transpose')}: {message}; leave it out")
    known = {token: place for place, token in enumerate(tokens, N_SPECIALS)}
    table = np.tile(np.arange(vocabulary.n_tokens, dtype=np.int32), (2 * most + 1, 1))
    for row, by in enumerate(range(-most, most + 1)):
        table[row, N_SPECIALS:] = [known.get(moved(token, by) or "", NONE) for token in tokens]
    return table
