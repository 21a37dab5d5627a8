"""The signs of a line of ABC music, by one regular expression in which nothing is read twice."""

import re
from collections.abc import Iterator

from lmtool.errors import InputError

__all__ = ["NOTE", "endings", "factor", "signs"]

PITCH = r"(?P<accidental>\^\^?|__?|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)"
LENGTH = r"(?P<{0}n>\d*)(?P<{0}slashes>/*)(?P<{0}d>\d*)"
NOTE = re.compile(PITCH + LENGTH.format("") + "(?P<tied>-?)")
SIGNS = {
    "note": PITCH + LENGTH.format(""),
    "rest": r"(?P<letters>[zxZX])" + LENGTH.format("rest_"),
    "quoted": r'"(?P<text>[^"]{0,200})"',
    "bar": r"(?P<line>:*(?:\[\||\|+\]?)\]?:*|::+)(?P<number>\d[\d,-]{0,20})?",
    "ending": r"\[(?P<times>\d[\d,-]{0,20})",
    "field": r"\[(?P<name>[A-Za-z]):(?P<value>[^\]]{0,200})\]",
    "chord": r"\[(?P<notes>[\^_=A-Ga-g,'\d/\- .~!()]{1,200})\]" + LENGTH.format("chord_"),
    "tuplet": r"\((?P<p>[2-9])(?::(?P<q>\d?))?(?::(?P<r>\d{0,2}))?",
    "tie": "-",
    "broken": ">{1,3}|<{1,3}",
    "skipped": r"[ \t`;$()*.~HLMOPSTuv]|\\(?=\s*$)|y\d*|![^!|]{1,40}!|\+[a-z.]{1,40}\+"
    r"|\{[^{}]{0,200}\}",
    "unknown": ".",
}
SIGN = re.compile("|".join(f"(?P<{name}>{sign})" for name, sign in SIGNS.items()), re.DOTALL)
LARGEST_N, LARGEST_D = 999, 128


def signs(line: str) -> Iterator["re.Match[str]"]:
    """The signs of a line without its comment; ``lastgroup`` is a key of SIGNS."""
    return SIGN.finditer(line)


def factor(sign: "re.Match[str]", where: str, prefix: str = "") -> tuple[int, int]:
    """``3/2`` -> (3, 2), ``//`` -> (1, 4), of the unit. Raises InputError for what is no length."""
    n, slashes, d = (sign[prefix + name] for name in ("n", "slashes", "d"))
    short = max(len(n), len(slashes), len(d)) <= 7 and (not d or len(slashes) == 1)
    times = int(n or 1) if short else 0
    part = int(d or 2 ** len(slashes)) if short else 0
    if not (0 < times <= LARGEST_N and 0 < part <= LARGEST_D):
        message = f"{(n + slashes + d)[:20]!r} is no length of a note"
        raise InputError(f"{where}: {message}; write A3, A3/2 or A//, up to {LARGEST_N}")
    return times, part


def endings(times: str) -> frozenset[int]:
    """``1,3`` and ``1-3`` -> the times through a repeat, up to nine."""
    found = [int(first) for first in re.findall(r"\d", times)]
    if "-" in times and len(found) == 2:
        found = list(range(found[0], found[1] + 1))
    return frozenset(found)
