"""Numbers, tables and JSON: boxed and coloured on a terminal, plain text in a pipe.

No number is ever ``-0``: a format of a float has a ``z`` here and everywhere in ``cli``.
"""

import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from lmtool.cli.layout import GAP, blocks, cells_wide, fitted, folded, shared, words_wide
from lmtool.cli.terminal import console, harmless, is_terminal, printing, speaks_utf8

__all__ = ["bar", "clock", "cut", "decimals", "json_line", "number", "pairs", "paragraph", "power"]
__all__ += ["say", "side_by_side", "table"]

UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029]")  # what JSON leaves bare and a terminal obeys
WIDEST = 40  # characters of one word in a table
SMALLEST = -300  # below this power of ten a float is no longer exact
LARGE = 1e7  # from here on nobody counts the digits before the point


def number(value: Any, digits: int = 6) -> str:
    """A cell of a table or of TSV: six significant digits; nothing for a missing number."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:z.{digits}g}" if isinstance(value, float) else str(value)


def decimals(value: float | None, digits: int = 2, sign: str = "") -> str:
    """So many decimals, as in columns: 3.14159 -> ``3.14``; 5.4e13 -> ``5.4e+13``; None -> ````."""
    if value is None or math.isnan(value):
        return ""
    return f"{value:{sign}z.{digits}f}" if abs(value) < LARGE else f"{value:{sign}z.3g}"


def power(log10: float | None, digits: int = 3) -> str:
    """10 ** log10, however small or large: -4566.91 -> ``1.23e-4567``."""
    if log10 is None or not math.isfinite(log10):
        return {-math.inf: "0", math.inf: "inf"}.get(log10 or math.nan, "")
    if abs(log10) < -SMALLEST:
        return f"{10**log10:z.{digits}g}"
    exponent = math.floor(log10)
    mantissa = f"{10 ** (log10 - exponent):z.{digits}g}"
    return f"1e{exponent + 1:+d}" if mantissa == "10" else f"{mantissa}e{exponent:+d}"


def clock(seconds: float) -> str:
    """3725 -> ``1:02:05``; 65 -> ``1:05``."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def cut(text: str, width: int = WIDEST) -> str:
    """A word or a text that fits a table and cannot command a terminal."""
    shown = harmless(text) if text.strip() else f"'{harmless(text)}'"
    return shown if len(shown) <= width else shown[: width - 3] + "..."


def bar(share: float, width: int = 20) -> str:
    """A horizontal bar for a share between 0 and 1."""
    return ("█" if speaks_utf8(sys.stdout) else "#") * round(share * width)


def json_line(value: Any) -> str:
    """One object on one line; numbers that JSON lacks become null."""
    text = json.dumps(_plain(value), ensure_ascii=not speaks_utf8(sys.stdout), allow_nan=False)
    return UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if not isinstance(value, float):
        return value
    return value + 0.0 if math.isfinite(value) else None  # -0.0 + 0.0 is 0.0


def say(text: str) -> None:
    """Text to stdout as it is; may hold colours that ``table`` put there. Raises OSError."""
    with printing():
        print(text)


def side_by_side(parts: Sequence[str]) -> str:
    """Parts on one line; on a terminal, on as many as they need."""
    return fitted(parts, console(sys.stdout).width) if is_terminal(sys.stdout) else GAP.join(parts)


def paragraph(text: str, indent: str = "") -> str:
    """A line; on a terminal, folded at blanks, what follows indented."""
    return folded(text, console(sys.stdout).width, indent) if is_terminal(sys.stdout) else text


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    left: int = 1,
    marked: Sequence[int] = (),
    spoken: bool = True,
) -> str:
    """A table: the first ``left`` columns flush left, the others right; marked rows stand out.

    On a terminal it breaks no word: columns without room follow below, the first one repeated; and
    headers are ``spoken``, ``n_words`` as ``n words``, unless they are formulas.
    """
    lines = list(rows)
    if not is_terminal(sys.stdout):
        return _aligned(headers, lines, left)
    width = console(sys.stdout).width
    titles = [header.replace("_", " ") if spoken else header for header in headers]
    columns = list(zip(titles, *lines, strict=True))
    parts = blocks([max(map(words_wide, column)) for column in columns], width)
    return "\n\n".join(
        _boxed(
            [[column[i] for i in part] for column in zip(*columns, strict=True)],
            sum(i < left for i in part),
            marked,
        )
        for part in parts
    )


def pairs(rows: Iterable[tuple[Any, ...]]) -> str:
    """Names and values: columns on a terminal, ``name<TAB>value`` in a pipe."""
    shown = [[harmless(number(value)) for value in row] for row in rows]
    if is_terminal(sys.stdout):
        n = max(map(len, shown))
        return _boxed([[""] * n, *shown], n, ())
    return "\n".join(map("\t".join, shown))


def _aligned(headers: Sequence[str], rows: list[Sequence[str]], left: int) -> str:
    lines = [headers, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    return "\n".join(
        "  ".join(
            f"{cell:{'<' if column < left else '>'}{widths[column]}}"
            for column, cell in enumerate(line)
        ).rstrip()
        for line in lines
    )


def _boxed(lines: Sequence[Sequence[str]], left: int, marked: Sequence[int]) -> str:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    headers, *rows = lines
    screen = console(sys.stdout)
    grid = Table(box=box.SIMPLE_HEAD, show_header=any(headers), show_edge=False, pad_edge=False)
    grid.padding = (0, 1, 0, 0)
    for index, (header, width) in enumerate(
        zip(headers, _widths(lines, screen.width), strict=True)
    ):
        side: Any = "left" if index < left else "right"
        grid.add_column(Text(header), justify=side, overflow="fold", width=width)
    for index, row in enumerate(rows):
        grid.add_row(*map(Text, row), style="yellow" if index in marked else None)
    with screen.capture() as captured:
        screen.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _widths(lines: Sequence[Sequence[str]], width: int) -> list[int]:
    """How wide each column may be."""
    columns = list(zip(*lines, strict=True))
    natural = [max(map(cells_wide, column)) for column in columns]
    least = [max(map(words_wide, column)) for column in columns]
    return shared(natural, least, width)
