"""Which of the two forms a text of music has, and its tunes."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from lmtool.music.abc import read_abc
from lmtool.music.notes import looks_like_notes, read_notes
from lmtool.music.tune import Tune

__all__ = ["FORMS", "form_of"]

Numbered = tuple[int, str]  # a line with its number

FORMS: dict[str, Callable[[Iterable[Numbered], str], Iterator[Tune]]] = {
    "notes": read_notes,
    "abc": read_abc,
}


def form_of(lines: Iterable[Numbered]) -> tuple[str, Iterator[Numbered]]:
    """A key of FORMS, by the first line that is not blank; and all lines."""
    begun, rest = [], iter(lines)
    for line in rest:
        begun.append(line)
        if line[1].strip():
            break
    return "notes" if begun and looks_like_notes(begun[-1][1]) else "abc", chain(begun, rest)
