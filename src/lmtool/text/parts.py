"""A part of files for array jobs: the lines that begin in the i-th n-th of their bytes.

The bytes are those of all files in order, so each line is in one part, and the parts' answers one
after the other are those of one run. Lines keep their numbers. What is no text is cut by rows: row
r of R, from 0, counts as beginning at byte r S / R of a file of S bytes.
"""

import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from lmtool.errors import InputError, OptionError, option
from lmtool.text.reader import STDIN, display_name, line_numbers

__all__ = ["Part", "cut", "numbers", "part"]

WRITTEN = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")
WHOLE = "leave --part out, or save it as a file first"

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Part:
    """The index-th of n, from 1."""

    index: int
    n: int


def part(text: str) -> Part:
    """``2/8`` -> Part(2, 8). Raises OptionError."""
    found = WRITTEN.fullmatch(text)
    index, n = map(int, found.groups()) if found else (0, 0)
    if not 1 <= index <= n:
        raise OptionError(f"{option('part')}: {text!r} is no part: write 1/8, 2/8 up to 8/8")
    return Part(index, n)


def numbers(
    one: Part, paths: Sequence[str], rows: Callable[[str], int | None] = lambda path: None
) -> list[range]:
    """For each file the numbers, from 1, of the lines of this part.

    ``rows`` says how many rows a file has that is no text. Raises InputError for standard input,
    a pipe, gzip and what cannot be read.
    """
    sizes = [n_bytes(path) for path in paths]
    first, end = (sum(sizes) * i // one.n for i in (one.index - 1, one.index))
    found = []
    for path, size in zip(paths, sizes, strict=True):
        inside = max(0, min(first, size)), max(0, min(end, size))
        n = rows(path) if size else None
        found.append(line_numbers(path, *inside) if n is None else row_numbers(n, size, *inside))
        first, end = first - size, end - size
    return found


def n_bytes(path: str) -> int:
    """The size of a file that has one before it is read. Raises InputError."""
    if path == STDIN:
        raise InputError(f"standard input cannot be read in parts; {WHOLE}")
    name = display_name(path)
    try:
        known = Path(path).stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{name}: cannot be read: {reason}; check the path") from error
    if not stat.S_ISREG(known.st_mode):
        raise InputError(f"{name}: is no regular file and cannot be read in parts; {WHOLE}")
    return known.st_size


def row_numbers(n: int, size: int, first: int, end: int) -> range:
    """Of n rows, from 1, those that begin in these bytes of ``size``."""
    return range(1 - -first * n // size, 1 - -end * n // size)


def cut(
    files: Iterable[tuple[Iterable[Item], range]],
    number: Callable[[Item], int],
    passed: Callable[[Item], object] = lambda item: None,
) -> tuple[int, Iterator[Item]]:
    """How many come before the part, and those in it; a file's items, and the numbers in the part.

    Items are in the order of their numbers, which are from 1; ``passed`` gets those before.
    """
    ahead = ((item, number(item) >= own.start) for item, own in numbered(files, number))
    before = 0
    for item, inside in ahead:
        if inside:
            return before, chain([item], (item for item, _ in ahead))
        passed(item)
        before += 1
    return before, iter(())


def numbered(
    files: Iterable[tuple[Iterable[Item], range]], number: Callable[[Item], int]
) -> Iterator[tuple[Item, range]]:
    """The items up to the end of the part, each with the numbers in the part of its file."""
    for items, own in files:
        for item in items if own.stop > 1 else ():
            if number(item) >= own.stop:
                break
            yield item, own
