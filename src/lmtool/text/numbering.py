"""Tokens to provisional numbers, in the order in which spellings turn up in a text."""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, pairwise
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from lmtool.workers import n_cores

__all__ = ["LINE_END", "CharacterNumbering", "Numbering", "WordNumbering"]

Item = TypeVar("Item")

LINE_END = 0  # the number of the token that ends a line
N_CODE_POINTS = 0x110000
FIRST_WORDS = 1 << 12  # room to begin with
FIRST_BYTES = 1 << 16
AT_ONCE = 1 << 20  # characters that a thread numbers at a time
AHEAD = 2  # such pieces under way for each thread
MOST_THREADS = 4  # more would wait for one another's words to be joined


class Numbering(Protocol):
    """What a tokenizer numbers a text with."""

    def numbers(self, text: str) -> NDArray[np.int32]:
        """The number of each token of whole lines, LINE_END after each line; LF ends a line."""

    def along(self, texts: Iterable[str]) -> Iterator[NDArray[np.int32]]:
        """The same of texts one after the other, some of them joined."""

    def spellings(self) -> list[str]:
        """The spelling of each number so far; that of LINE_END is LF."""


class WordNumbering:
    """Words at Unicode white space, a lone CR included, numbered by several cores.

    Each thread has a table of its own, which always reads the same pieces of the text. Its numbers
    become those of all piece by piece, in the order of the text: they are those of one table.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._tables = [WordTable() for _ in range(threads or min(MOST_THREADS, n_cores()))]
        self._known = {"\n": LINE_END}

    def numbers(self, text: str) -> NDArray[np.int32]:
        table = self._tables[0]
        piece = table.read(text)
        self._join(table, piece.new)
        return table.common.take(piece.numbers)

    def along(self, texts: Iterable[str]) -> Iterator[NDArray[np.int32]]:
        with ExitStack() as stack:
            pools = [stack.enter_context(ThreadPoolExecutor(1)) for _ in self._tables]
            turns = cycle(zip(self._tables, pools, strict=True))
            read = (
                (table, pool, pool.submit(table.read, text))
                for text, (table, pool) in zip(pieces(texts), turns, strict=False)
            )
            joined = (
                pool.submit(self._join(table, done.new).take, done.numbers)
                for table, pool, piece in ahead(read, AHEAD * len(pools))
                for done in (piece.result(),)
            )
            for numbers in ahead(joined, len(pools)):
                yield numbers.result()

    def spellings(self) -> list[str]:
        return list(self._known)

    def _join(self, table: "WordTable", new: list[str]) -> NDArray[np.int32]:
        """The numbers of all for those of a table, which has new words."""
        known = self._known
        if new:
            numbers = [known.setdefault(word, len(known)) for word in new]
            table.common = np.append(table.common, np.array(numbers, np.int32))
        return table.common


def ahead(items: Iterable[Item], n: int) -> Iterator[Item]:
    """The items, each when n more have been begun."""
    begun: deque[Item] = deque()
    for item in items:
        begun.append(item)
        if len(begun) > n:
            yield begun.popleft()
    yield from begun


class Piece(NamedTuple):
    """A piece of text as a table sees it."""

    numbers: NDArray[np.int32]  # LINE_END after each line
    new: list[str]  # the spellings that the table has not seen before


def pieces(texts: Iterable[str]) -> Iterator[str]:
    """Texts joined until they have AT_ONCE characters."""
    begun: list[str] = []
    size = 0
    for text in texts:
        begun.append(text)
        size += len(text)
        if size >= AT_ONCE:
            yield "".join(begun)
            begun, size = [], 0
    if begun:
        yield "".join(begun)


class WordTable:
    """The words that one thread has seen. The arrays are those of text/kernels.py."""

    def __init__(self) -> None:
        self.common = np.zeros(1, np.int32)  # the number in the whole text of each of its own
        self._n = 1
        self._arena = np.full(FIRST_BYTES, ord("\n"), np.uint8)
        self._starts = np.zeros(FIRST_WORDS, np.int64)
        self._starts[1] = 1
        self._slots = np.zeros((2 * FIRST_WORDS, 2), np.uint64)  # at most half of them used
        self._secret = np.array([secrets.randbits(64) | 1, secrets.randbits(64) | 1], np.uint64)

    def read(self, text: str) -> Piece:
        """Numbers the words of whole lines."""
        first = self._n
        return Piece(self._numbers(text), self._spellings(first))

    def _numbers(self, text: str) -> NDArray[np.int32]:
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

    def _spellings(self, first: int) -> list[str]:
        starts = self._starts[first : self._n + 1]
        raw, at = self._arena[starts[0] : starts[-1]].tobytes(), (starts - starts[0]).tolist()
        return [raw[start:stop].decode() for start, stop in pairwise(at)]

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

    def along(self, texts: Iterable[str]) -> Iterator[NDArray[np.int32]]:
        return map(self.numbers, texts)

    def spellings(self) -> list[str]:
        return list(self._spellings)

    def _add(self, codes: NDArray[np.uint32]) -> None:
        """New characters, numbered as they turn up."""
        new, first = np.unique(codes, return_index=True)
        new = new[np.argsort(first)]
        self._number[new] = len(self._spellings) + np.arange(len(new))
        self._spellings.extend(map(chr, new.tolist()))
