"""Rows of named values as TSV, CSV or JSON lines: the table of writers."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lmtool.cli.render import json_line, number
from lmtool.cli.terminal import harmless

__all__ = ["ROWS"]

Row = Mapping[str, Any]
QUOTABLE = re.compile("([\t\r\n]+)")  # what quotes protect


def tsv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """A header and tab-separated rows; tabs and control characters in a value are spelled out."""
    yield "\t".join(map(harmless, columns))
    for row in rows:
        yield "\t".join(harmless(number(row[name])) for name in columns)


def comma_separated(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """A header and rows as in RFC 4180, LF at their ends."""
    yield quoted(columns)
    for row in rows:
        yield quoted([number(row[name]) for name in columns])


def quoted(values: Sequence[str]) -> str:
    """One row of CSV; control characters other than tabs and line ends are spelled out."""
    line = io.StringIO()
    safe = ("".join(harmless_but_quotable(value)) for value in values)
    csv.writer(line, lineterminator="").writerow(safe)
    return line.getvalue()


def harmless_but_quotable(value: str) -> Iterator[str]:
    """The parts of a value, those that quotes protect as they are."""
    for index, part in enumerate(QUOTABLE.split(value)):
        yield part if index % 2 else harmless(part)


def jsonl(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """One object per row."""
    return (json_line({name: row[name] for name in columns}) for row in rows)


ROWS: dict[str, Callable[[Sequence[str], Iterable[Row]], Iterator[str]]] = {
    "tsv": tsv,
    "csv": comma_separated,
    "jsonl": jsonl,
}
