"""Spans of time as people write them."""

import re

from lmtool.errors import OptionError
from lmtool.errors import option as named

__all__ = ["in_seconds"]

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([smhd]?)")


def in_seconds(text: str, name: str = "time") -> float:
    """``90`` or ``90s`` -> 90.0, ``1h30m`` -> 5400.0. Raises OptionError naming the option."""
    parts = PART.findall(text)
    if not parts or "".join(map("".join, parts)) != text:
        raise OptionError(f"{named(name)}: {text!r} is no span of time: write 90s, 10m or 2h")
    return sum(float(amount) * UNITS[unit] for amount, unit in parts)
