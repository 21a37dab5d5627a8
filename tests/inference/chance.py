"""A model of texts about sources, made of chance: what comes next hangs on all that came before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.models.predictor import rows
from lmtool.settings import SearchSettings, TextSettings
from lmtool.text.vocabulary import EOS_ID, UNK_ID, Vocabulary

__all__ = ["Chance", "ChanceModel", "everything", "vocabulary_of"]

Top = tuple[NDArray[np.int64], NDArray[np.int64]]  # which source, what was written as a number
State = Top


def vocabulary_of(*words: str) -> Vocabulary:
    """<EOS>, <UNK> and these."""
    counts = {word: len(words) - n for n, word in enumerate(words)}
    return Vocabulary.from_counts(counts, len(words), TextSettings())


@dataclass(frozen=True)
class Chance:
    """P(y | source) from random numbers; with ``eyes`` it looks somewhere, too."""

    vocabulary: Vocabulary
    sources: tuple[Array, ...] = (np.zeros(1, np.int32),)
    seed: int = 0
    eyes: bool = False
    block: int = 8
    known: dict[tuple[int, ...], Array] = field(default_factory=dict)

    @cached_property
    def names(self) -> NDArray[np.int64]:
        """A number for each source, by what it holds."""
        return np.array([hash(tuple(x.ravel().tolist())) % 1_000_003 for x in self.sources])

    def zero_state(self, B: int = 1) -> State:
        which = np.minimum(np.arange(B), len(self.sources) - 1)
        return which, np.zeros(B, np.int64)

    def step(self, ids: Ids, state: State) -> tuple[Top, State]:
        assert len(ids) == len(state[0])
        which, code = state
        after = which, (code * len(self.vocabulary) + ids + 1) % 2**40
        return after, after

    def read(self, ids: Ids, state: State) -> tuple[Top, State]:
        tops = []
        for one in ids:
            top, state = self.step(np.array([one], np.int32), state)
            tops.append(top)
        which, code = (np.concatenate(part) for part in zip(*tops, strict=True))
        return (which, code), state

    def drawn(self, *key: int, n: int) -> Array:
        """Shares that sum to 1, by chance."""
        if key not in self.known:
            z: Array = np.random.default_rng([self.seed, *map(int, key)]).normal(0, 1.5, n)
            self.known[key] = np.exp(z) / np.exp(z).sum()
        return self.known[key]

    def log_probabilities(self, top: Top) -> Array:
        V = len(self.vocabulary)
        rows = [self.drawn(self.names[b], code, n=V) for b, code in zip(*top, strict=True)]
        return np.asarray(np.log(np.stack(rows)), np.float32)

    def log_probability(self, top: Top, ids: Ids) -> Array:
        return np.asarray(self.log_probabilities(top)[np.arange(len(ids)), ids])

    def attention(self, top: Top) -> Sequence[Array] | None:
        if not self.eyes:
            return None
        return [
            self.drawn(7, self.names[b], code, n=len(self.sources[b]))
            for b, code in zip(*top, strict=True)
        ]


@dataclass(frozen=True)
class ChanceModel:
    """Writes about texts, whose words become numbers, or about vectors."""

    vocabulary: Vocabulary
    seed: int = 0
    eyes: bool = True
    block: int = 8

    def source(self, text: Any) -> Array:
        if isinstance(text, str):
            return np.array([sum(map(ord, word)) for word in text.split()], np.int32)
        return np.asarray(text, np.float32).reshape(1, -1)

    def given(self, sources: Sequence[Array]) -> Chance:
        return Chance(self.vocabulary, tuple(sources), self.seed, self.eyes, self.block)


def everything(
    model: Chance, b: int, settings: SearchSettings, most: int
) -> list[tuple[float, float, tuple[int, ...]]]:
    """(score, ln P, ids) of all texts of at most so many tokens, best first: the oracle."""
    tokens = [i for i in range(len(model.vocabulary)) if i != UNK_ID or settings.allow_unk]
    tokens.remove(EOS_ID)
    found = []
    for n in range(most + 1):
        for ids in product(tokens, repeat=n):
            logp = math.fsum(along(model, b, (*ids, EOS_ID)))
            found.append((logp / (n + 1) ** settings.length_norm, logp, (*ids, EOS_ID)))
    return sorted(found, key=lambda one: (-one[0], one[2]))


def along(model: Chance, b: int, ids: Sequence[int]) -> list[float]:
    """ln p of each."""
    state = rows(model.zero_state(len(model.sources)), np.array([b]))
    inputs = np.array([EOS_ID, *ids[:-1]], np.int32)
    top, _ = model.read(inputs, state)
    logp = model.log_probability(top, np.array(ids))
    return [float(x) for x in logp.astype(np.float64)]
