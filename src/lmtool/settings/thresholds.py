"""Counts up to which n-grams are dropped, as people write them."""

import re

from lmtool.errors import OptionError
from lmtool.errors import option as named

__all__ = ["thresholds"]

COUNTS = re.compile(r"\d{1,9}([ ,]+\d{1,9})*")


def thresholds(text: str, name: str) -> tuple[int, ...]:
    """``0,0,1`` -> 0, 0, 1: of orders 1, 2 ..., the last one's also of all above; none for no text.

    The first is 0 and none is less than the one before. Raises OptionError naming the option.
    """
    if not text:
        return ()
    plain = text.strip()
    found = tuple(map(int, re.findall(r"\d+", plain))) if COUNTS.fullmatch(plain) else ()
    if not found or found[0] or list(found) != sorted(found):
        message = "write 0,0,1: first 0, and none less than the one before"
        raise OptionError(f"{named(name)}: must be counts, not {text[:60]!r}: {message}")
    return found
