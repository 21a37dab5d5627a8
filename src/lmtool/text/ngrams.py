"""Runs of words as features: a number for each word, and for each run that a text repeats.

A word's number is its id. A run of n words that occurs often enough has the key

    number(its first n - 1 words) V + id(its last word)                      (1)

and its number is its place among the sorted keys of all runs of n words, after all shorter ones.
A run cannot be more frequent than its beginning, so (1) is defined for every one that is kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids
from lmtool.display import Shown, counted
from lmtool.errors import ConfigError

__all__ = ["Ngrams"]

Keys = NDArray[np.int64]
MIN_COUNT = 2
NONE = -1


@dataclass(frozen=True, eq=False, repr=False)
class Ngrams(Shown):
    """The runs of words that are known, for a vocabulary of ``n_words``.

    Raises ConfigError where the keys cannot be those of ``build``.
    """

    n_words: int  # V
    keys: tuple[Keys, ...] = ()  # ascending; of runs of 2 words, of 3, ...

    def __post_init__(self) -> None:
        shorter, V = range(self.n_words), self.n_words
        for n, keys in enumerate(self.keys, 2):
            whole = keys.dtype == np.int64 and keys.ndim == 1
            if not whole or (np.diff(keys) <= 0).any() or not inside(keys // V, shorter):
                raise ConfigError(f"n-grams: those of {n} words are damaged")
            shorter = range(shorter.stop, shorter.stop + len(keys))

    @classmethod
    def build(
        cls, words: Ids, offsets: Keys, n_words: int, longest: int, min_count: int = MIN_COUNT
    ) -> "Ngrams":
        """Those of at most ``longest`` words in lines end to end (N,), line i from offsets[i]."""
        known = cls(n_words)
        for _ in range(2, longest + 1):
            keys = next_keys(known._numbers(words, offsets)[-1], words, offsets, n_words)
            distinct, counts = np.unique(keys[keys >= 0], return_counts=True)
            known = cls(n_words, (*known.keys, distinct[counts >= min_count]))
        return known

    def _parts(self) -> Iterator[str]:
        yield counted(self.n_words, "word")
        for n, keys in enumerate(self.keys, 2):
            yield f"{len(keys):,} of {n}"

    def __len__(self) -> int:
        return self.n_words + sum(map(len, self.keys))

    def of(self, words: Ids, offsets: Keys) -> tuple[Ids, Keys]:
        """The distinct numbers in each line, ascending, end to end, and where each line begins.

        Lines as for ``build``: (N,) and (n + 1,) -> (M,) and (n + 1,).
        """
        lines = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        numbers = np.stack(self._numbers(words, offsets))  # (longest, N)
        named = (lines * len(self) + numbers)[numbers >= 0]
        line, number = np.divmod(np.unique(named), max(1, len(self)))
        return number.astype(np.int32), np.searchsorted(line, np.arange(len(offsets)))

    def tensors(self) -> dict[str, Keys]:
        """What a file holds: ``ngrams.2``, ``ngrams.3``, ..."""
        return {f"ngrams.{n}": keys for n, keys in enumerate(self.keys, 2)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Any], n_words: int, longest: int) -> "Ngrams":
        """The same again. Raises ConfigError."""
        names = [f"ngrams.{n}" for n in range(2, longest + 1)]
        if not set(names) <= set(tensors):
            raise ConfigError(f"n-grams: {' and '.join(names)} expected")
        return cls(n_words, tuple(tensors[name] for name in names))

    def _numbers(self, words: Ids, offsets: Keys) -> list[Keys]:
        """For each length the number of the run that ends at each place (N,), NONE where none."""
        numbers, base = [words.astype(np.int64)], self.n_words
        for known in self.keys:
            keys = next_keys(numbers[-1], words, offsets, self.n_words)
            places = np.searchsorted(known, keys)
            found = np.append(known, NONE)[places] == keys
            numbers.append(np.where(found & (keys >= 0), base + places, NONE))
            base += len(known)
        return numbers


def next_keys(numbers: Keys, words: Ids, offsets: Keys, n_words: int) -> Keys:
    """(1) of the runs that are one word longer (N,), NONE where there is none."""
    before = np.concatenate([[NONE], numbers[:-1]])[: len(numbers)]
    firsts = offsets[:-1]
    before[firsts[firsts < len(before)]] = NONE  # no run goes over the end of a line
    return np.where(before >= 0, before * n_words + words, NONE)


def inside(numbers: Keys, wanted: range) -> bool:
    """Whether all are in the range."""
    return bool(((numbers >= wanted.start) & (numbers < wanted.stop)).all())
