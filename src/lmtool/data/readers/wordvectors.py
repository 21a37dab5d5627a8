"""Vectors of words that other programs wrote: word2vec's text, GloVe's, or ``.npy`` with words.

A line is a word and its numbers; word2vec's first line says how many words and numbers there are.
Nothing is allocated that a header promises.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from lmtool.arrays import Array
from lmtool.data.readers.arrays import NPY, array, beginning
from lmtool.errors import InputError
from lmtool.text.reader import Line, display_name, read_lines

__all__ = ["WordVectorFile", "read_word_vectors"]

WORDS = ".words"  # the ending of what belongs to a .npy
LONGEST = 60  # characters of a line that a message shows
EXAMPLE = "king 0.7 -0.25 1.5"


class WordVectorFile(NamedTuple):
    """``vectors[i]`` is that of ``words[i]``; of a word that comes again the first counts."""

    words: tuple[str, ...]  # V, all different
    vectors: Array  # (V, E) float32, finite


class Header(NamedTuple):
    """What a file promises."""

    n: int
    width: int


def read_word_vectors(path: str | Path) -> WordVectorFile:
    """The words of a file with their vectors, in its order; plain or gzipped text, or ``.npy``.

    Raises InputError for a line that does not fit, numbers that are not finite, and a file that
    holds fewer words than it says.
    """
    name = display_name(path)
    read = rows_of_array if beginning(path, len(NPY)) == NPY else rows_of_text
    found = dict[str, Array]()
    for word, vector in read(path, name):
        found.setdefault(word, vector)
    if not found:
        raise InputError(f"{name}: no word vectors in it; write {EXAMPLE}")
    return WordVectorFile(tuple(found), np.stack([*found.values()]))


def rows_of_array(path: str | Path, name: str) -> Iterator[tuple[str, Array]]:
    """A row a word, a line of FILE.words each."""
    beside = Path(path).with_suffix(WORDS)
    with np.errstate(over="ignore"):
        x = array(path).astype(np.float32)
    lines = list(read_lines(beside))
    if len(lines) != len(x):
        message = f"{len(x):,} rows, but {len(lines):,} words in {display_name(beside)}"
        raise InputError(f"{name}: {message}; a line for each row is needed")
    for line, row in zip(lines, x, strict=True):
        if not np.isfinite(row).all():
            refuse(line, "its row of numbers is not finite")
        yield line.text, row


def rows_of_text(path: str | Path, name: str) -> Iterator[tuple[str, Array]]:
    """A line a word."""
    promised, width, n = None, 0, 0
    for line in read_lines(path):
        cells = line.text.split()
        if line.number == 1 and (promised := header_of(cells)):
            width = promised.width
            continue
        if not cells:
            continue
        width = width or len(cells) - 1
        n += 1
        yield row_of(line, cells, width)
    if promised is not None and promised.n != n:
        message = f"its first line says {promised.n:,} words, but there are {n:,}"
        raise InputError(f"{name}: {message}: it is cut short, or damaged; get it anew")


def header_of(cells: list[str]) -> Header | None:
    """``V E``, if a first line is that."""
    if len(cells) != 2 or not all(x.isascii() and x.isdigit() and len(x) < 16 for x in cells):
        return None
    return Header(*map(int, cells))


def row_of(line: Line, cells: list[str], width: int) -> tuple[str, Array]:
    """A word, which may have blanks in it, and its numbers. Raises InputError."""
    if len(cells) < width + 1 or width < 1:
        message = f"{len(cells) - 1:,} numbers where the others have {width:,}"
        refuse(line, message if width else "no numbers after the word")
    word = " ".join(cells[: len(cells) - width])
    try:
        with np.errstate(over="ignore"):
            vector = np.array([*map(float, cells[-width:])], np.float64).astype(np.float32)
    except ValueError:
        refuse(line, f"{line.text[:LONGEST]!r} has no number where one must stand")
    if len(cells) > width + 1 and is_number(cells[1]):
        refuse(line, f"{len(cells) - 1:,} numbers where the others have {width:,}")
    if not np.isfinite(vector).all():
        refuse(line, "a number is not finite")
    return word, vector


def is_number(text: str) -> bool:
    """Whether it can be read as one."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def refuse(line: Line, message: str) -> NoReturn:
    """Raises InputError with the place."""
    message = f"{message}; a line is a word and its numbers: {EXAMPLE}"
    raise InputError(f"{line.path}:{line.number}: {message}")
