"""Tables with a header to records: CSV and TSV, streamed, every refusal with its line."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lmtool.display import counted
from lmtool.errors import InputError
from lmtool.text.reader import Line, display_name, read_lines

__all__ = [
    "Record",
    "Table",
    "is_csv",
    "looks_like_table",
    "read_table",
    "split_header",
    "table_of",
]

SUFFIXES = {".csv", ".tsv"}
QUOTED = re.compile(r'"(?:[^"]|"")*("|$)')
LONGEST_HEADER = 1000  # characters that are worth a look
NAME = re.compile(r'("?)[A-Za-z_À-ÿ][\wÀ-ÿ -]{,30}(?<! )\1', re.ASCII)  # no mark of a sentence
USUAL = {  # a name like these, or one with an underscore, tells a header from a list of words
    "text", "sentence", "sentences", "word", "words", "token", "tokens", "line", "item", "id",
    "label", "labels", "tag", "tags", "class", "type", "category", "condition", "good", "bad",
    "source", "target", "number", "document", "speaker", "file",
}  # fmt: skip


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

    Tabs separate in a ``.tsv`` or where the header has one, semicolons where it has more of them
    than commas, else commas; quotes as in RFC 4180. Blank lines are left out. Raises InputError:
    no header, a name twice, several columns without a name, a row of another length, open quotes.
    """
    return table_of(read_lines(path), display_name(path))


def table_of(lines: Iterator[Line], name: str) -> Table:
    """The same from the lines of a file of this name, the first of them the header."""
    header = next(lines, Line("", 1, name))
    delimiter = _delimiter(name, header.text)
    columns = _columns(header.text, delimiter, name)
    _check(columns, header.text, name)
    rows = (line.text + "\n" for line in lines)
    return Table(columns, _records(rows, delimiter, len(columns), name, header.number), name)


def looks_like_table(path_name: str, first_line: str) -> bool:
    """Whether a file is a table by its name, or its first line clearly a header.

    A header is two or more short names, all different, one of them usual for a column or with an
    underscore, without blanks around the separators and without the marks of a sentence.

    "x.csv.gz", anything -> True; "x.txt", "item,text" -> True; "x", "Yes , text him ." -> False
    """
    if _suffix(path_name) in SUFFIXES:
        return True
    line = first_line.rstrip("\r\n")
    names = line.split(_delimiter(path_name, line)) if len(line) <= LONGEST_HEADER else []
    if len(names) < 2 or not all(NAME.fullmatch(name) for name in names):
        return False
    bare = {name.strip('"').lower() for name in names}
    return len(bare) == len(names) and any(name in USUAL or "_" in name for name in bare)


def is_csv(path_name: str) -> bool:
    """Whether the name says so: "x.CSV.gz" -> True."""
    return _suffix(path_name) == ".csv"


def split_header(path_name: str, first_line: str) -> list[str]:
    """The names in a first line if it is a header; none where it is too long for one.

    "x", 'label,"text"' -> ["label", "text"]
    """
    if len(first_line) > LONGEST_HEADER:
        return []
    return [name.strip('"') for name in first_line.split(_delimiter(path_name, first_line))]


def _suffix(name: str) -> str:
    """What the name ends in, but for gzip's own: "a.TSV.gz" -> ".tsv", in small letters."""
    return Path(name.lower().removesuffix(".gz")).suffix


def _delimiter(name: str, header: str) -> str:
    """What separates the columns of the table of this name and header."""
    if "\t" in header or _suffix(name) == ".tsv":
        return "\t"
    bare = QUOTED.sub("", header)
    return ";" if bare.count(";") > bare.count(",") else ","


def _check(columns: list[str], header: str, name: str) -> None:
    """Raises InputError for what does not name columns, each by a name of its own."""
    unnamed = [place for place, column in enumerate(columns, start=1) if not column.strip()]
    if not columns or re.fullmatch(r'"?sep=.?\s*"?\s*', header):  # Excel's own first line
        raise InputError(f"{name}:1: no header; the first line must name the columns")
    if len(unnamed) > 1:
        message = f"{len(unnamed)} columns have no name, the first of them is column {unnamed[0]}"
        raise InputError(f"{name}:1: {message}; delete the empty columns or name them")
    for twice in {column for column in columns if columns.count(column) > 1}:
        raise InputError(f"{name}:1: two columns are named {twice!r}; rename one of them")


def _columns(header: str, delimiter: str, name: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error as error:
        raise InputError(f"{name}:1: not a row of a table: {error}") from error


def _records(
    lines: Iterator[str], delimiter: str, n: int, name: str, header: int
) -> Iterator[Record]:
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    first = header + 1
    while True:
        try:
            values = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"{name}:{first}: not a row of a table: {error}") from error
        if values and len(values) != n:
            message = f"{counted(len(values), 'column')} where the header names {n}"
            raise InputError(f"{name}:{first}: {message}; quote values that hold a separator")
        if values:
            yield Record(values, first)
        first = header + 1 + rows.line_num
