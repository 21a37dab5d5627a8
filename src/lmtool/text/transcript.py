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

from lmtool.text.numbering import LINE_END, Numbering
from lmtool.text.reader import read_blocks
from lmtool.text.sentences import Sentences
from lmtool.text.tokenizers import Tokenizer
from lmtool.text.vocabulary import EOS_SPELLINGS

__all__ = ["Transcript", "transcribe"]

CHUNK = 1 << 20  # numbers in memory at a time


@dataclass(frozen=True, slots=True)
class Transcript:
    """A text as int32 numbers in a file, a LINE_END after each line that is not blank."""

    path: Path

    def chunks(self) -> Iterator[NDArray[np.int32]]:
        """The numbers, at most CHUNK at a time."""
        with open(self.path, "rb") as file:
            while len(chunk := np.fromfile(file, np.int32, CHUNK)):
                yield chunk

    def lined_chunks(self) -> Iterator[tuple[NDArray[np.int32], int, NDArray[np.int64]]]:
        """The same, the line that the first number stands in, from 0, and the lines' lengths.

        What a chunk holds of a line counts, so one that goes on has a length in each.
        """
        first = 0
        for chunk in self.chunks():
            ends = np.flatnonzero(chunk == LINE_END) + 1
            yield chunk, first, np.diff(ends, prepend=0, append=len(chunk))
            first += len(ends)

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
    texts: Iterable[str | Path | Sentences],
    tokenizer: Tokenizer,
    numbering: Numbering,
    target: Path,
) -> Transcript:
    """Writes the lines one after another; new words get their numbers."""
    from lmtool.text.kernels import tidy  # only what trains loads numba

    marks = [mark for mark in sorted(EOS_SPELLINGS) if tokenizer.split(mark) == [mark]]
    end_marks = np.array([numbering.numbers(mark + "\n")[0] for mark in marks], np.int32)
    with open(target, "wb") as file:
        for numbers in numbering.along(chain.from_iterable(map(blocks, texts))):
            file.write(numbers[: tidy(numbers, end_marks)].data)  # no end marks, no blank lines
    return Transcript(target)


def blocks(text: str | Path | Sentences) -> Iterator[str]:
    """Whole lines, each ended by LF, some thousands at a time."""
    return text.blocks() if isinstance(text, Sentences) else read_blocks(text)
