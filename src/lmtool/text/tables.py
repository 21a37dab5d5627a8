"""Tables with a header to records: CSV and TSV, streamed, every refusal with its line."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lmtool.errors import InputError
from lmtool.text.reader import display_name, read_lines

__all__ = ["Record", "Table", "read_table"]


class Record(NamedTuple):
    """One row, as many values as the table has columns."""

    values: list[str]
    number: int  # of the line where it begins; the header's is 1


class Table(NamedTuple):
    """A header and what follows it."""

    columns: list[str]
    records: Iterator[Record]
    path: str  # for messages

    def column(self, name: str) -> int:
        """The place of a column. Raises InputError naming those that there are."""
        if name not in self.columns:
            known = ", ".join(self.columns)
            raise InputError(f"{self.path}:1: no column named {name!r}; there are: {known}")
        return self.columns.index(name)


def read_table(path: str | Path) -> Table:
    """A table whose first line names its columns; ``-`` is standard input, gzip is recognised.

    Tabs separate in a ``.tsv`` or where the header has one, else commas; quotes as in RFC 4180.
    Blank lines are left out. Raises InputError: no header, a name twice, a row of another length,
    open quotes.
    """
    name = display_name(path)
    lines = (line.text + "\n" for line in read_lines(path))
    header = next(lines, "")
    delimiter = "\t" if "\t" in header or ".tsv" in Path(name).suffixes else ","
    try:
        columns = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error as error:
        raise InputError(f"{name}:1: not a row of a table: {error}") from error
    if not columns:
        raise InputError(f"{name}:1: no header; the first line must name the columns")
    for twice in {column for column in columns if columns.count(column) > 1}:
        raise InputError(f"{name}:1: two columns are named {twice!r}; rename one of them")
    return Table(columns, _records(lines, delimiter, len(columns), name), name)


def _records(lines: Iterator[str], delimiter: str, n: int, name: str) -> Iterator[Record]:
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    first = 2
    while True:
        try:
            values = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"{name}:{first}: not a row of a table: {error}") from error
        if values and len(values) != n:
            message = f"{len(values)} columns where the header names {n}"
            raise InputError(f"{name}:{first}: {message}; quote values that hold a separator")
        if values:
            yield Record(values, first)
        first = 2 + rows.line_num
