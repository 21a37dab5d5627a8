"""A neural cache: what followed states like this one, in the text just read (Grave et al. 2017).

With h_i the top that predicted the word x_i, over the last N words read:

    p_cache(w) = sum_{i: x_i = w} exp(theta h_i . h) / sum_i exp(theta h_i . h)           (1)
    p(w) = (1 - lambda) p_model(w) + lambda p_cache(w)                                    (2)

An empty cache says nothing: (2) is p_model. With theta = 0 it counts words. For one setting to
suit networks of any size,

    theta = sharpness / mean_i h_i . h_i                                                  (3)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.errors import ConfigError
from lmtool.models.predictor import Predictor, State, Top, joined, rows
from lmtool.text.vocabulary import Vocabulary

__all__ = ["Cached"]

NONE = -1  # no word
quietly = np.errstate(over="ignore", invalid="ignore", divide="ignore")  # users check the numbers


class Memory(NamedTuple):
    """What B streams remember; axis 0 the stream."""

    model: State
    keys: Array  # (B, N, D) h_i, oldest first
    words: Ids  # (B, N) x_i, NONE where nothing was read yet
    last: Array  # (B, D) the top that predicts the next word
    begun: NDArray[np.bool_]  # (B,) whether there is one


class Seen(NamedTuple):
    """A row of the model and of its cache; axis 0 the row."""

    model: Top
    logits: Array  # (M, N) theta h_i . h, -inf where there is no word
    words: Ids  # (M, N)


@dataclass(frozen=True, slots=True)
class Cached:
    """(2): a predictor and the cache of its last N words.

    ``hidden`` gives the tops (M, D) of the model's rows. Raises ConfigError for what is no share.
    """

    model: Predictor
    size: int  # N
    weight: float  # lambda
    sharpness: float  # of (3)
    width: int  # D
    hidden: Callable[[Top], Array]

    def __post_init__(self) -> None:
        if not (0 <= self.weight <= 1 and self.sharpness >= 0 and self.size > 0):
            raise ConfigError("cache: a size, a weight from 0 to 1, a sharpness of at least 0")

    @property
    def vocabulary(self) -> Vocabulary:
        """That of the model."""
        return self.model.vocabulary

    @property
    def block(self) -> int:
        """Each stream remembers a text of its own."""
        return 1

    def zero_state(self, B: int = 1) -> Memory:
        """Nothing was read."""
        return Memory(
            self.model.zero_state(B),
            np.zeros((B, self.size, self.width), np.float32),
            np.full((B, self.size), NONE, np.int32),
            np.zeros((B, self.width), np.float32),
            np.zeros(B, np.bool_),
        )

    def step(self, ids: Ids, state: State) -> tuple[Top, State]:
        """One word a stream, each stream apart."""
        each = [self.read(ids[[b]], rows(state, slice(b, b + 1))) for b in range(len(ids))]
        tops, states = zip(*each, strict=True)
        return joined(tops), joined(states)

    @quietly
    def read(self, ids: Ids, state: State) -> tuple[Top, State]:
        """T words of one stream, ids (T,) -> T rows, each with the N words before it."""
        before = Memory(*state)
        top, after = self.model.read(ids, before.model)
        h = self.hidden(top)
        keys = np.concatenate([before.keys[0], before.last, h[:-1]])
        words = np.concatenate([before.words[0], ids])
        if not before.begun[0]:
            words[self.size] = NONE  # <EOS> before the first word, which nothing predicted
        some = np.arange(1, len(ids) + 1)[:, None] + np.arange(self.size)  # (T, N) of each row
        real = words[some] != NONE
        squares = np.where(real, np.square(keys).sum(axis=1)[some], 0).sum(axis=1)
        theta = self.sharpness * real.sum(axis=1) / squares  # (3)
        alike = np.take_along_axis(h @ keys.T, some, axis=1)
        logits = np.where(real, theta[:, None] * alike, -np.inf)
        seen = Seen(top, logits.astype(np.float32), words[some])
        newest = slice(len(ids), None)
        left = Memory(after, keys[newest][None], words[newest][None], h[-1:], np.ones(1, np.bool_))
        return tuple(seen), tuple(left)

    @quietly
    def log_probabilities(self, top: Top) -> Array:
        """ln of (2) for every token: M rows -> (M, V)."""
        seen, V = Seen(*top), self.vocabulary.n_tokens
        out = self.model.log_probabilities(seen.model)
        for row, p, words in zip(out, self._shares(seen), seen.words, strict=True):
            if words[-1] != NONE:
                real = words != NONE
                row[...] = self._mixed(row, np.bincount(words[real], p[real], V))
        return out

    @quietly
    def log_probability(self, top: Top, ids: Ids) -> Array:
        """ln of (2) for one token a row: M rows, ids (M,) -> (M,)."""
        seen = Seen(*top)
        logp = self.model.log_probability(seen.model, ids)
        p = np.where(seen.words == ids[:, None], self._shares(seen), 0).sum(axis=1)
        return np.where(seen.words[:, -1] == NONE, logp, self._mixed(logp, p))

    def _shares(self, seen: Seen) -> NDArray[np.float64]:
        """The summands of (1), (M, N): 0 where there is no word."""
        logits = seen.logits.astype(np.float64)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(p / p.sum(axis=1, keepdims=True))

    def _mixed(self, logp: Array, p: Any) -> Array:
        """ln of (2)."""
        own, remembered = np.log1p(-self.weight) + logp, np.log(self.weight) + np.log(p)
        mixed: Array = np.logaddexp(own, remembered, dtype=np.float64).astype(logp.dtype)
        return mixed
