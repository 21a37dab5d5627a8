"""Lines to provisional ids on disk: the one pass over the text, before a vocabulary exists.

Each spelling is numbered as it turns up. Whatever follows (which lines to hold out, counts, the
vocabulary, final ids) is arithmetic on arrays of numbers, chunk by chunk.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lmtool.text.reader import read_lines
from lmtool.text.tokenizers import Tokenizer
from lmtool.text.vocabulary import split_line

__all__ = ["LINE_END", "Spellings", "Transcript", "transcribe"]

LINE_END = 0  # the number of "\n", which no line contains
CHUNK = 1 << 20  # tokens in memory at a time


class Spellings(dict[str, int]):
    """Spelling -> number, which a new spelling gets when it is first looked up."""

    def __init__(self) -> None:
        super().__init__({"\n": LINE_END})

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


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

    def counts(self, n_spellings: int) -> NDArray[np.int64]:
        """How often each number occurs: (n_spellings,)."""
        total = np.zeros(n_spellings, np.int64)
        for chunk in self.chunks():
            total += np.bincount(chunk, minlength=n_spellings)
        return total

    def rewritten(
        self, path: Path, change: Callable[[NDArray[np.int32]], NDArray[np.int32]]
    ) -> "Transcript":
        """A copy at ``path``, changed chunk by chunk."""
        with open(path, "wb") as file:
            for chunk in self.chunks():
                change(chunk).tofile(file)
        return Transcript(path)


def transcribe(
    paths: Iterable[str | Path], tokenizer: Tokenizer, spellings: Spellings, target: Path
) -> Transcript:
    """Writes the files' lines one after another; new words are added to ``spellings``."""
    number_of = spellings.__getitem__
    numbers = array("i")
    with open(target, "wb") as file:
        for line in chain.from_iterable(map(read_lines, paths)):
            words = split_line(tokenizer, line.text)
            if words:
                numbers.extend(map(number_of, words))
                numbers.append(LINE_END)
            if len(numbers) >= CHUNK:
                numbers.tofile(file)
                del numbers[:]
        numbers.tofile(file)
    return Transcript(target)
