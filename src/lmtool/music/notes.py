"""Note tokens: ``60 72 79 88 | 72 79 88 |`` or ``60_72_79_88 72_79_88``, a tune a line.

Numbers are those of MIDI keys. ``|`` ends a step, a quarter note; ``|`` alone is a rest. Without
any ``|`` in the line each token is a step: keys with ``_`` between them, or ``rest``.
"""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction

from lmtool.errors import InputError, option
from lmtool.music.tune import MOST_NOTES, Note, Tune, together

__all__ = ["looks_like_notes", "read_notes"]

STEP, END, REST, CUT = Fraction(1, 4), "|", "rest", "..."
BPM = 80.0
MOST_SEEN = 1000  # tokens that tell what a line is
KEYS = re.compile(r"\d{1,3}(_\d{1,3})*")
FORM = option("form", "abc")
SHOWN = 20  # characters of what is no note


def looks_like_notes(line: str) -> bool:
    """Whether each token of a line is one."""
    tokens = line.split(maxsplit=MOST_SEEN)[:MOST_SEEN]
    return bool(tokens) and all(t in (END, REST, CUT) or KEYS.fullmatch(t) for t in tokens)


def read_notes(lines: Iterable[tuple[int, str]], path: str) -> Iterator[Tune]:
    """The tunes of numbered lines, blank ones left out. Raises InputError."""
    for number, line in lines:
        if tokens := line.split():
            yield tune(tokens, number, f"{path}:{number}")


def tune(tokens: list[str], line: int, where: str) -> Tune:
    """Of one line, what ``sample`` writes where it was cut left out. Raises InputError."""
    bare = tokens[:-1] if tokens[-1] == CUT else tokens
    if len(bare) > MOST_NOTES:
        raise InputError(f"{where}: a tune of more than {MOST_NOTES:,} notes; cut it")
    played = list(steps(bare, where))
    notes: list[Note] = []
    for place, keys in enumerate(played):
        notes += together(dict.fromkeys(keys), place * STEP, STEP)
    found = tuple(faults(played, bare)) if bare is tokens else ()
    length = len(played) * STEP
    return Tune("", line, (tuple(notes),), (), length, len(played), tempo=BPM, faults=found)


def steps(tokens: list[str], where: str) -> Iterator[list[int]]:
    """The keys of each step. Raises InputError."""
    if END not in tokens:
        yield from ([] if token == REST else keys(token, where) for token in tokens)
        return
    begun: list[int] = []
    for token in tokens:
        if token == END:
            yield begun
            begun = []
        else:
            begun += keys(token, where)
    if begun:
        yield begun


def keys(token: str, where: str) -> list[int]:
    """``60_72`` -> [60, 72]. Raises InputError."""
    found = [int(key) for key in token.split("_")] if KEYS.fullmatch(token) else [128]
    if max(found) > 127:
        message = f"{token[:SHOWN]!r} is no note; write 0 to 127, | or rest"
        raise InputError(f"{where}: {message}, or say {FORM}")
    return found


def faults(played: list[list[int]], tokens: list[str]) -> Iterator[str]:
    """What no text of notes has."""
    falling = [n for n, keys in enumerate(played, 1) if sorted(set(keys)) != keys]
    if falling:
        yield f"the notes of step {falling[0]} do not rise"
    if END in tokens and tokens[-1] != END:
        yield "the last step has no | behind it"
