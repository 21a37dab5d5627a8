"""Lines to provisional ids on disk: the one pass over the text, before a vocabulary exists.

Each spelling is numbered as it turns up. Whatever follows (which lines to hold out, counts, the
vocabulary, final ids) is arithmetic on arrays of numbers, chunk by chunk, so nothing is read or
split twice, standard input included.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lmtool.text.reader import read_blocks
from lmtool.text.tokenizers import LINE_END as END_TOKEN
from lmtool.text.tokenizers import Tokenizer
from lmtool.text.vocabulary import EOS_SPELLINGS

__all__ = ["LINE_END", "Spellings", "Transcript", "transcribe"]

LINE_END = 0  # the number of the token that ends a line
CHUNK = 1 << 20  # numbers in memory at a time


class Spellings(dict[str, int]):
    """Spelling -> number, which a new spelling gets when it is first looked up."""

    def __init__(self) -> None:
        super().__init__({END_TOKEN: LINE_END})

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number

    def numbers(self, words: list[str]) -> NDArray[np.int32]:
        """The number of each word: (len(words),)."""
        return np.fromiter(map(self.__getitem__, words), np.int32, len(words))


@dataclass(frozen=True, slots=True)
class Transcript:
    """A text as int32 numbers in a file, a LINE_END after each line that is not blank."""

    path: Path

    def chunks(self) -> Iterator[NDArray[np.int32]]:
        """The numbers, at most CHUNK at a time."""
        with open(self.path, "rb") as file:
            while len(chunk := np.fromfile(file, np.int32, CHUNK)):
                yield chunk

    def numbered_chunks(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64]]]:
        """The same, with the line that each number stands in; lines count from 0."""
        first = 0
        for chunk in self.chunks():
            ends = chunk == LINE_END
            lines = first + np.cumsum(ends) - ends
            yield chunk, lines
            first = int(lines[-1] + ends[-1])

    def n_lines(self) -> int:
        """How many lines are not blank."""
        return sum(int(np.count_nonzero(chunk == LINE_END)) for chunk in self.chunks())

    def counts(self, n_spellings: int) -> NDArray[np.int64]:
        """How often each number occurs: (n_spellings,)."""
        total = np.zeros(n_spellings, np.int64)
        for chunk in self.chunks():
            seen = np.bincount(chunk)
            total[: len(seen)] += seen
        return total


def transcribe(
    paths: Iterable[str | Path], tokenizer: Tokenizer, spellings: Spellings, target: Path
) -> Transcript:
    """Writes the files' lines one after another; new words are added to ``spellings``."""
    end_marks = np.array([spellings[mark] for mark in sorted(EOS_SPELLINGS)], np.int32)
    with open(target, "wb") as file:
        for block in chain.from_iterable(map(read_blocks, paths)):
            tidy(spellings.numbers(tokenizer.split_lines(block)), end_marks).tofile(file)
    return Transcript(target)


def tidy(numbers: NDArray[np.int32], end_marks: NDArray[np.int32]) -> NDArray[np.int32]:
    """Whole lines without an end mark before the LINE_END, and without blank lines."""
    ends = numbers == LINE_END
    closing = np.append(ends[1:], False) & np.isin(numbers, end_marks)
    numbers = numbers[~closing]
    ends = numbers == LINE_END
    blank = ends & np.append(True, ends[:-1])
    kept: NDArray[np.int32] = numbers[~blank]
    return kept
