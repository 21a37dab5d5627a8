"""How an object shows itself: a line at a prompt, a table in a notebook."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any, ClassVar, TypeVar

__all__ = ["Listing", "Shown", "Tabular", "counted", "harmless", "table"]

LIMIT = 118  # characters of a line
QUOTED = 30  # characters shown of a text in it
CELL = 300  # characters shown of a text in a table
ROWS = 100  # of a table
# C0 and C1 controls (escape sequences start with one), the two separators that end a line, and
# what stands for a byte of an argument that is not text
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def harmless(text: str) -> str:
    """Text whose control characters are spelled out: ESC -> ``\\x1b``."""
    return CONTROL.sub(lambda match: NAMED.get(match[0]) or _spelled(match[0]), text)


def _spelled(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class Shown:
    """One line that names the attributes in ``_shown``.

    ``SentenceScore('Todd met Pete', log10_p=-2.3729, 3 words, 0 OOV)``
    """

    __slots__ = ()
    _shown: ClassVar[
        tuple[str, ...]
    ] = ()  # a count is named n_x; what is None or false is left out

    def __repr__(self) -> str:
        line = f"{type(self).__name__}({', '.join(filter(None, self._parts()))})"
        return line if len(line) <= LIMIT else f"{line[: LIMIT - 4]}...)"

    def _parts(self) -> Iterator[str]:
        for place, name in enumerate(self._shown):
            yield told(name, getattr(self, name), bare=place == 0)


class Tabular(Shown):
    """The same, and in a notebook a table: of itself, or of what ``_rows`` gives."""

    __slots__ = ()

    def _rows(self) -> Sequence[Shown]:
        return (self,)

    def _repr_html_(self) -> str:
        return f"<div>{escape(repr(self))}</div>{table(self._rows())}"


Item = TypeVar("Item", bound=Shown)


class Listing(list[Item]):
    """A list of results, in a notebook a table."""

    def _repr_html_(self) -> str:
        return table(self)


def told(name: str, value: Any, bare: bool) -> str:
    """``3 words``, ``log10_p=-2.3729``, ``oov``; a bare text goes without its name."""
    if value is None or value is False or value == ():
        return ""
    if value is True:
        return name
    if name.startswith("n_"):
        thing = name.removeprefix("n_")
        return f"{value:,} OOV" if thing == "oov" else counted(value, thing.removesuffix("s"))
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    if isinstance(value, str):
        return quoted(value) if bare else f"{name}={quoted(value)}"
    return f"{name}={number(value)}"


def counted(n: float, thing: str) -> str:
    """1, "word" -> ``1 word``; 10002, "word" -> ``10,002 words``; 0.5 -> ``0.5 words``."""
    shown = f"{n:,}" if isinstance(n, int) else f"{n:,g}"
    return f"{shown} {thing}{'s' * (shown != '1')}"


def number(value: float) -> str:
    """``10,002``, ``-2.3729``."""
    return f"{value:,}" if isinstance(value, int) else f"{value:z.5g}"


def quoted(text: str) -> str:
    """A text's beginning as Python spells it, so that it stays on its line."""
    spelled = repr(text[: QUOTED + 1])
    return spelled if len(spelled) <= QUOTED + 2 else f"{spelled[: QUOTED - 2]}...{spelled[0]}"


def table(rows: Sequence[Shown]) -> str:
    """HTML with a row for each object; the columns are what the first one shows."""
    if not rows:
        return ""
    names = rows[0]._shown
    lines = [cells("th", names)]
    lines += [cells("td", (cell(getattr(row, name)) for name in names)) for row in rows[:ROWS]]
    more = f"<div>... {len(rows) - ROWS:,} more</div>" if len(rows) > ROWS else ""
    return f"<table>{''.join(lines)}</table>{more}"


def cells(tag: str, texts: Iterable[str]) -> str:
    """One row; nothing in a text is taken for HTML."""
    return f"<tr>{''.join(f'<{tag}>{escape(text)}</{tag}>' for text in texts)}</tr>"


def cell(value: Any) -> str:
    """A value as text; nothing for None and false."""
    if value is None or isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, str):
        return value if len(value) <= CELL else f"{value[:CELL]}..."
    return number(value)
