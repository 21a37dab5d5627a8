"""Tables as sources: a row a sentence or a row a word, and columns that come back beside it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import TYPE_CHECKING, Annotated

import typer

from lmtool.cli.counter import followed
from lmtool.cli.inputs import Inputs, Row, Source, Sources, own_numbers, sources
from lmtool.errors import InputError

if TYPE_CHECKING:
    from lmtool.text.tables import Table

__all__ = ["Columns", "Keep", "TextColumn", "Wanted", "chosen", "names_in", "read_tables"]
__all__ += ["TAKE_COLUMN", "needs_table", "refuse_columns", "with_columns"]

INPUT = "input_"  # before the name of a kept column that is also one of ours
TAKE_COLUMN = "its header is taken as a sentence; --text COLUMN takes the sentences of a column"

TEXT = "text"  # the column of a sentence that the table may hold already

TextColumn = Annotated[
    str | None,
    typer.Option("--text", metavar="COLUMN", help="The file is a table; its text is here."),
]
Keep = Annotated[
    str | None,
    typer.Option(
        metavar="COL,COL",
        help="Columns of the table to repeat.",
        show_default="all where a row comes back as a row, else none",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        metavar="COL,COL", help="What is printed, in this order.", show_default="every column"
    ),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of tables."""

    text: str  # the column
    keep: list[str] | None  # None: every column
    group: list[str]  # columns that rows of one sentence have in common; none: a row a sentence


def needs_table(flag: str, names: str | None, column: str | None) -> None:
    """Wrong usage where columns are named and there is no table."""
    if names is not None and column is None:
        raise typer.BadParameter("needs a table: name its text with --text", param_hint=flag)


def names_in(text: str | None) -> list[str]:
    """``a, b`` -> ["a", "b"]."""
    return [name.strip() for name in text.split(",")] if text is not None else []


def chosen(columns: str | None, known: Collection[str], default: Sequence[str]) -> list[str]:
    """The columns that are named, each once; wrong usage for one that is not known."""
    if columns is None:
        return list(default)
    names = list(dict.fromkeys(names_in(columns)))
    for name in names:
        if name not in known:
            message = f"no column named {name!r}; there are: {', '.join(known)}"
            raise typer.BadParameter(message, param_hint="--columns")
    return names


def refuse_columns(form: str, has_columns: bool, keep: str | None, columns: str | None) -> None:
    """Wrong usage where columns are chosen and the format has none."""
    named = "--columns" if columns is not None else "--keep" if keep is not None else None
    if named and not has_columns:
        raise typer.BadParameter(f"{named} and --format {form} contradict each other")


def with_columns(
    given: Inputs,
    column: str | None,
    keep: str | None,
    ours: Sequence[str],
    advice: str = TAKE_COLUMN,
) -> tuple[list[str], list[str], Sources]:
    """The columns of the output, those of them that are kept, and the sentences.

    Where a row of a table comes back as a row, all its columns do, and its text does once.
    """
    if column is None:
        return list(ours), [], sources(given, advice)
    every = keep is None and TEXT in ours
    wanted = Wanted(column, None if every else names_in(keep), [])
    if every or column in names_in(keep):
        ours = [name for name in ours if name != TEXT]
    kept, found = read_tables(given, wanted, ours)
    return [*kept, *ours], kept, found


def read_tables(
    given: Inputs,
    wanted: Wanted,
    ours: Sequence[str],
    passed: Callable[[Source], object] = lambda source: None,
) -> tuple[list[str], Sources]:
    """The names of the kept columns, and a source a sentence; a name of ours gets INPUT before it.

    Kept are the columns of the first table, by name. Of a part are the sentences that begin there;
    all before them is read, for only that tells what is in quotes. Raises InputError for a column
    that is not there.
    """
    from lmtool.text.parts import cut
    from lmtool.text.tables import read_table

    own = own_numbers(given.part, given.files)
    tables = [read_table(path) for path in given.files]
    kept = tables[0].columns if wanted.keep is None else wanted.keep
    names = [INPUT * (name in ours) + name for name in kept]
    readers = [
        in_groups(path, table, wanted, dict(zip(names, kept, strict=True)))
        for path, table in zip(given.files, tables, strict=True)
    ]
    if given.part is None:
        return names, Sources(followed(chain.from_iterable(readers)))
    before, each = cut(zip(readers, own, strict=True), lambda source: source.number, passed)
    return names, Sources(followed(each), before)


def in_groups(path: str, table: "Table", wanted: Wanted, kept: dict[str, str]) -> Iterator[Source]:
    """The sources of a table; ``kept`` names what comes back, each with its column there."""
    place = table.column(wanted.text)
    places = {name: table.column(column) for name, column in kept.items()}
    keys = [table.column(column) for column in wanted.group]

    def row(values: list[str], number: int) -> Row:
        return Row(values[place], number, {name: values[at] for name, at in places.items()})

    if not keys:
        rows = (row(*record) for record in table.records)
        return (Source(row.text, row.number, path, row.kept) for row in rows)
    keyed = ((tuple(v[at] for at in keys), row(v, number)) for v, number in table.records)
    return sentences(path, table.path, keyed)


def sentences(
    path: str, name: str, keyed: Iterator[tuple[tuple[str, ...], Row]]
) -> Iterator[Source]:
    """Neighbouring rows of one group as a sentence. Raises InputError for a group in two places."""
    seen = set[tuple[str, ...]]()
    for key, members in groupby(keyed, key=lambda pair: pair[0]):
        rows = tuple(row for _, row in members)
        if key in seen:
            ways = "sort the table by it, or name more columns in --group"
            group = ", ".join(key)
            raise InputError(f"{name}:{rows[0].number}: the group {group!r} comes again; {ways}")
        seen.add(key)
        text = " ".join(filter(None, (row.text.strip() for row in rows)))
        yield Source(text, rows[0].number, path, {}, rows)
