"""Tests of word vectors: questions of four words in sections, and pairs of words with a number."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lmtool.errors import InputError
from lmtool.text.reader import Line, display_name, read_lines

__all__ = ["Question", "Rated", "read_questions", "read_rated"]

SECTION, COMMENT = ":", "#"
LONGEST = 60  # characters of a line that a message shows
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Question(NamedTuple):
    """a is to b as c is to d."""

    section: str  # "" before the first one
    words: tuple[str, ...]  # a, b, c, d


class Rated(NamedTuple):
    """Two words, and how much they are alike."""

    words: tuple[str, str]
    rating: float


def read_questions(path: str | Path) -> Iterator[Question]:
    """Lines of four words; ``: name`` begins a section, blank lines are left out.

    Raises InputError for another line, and where there is no question.
    """
    section, n = "", 0
    for line in read_lines(path):
        words = line.text.split()
        if line.text.lstrip().startswith(SECTION):
            section = line.text.strip().removeprefix(SECTION).strip()
        elif len(words) == 4:
            n += 1
            yield Question(section, tuple(words))
        elif words:
            message = f"{len(words)} words where a question has four"
            raise InputError(f"{line.path}:{line.number}: {message}, as in man king woman queen")
    if not n:
        raise InputError(f"{display_name(path)}: no question in it; give four words a line")


def read_rated(path: str | Path) -> Iterator[Rated]:
    """Lines ``word word number``, between them tabs, else semicolons or commas, else blanks.

    Blank lines and lines that begin with # are left out, as is a header, a first line without a
    number. Raises InputError for another line, and where there is no pair.
    """
    n, first = 0, True
    for line in read_lines(path):
        if not line.text.strip() or line.text.startswith(COMMENT):
            continue
        cells = cells_of(line.text)
        if not (first and len(cells) >= 3 and number(cells[2]) is None):
            n += 1
            yield rated(line, cells)
        first = False
    if not n:
        raise InputError(f"{display_name(path)}: no pair in it; give two words and a number a line")


def cells_of(text: str) -> list[str]:
    """What stands on a line."""
    separator = next((mark for mark in "\t;," if text.count(mark) >= 2), None)
    return [cell.strip().strip('"') for cell in text.split(separator)]


def rated(line: Line, cells: list[str]) -> Rated:
    """One pair. Raises InputError."""
    rating = number(cells[2]) if len(cells) == 3 else None
    if rating is None or not (cells[0] and cells[1]):
        shown = repr(line.text[:LONGEST])
        message = f"{shown} is not two words and a number; write tiger<TAB>cat<TAB>7.35"
        raise InputError(f"{line.path}:{line.number}: {message}")
    return Rated((cells[0], cells[1]), rating)


def number(text: str) -> float | None:
    """A finite number, or None."""
    value = float(text) if len(text) <= LONGEST and PLAIN.fullmatch(text) else math.nan
    return value if math.isfinite(value) else None
