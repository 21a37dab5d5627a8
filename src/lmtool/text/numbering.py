"""Tokens to provisional numbers, in the order in which spellings turn up in a text."""

import secrets
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["LINE_END", "CharacterNumbering", "Numbering", "WordNumbering"]

LINE_END = 0  # the number of the token that ends a line
N_CODE_POINTS = 0x110000
FIRST_WORDS = 1 << 12  # room to begin with
FIRST_BYTES = 1 << 16


class Numbering(Protocol):
    """What a tokenizer numbers a text with."""

    def numbers(self, text: str) -> NDArray[np.int32]:
        """The number of each token of whole lines, LINE_END after each line; LF ends a line."""

    def spellings(self) -> list[str]:
        """The spelling of each number so far; that of LINE_END is LF."""


class WordNumbering:
    """Words at Unicode white space, a lone CR included. The arrays are those of text/kernels.py."""

    def __init__(self) -> None:
        self._n = 1
        self._arena = np.full(FIRST_BYTES, ord("\n"), np.uint8)
        self._starts = np.zeros(FIRST_WORDS, np.int64)
        self._starts[1] = 1
        self._slots = np.zeros((2 * FIRST_WORDS, 2), np.uint64)  # at most half of them used
        self._secret = np.array([secrets.randbits(64) | 1, secrets.randbits(64) | 1], np.uint64)

    def numbers(self, text: str) -> NDArray[np.int32]:
        from lmtool.text.kernels import number_words

        raw = np.frombuffer(text.encode(), np.uint8)
        out = np.empty(len(raw), np.int32)
        at = length = 0
        while at < len(raw):
            tables = self._secret, self._slots, self._starts, self._arena
            at, self._n, more = number_words(raw, at, self._n, *tables, out[length:])
            length += more
            if at < len(raw):
                self._grow(len(raw) - at)
        return out[:length]

    def spellings(self) -> list[str]:
        starts, raw = self._starts[: self._n + 1].tolist(), self._arena.tobytes()
        return [raw[start:stop].decode() for start, stop in pairwise(starts)]

    def _grow(self, n_bytes: int) -> None:
        """Twice the room for words, or for their bytes if those to come may need it."""
        if self._n + 1 == len(self._starts):
            self._starts = np.append(self._starts, np.zeros_like(self._starts))
            self._grow_slots()
        if self._starts[self._n] + n_bytes > len(self._arena):
            room = max(len(self._arena), n_bytes)
            self._arena = np.append(self._arena, np.zeros(room, np.uint8))

    def _grow_slots(self) -> None:
        from lmtool.text.kernels import move_slots

        old, self._slots = self._slots, np.zeros((2 * len(self._slots), 2), np.uint64)
        move_slots(old, self._secret, self._slots)


class CharacterNumbering:
    """Every character; white space counts."""

    def __init__(self) -> None:
        self._number = np.full(N_CODE_POINTS, -1, np.int32)
        self._number[ord("\n")] = LINE_END
        self._spellings = ["\n"]

    def numbers(self, text: str) -> NDArray[np.int32]:
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        numbers: NDArray[np.int32] = self._number[codes]
        if (numbers < 0).any():
            self._add(codes[numbers < 0])
            numbers = self._number[codes]
        return numbers

    def spellings(self) -> list[str]:
        return list(self._spellings)

    def _add(self, codes: NDArray[np.uint32]) -> None:
        """New characters, numbered as they turn up."""
        new, first = np.unique(codes, return_index=True)
        new = new[np.argsort(first)]
        self._number[new] = len(self._spellings) + np.arange(len(new))
        self._spellings.extend(map(chr, new.tolist()))
