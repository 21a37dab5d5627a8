"""Several predictors of one vocabulary as one: a weighted mean of their probabilities.

    p_t = sum_k w_k p_t^k,   sum_k w_k = 1                                             (1)

The weights that make a text most probable, by expectation maximisation from equal ones:

    w_k <- mean_t (w_k p_t^k(y_t) / sum_j w_j p_t^j(y_t))                              (2)

It needs no more than a column of ln p(y_t) of each predictor (Jelinek and Mercer 1980). With
``buckets`` the weights follow the context, and those of the parts are their means.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.errors import ConfigError
from lmtool.models.buckets import CLUES, Buckets, Clue
from lmtool.models.predictor import Predictor, forgets, streamed
from lmtool.text.vocabulary import Vocabulary

__all__ = ["Columns", "Mixture", "Part", "columns_of", "fit_weights", "parts_of"]

MOST_ROUNDS = 1000
ENOUGH = 1e-10  # nats a token that a round of (2) must gain
EXACT = 1e-6  # how near to 1 weights add up

Tops = tuple[Any, ...]  # of each part
quietly = np.errstate(over="ignore", invalid="ignore", divide="ignore")  # users check the numbers


class Part(NamedTuple):
    """One of the predictors."""

    name: str
    weight: float
    model: Predictor


class Columns(NamedTuple):
    """What the parts say of some tokens, without a word of what they are mixed to."""

    logp: list[Array]  # (N,) of each part
    values: Array  # (N, F) of the clues


@dataclass(frozen=True, slots=True)
class Mixture:
    """(1). Raises ConfigError for other vocabularies, or weights that do not sum to 1."""

    parts: tuple[Part, ...]
    buckets: Buckets | None = None

    def __post_init__(self) -> None:
        weights = np.array([part.weight for part in self.parts])
        if not (len(weights) and (weights >= 0).all() and abs(weights.sum() - 1) < EXACT):
            raise ConfigError("mixture: weights of at least 0 that sum to 1 expected")
        if len({part.model.vocabulary.digest for part in self.parts}) > 1:
            raise ConfigError("mixture: the parts have different vocabularies")
        if self.buckets is not None and self.buckets.table.shape[1] != len(self.parts):
            raise ConfigError("mixture: its buckets are those of other parts")

    @property
    def vocabulary(self) -> Vocabulary:
        """That of all parts."""
        return self.parts[0].model.vocabulary

    @property
    def block(self) -> int:
        """Streams that every part takes side by side."""
        return min(part.model.block for part in self.parts)

    def zero_state(self, B: int = 1) -> Tops:
        """That of each part."""
        return tuple(part.model.zero_state(B) for part in self.parts)

    def step(self, ids: Ids, state: Tops) -> tuple[Tops, Tops]:
        """One word a stream, ids (B,) -> the rows and states of each part."""
        return self._each(lambda part, own: part.model.step(ids, own), state)

    def read(self, ids: Ids, state: Tops) -> tuple[Tops, Tops]:
        """T words of one stream, ids (T,) -> the rows and states of each part."""
        return self._each(lambda part, own: part.model.read(ids, own), state)

    @property
    def forgets(self) -> bool:
        """Whether nothing before a line counts in it."""
        return self.buckets is None and all(forgets(part.model) for part in self.parts)

    @property
    def clues(self) -> tuple[Clue, ...]:
        """What the weights follow."""
        return () if self.buckets is None else self.buckets.clues

    def log_probabilities(self, top: Tops) -> Array:
        """ln p of every token: N rows of each part -> (N, V)."""
        pairs = zip(self.parts, top, strict=True)
        logp = [part.model.log_probabilities(own) for part, own in pairs]
        return self.mixed(Columns(logp, told(self.parts, self.clues, top, len(logp[0]))))

    def log_probability(self, top: Tops, ids: Ids) -> Array:
        """ln p of one token a row: N rows of each part, ids (N,) -> (N,)."""
        return self.mixed(self.columns(top, ids))

    def stream(self, ids: Ids) -> Array:
        """ln p of each token of whole lines, ids (T,), where ``forgets``."""
        found = [streamed(part.model, ids) for part in self.parts]
        return self.mixed(Columns(found, np.zeros((len(ids), 0), np.float32)))

    def columns(self, top: Tops, ids: Ids) -> Columns:
        """ln p of one token a row, as each part has it, and the clues."""
        return columns_of(self.parts, self.clues, top, ids)

    @quietly
    def mixed(self, columns: Columns) -> Array:
        """ln of (1), from what each part has, (N,) or (N, V)."""
        if self.buckets is None:
            weights = np.log(np.array([part.weight for part in self.parts], np.float32))
            logw = [*weights]
        else:
            each = np.log(self.buckets.weights(columns.values)).T  # (K, N)
            logw = [w if columns.logp[0].ndim == 1 else w[:, None] for w in each]
        return reduce(np.logaddexp, [x + w for x, w in zip(columns.logp, logw, strict=True)])

    def _each(
        self, advance: Callable[[Part, Any], tuple[Any, Any]], state: Tops
    ) -> tuple[Tops, Tops]:
        after = [advance(part, own) for part, own in zip(self.parts, state, strict=True)]
        tops, states = zip(*after, strict=True)
        return tops, states


def columns_of(parts: tuple[Part, ...], clues: tuple[Clue, ...], top: Tops, ids: Ids) -> Columns:
    """ln p of one token a row, as each part has it, and what the clues say."""
    pairs = zip(parts, top, strict=True)
    logp = [part.model.log_probability(own, ids) for part, own in pairs]
    return Columns(logp, told(parts, clues, top, len(ids)))


def told(parts: tuple[Part, ...], clues: tuple[Clue, ...], top: Tops, n: int) -> Array:
    """What the clues say of n rows, (n, F)."""
    values = np.empty((n, len(clues)), np.float32)
    for f, clue in enumerate(clues):
        values[:, f] = CLUES[clue.kind](parts[clue.part].model, top[clue.part])
    return values


def parts_of(model: Predictor) -> tuple[Part, ...]:
    """The predictors that a model mixes; none where it mixes none."""
    parts: tuple[Part, ...] = getattr(model, "parts", ())
    return parts


def fit_weights(columns: NDArray[np.floating[Any]]) -> tuple[float, ...]:
    """(2), from ln p of each token as each part has it, (M, K)."""
    most = columns.max(axis=1, keepdims=True)
    p = np.exp(columns - most, dtype=np.float64)
    weights, before = np.full(p.shape[1], 1 / p.shape[1]), -np.inf
    for _ in range(MOST_ROUNDS):
        total = p @ weights
        gained = float(np.log(total).mean())
        if gained - before < ENOUGH:
            break
        weights, before = weights * (p / total[:, None]).mean(axis=0), gained
    weights /= weights.sum()
    return tuple(weights.tolist())
