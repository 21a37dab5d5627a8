"""Columns of a frame as people write them."""

import re
from collections.abc import Iterator

from lmtool.errors import OptionError
from lmtool.errors import option as named

__all__ = ["columns"]

PART = re.compile(r"(\d{1,6})(?::(\d{1,6})(?::([1-9]\d{0,5}))?)?")
MOST = 1 << 16  # the largest number


def columns(text: str, name: str) -> tuple[int, ...]:
    """``0,3,6`` or ``0:9:3``, from (up to, not with) in steps -> 0, 3, 6; nothing for no text.

    Raises OptionError naming the option.
    """
    found = [column for part in text.split(",") for column in named_by(part, text, name)]
    return tuple(dict.fromkeys(found))


def named_by(part: str, text: str, name: str) -> Iterator[int]:
    """Those of one part."""
    if not text:
        return
    match = PART.fullmatch(part.strip())
    if not match:
        message = "write 0,3,6 or 0:60:3"
        raise OptionError(f"{named(name)}: must be columns, not {text[:60]!r}: {message}")
    first, last, step = match.groups()
    stop = int(last) if last else int(first) + 1
    yield from range(int(first), min(stop, MOST), int(step or 1))
