"""Words as spelled: the case and the letters of each, whether the word is known or not.

A word is a row: its case, then its letters' ids, then 0 as padding. A letter's id is its place
among the known ones, from 2 on; 1 is any other letter, 0 what stands before and after a word.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids
from lmtool.display import Shown, counted
from lmtool.errors import ConfigError

__all__ = ["CASES", "LONGEST", "Letters"]

CASES = ("numeric", "mainly numeric", "lower", "upper", "initial upper", "mixed", "other")
LONGEST = 24  # letters; of longer words beginning and end
HALF = LONGEST // 2
N_SPECIALS, UNKNOWN = 2, 1
MOST = 2_000  # known letters
MIN_COUNT = 2  # a letter seen once teaches what an unknown one is like


@dataclass(frozen=True, eq=False, repr=False)
class Letters(Shown):
    """The known letters, by code point. Raises ConfigError for those that ``build`` never makes."""

    TENSOR = "letters"

    known: str  # distinct and ascending

    def __post_init__(self) -> None:
        if "\0" in self.known or len(self.known) > MOST or (np.diff(self._points) <= 0).any():
            raise ConfigError("letters: they are damaged")

    @classmethod
    def build(cls, counts: Mapping[str, int]) -> "Letters":
        """The most frequent letters of words as spelled, each word with its count."""
        letters: Counter[str] = Counter()
        for word, n in counts.items():
            for letter in word:
                letters[letter] += n
        ranked = sorted((-n, letter) for letter, n in letters.items() if n >= MIN_COUNT)
        return cls("".join(sorted(letter for _, letter in ranked[:MOST])))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> "Letters":
        """Those that ``tensors`` gave. Raises KeyError, ValueError or ConfigError for others."""
        spelled = tensors[cls.TENSOR]
        if spelled.dtype != np.uint8 or spelled.ndim != 1:
            raise ValueError("its letters are damaged")
        return cls(spelled.tobytes().decode())

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file keeps: UTF-8 bytes (n,)."""
        return {self.TENSOR: np.frombuffer(self.known.encode(), np.uint8)}

    def _parts(self) -> Iterator[str]:
        yield counted(len(self.known), "letter")

    def __len__(self) -> int:
        """A: ids, specials included."""
        return len(self.known) + N_SPECIALS

    @cached_property
    def _points(self) -> NDArray[np.int64]:
        """Code points."""
        return np.array([ord(letter) for letter in self.known], np.int64)

    def rows(self, words: Sequence[str]) -> Ids:
        """Words as spelled -> (N, 1 + LONGEST), the case of each and its letters.

        ``Todd`` -> ``4, T, o, d, d, 0, ...``
        """
        rows = np.zeros((len(words), 1 + LONGEST), np.int32)
        rows[:, 0] = [case_of(word) for word in words]
        points = code_points(words)
        places = np.searchsorted(self._points, points)
        found = np.append(self._points, -1)[places] == points
        rows[:, 1:] = np.where(found, places + N_SPECIALS, UNKNOWN) * (points > 0)
        return rows


def code_points(words: Sequence[str]) -> NDArray[np.int64]:
    """(N, LONGEST), 0 as padding."""
    short = [w if len(w) <= LONGEST else w[:HALF] + w[-HALF:] for w in words]
    spelled = np.array(short, f"U{LONGEST}")
    return spelled.view(np.uint32).reshape(len(words), LONGEST).astype(np.int64)


def case_of(word: str) -> int:
    """``1996`` numeric, ``1996-08`` mainly so, ``eu``, ``EU``, ``Eu``, ``eU`` or ``u2``, ``%``."""
    digits = sum(map(str.isdigit, word))
    if digits and (digits == len(word) or 2 * digits > len(word)):
        return 0 if digits == len(word) else 1
    if word.islower() or word.isupper():
        return 5 if digits else 2 if word.islower() else 3
    if word[:1].isupper():
        return 4
    return 5 if digits or any(map(str.isupper, word)) else 6
