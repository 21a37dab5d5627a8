"""Numbers, tables and JSON: boxed and coloured on a terminal, plain text in a pipe."""

import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from lmtool.cli.terminal import console, give_up, harmless, is_terminal, speaks_utf8

__all__ = ["bar", "clock", "cut", "json_line", "number", "pairs", "power", "say", "table"]

UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029]")  # what JSON leaves bare and a terminal obeys
WIDEST = 40  # characters of one word in a table
SMALLEST = -300  # below this power of ten a float is no longer exact


def number(value: Any, digits: int = 6) -> str:
    """A cell of a table or of TSV: six significant digits; nothing for a missing number."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def power(log10: float | None, digits: int = 3) -> str:
    """10 ** log10, however small or large: -4566.91 -> ``1.23e-4567``."""
    if log10 is None or not math.isfinite(log10):
        return {-math.inf: "0", math.inf: "inf"}.get(log10 or math.nan, "")
    if abs(log10) < -SMALLEST:
        return f"{10**log10:.{digits}g}"
    exponent = math.floor(log10)
    mantissa = f"{10 ** (log10 - exponent):.{digits}g}"
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
    return None if isinstance(value, float) and not math.isfinite(value) else value


def say(text: str) -> None:
    """Text to stdout as it is; may hold colours that ``table`` put there. Raises OSError."""
    try:
        print(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up(sys.stdout)
        raise OSError(error.errno, error.strerror, "standard output") from None


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1, marked: Sequence[int] = ()
) -> str:
    """A table: the first ``left`` columns flush left, the others right; marked rows stand out."""
    form = _boxed if is_terminal(sys.stdout) else _aligned
    return form(headers, list(rows), left, marked)


def pairs(rows: Iterable[tuple[Any, ...]]) -> str:
    """Names and values: columns on a terminal, ``name<TAB>value`` in a pipe."""
    shown = [[harmless(number(value)) for value in row] for row in rows]
    if is_terminal(sys.stdout):
        n = max(map(len, shown))
        return _boxed([""] * n, shown, n, ())
    return "\n".join(map("\t".join, shown))


def _aligned(
    headers: Sequence[str], rows: list[Sequence[str]], left: int, marked: Sequence[int]
) -> str:
    lines = [headers, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    return "\n".join(
        "  ".join(
            f"{cell:{'<' if column < left else '>'}{widths[column]}}"
            for column, cell in enumerate(line)
        ).rstrip()
        for line in lines
    )


def _boxed(
    headers: Sequence[str], rows: Sequence[Sequence[str]], left: int, marked: Sequence[int]
) -> str:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, show_header=any(headers), show_edge=False)
    for column, header in enumerate(headers):
        side: Any = "left" if column < left else "right"
        grid.add_column(Text(header), justify=side, overflow="fold")
    for index, row in enumerate(rows):
        grid.add_row(*map(Text, row), style="yellow" if index in marked else None)
    screen = console(sys.stdout)
    with screen.capture() as captured:
        screen.print(grid)
    return captured.get().rstrip("\n")
