"""``lmtool pairs``: minimal pairs, how often the good sentence is the more probable one."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.counter import followed
from lmtool.cli.inputs import file_lines, once, own_numbers, pace
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, layout
from lmtool.cli.parts import PartOf, refuse_sums, written
from lmtool.cli.render import cut, number, say, table
from lmtool.cli.rows import ROWS
from lmtool.cli.terminal import is_terminal
from lmtool.errors import InputError

if TYPE_CHECKING:
    from lmtool.inference.pairs import Pair
    from lmtool.text.parts import Part

__all__ = ["run"]

FORMATS = ("table", *ROWS)
GROUP = ("n", "n_right", "accuracy", "low", "high", "mean_difference_bits", "n_oov", "accuracy_oov")
ITEM = (
    "line", "good", "bad", "good_log10_p", "bad_log10_p", "difference_bits", "right", "oov",
)  # fmt: skip
WIDEST = 32  # characters of a sentence in a table


def run(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="GOOD BAD | TABLE", help="Two files of sentences, or a CSV/TSV with both."
        ),
    ],
    good: Annotated[
        str, typer.Option(metavar="COLUMN", help="Column of the good sentences.")
    ] = "good",
    bad: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the bad ones.")] = "bad",
    by: Annotated[
        str | None, typer.Option(metavar="COL,COL", help="Columns of the table that name groups.")
    ] = None,
    items: Annotated[
        bool, typer.Option("--items", help="Show each pair instead of each group.")
    ] = False,
    per_word: Annotated[
        bool,
        typer.Option("--per-word", help="Compare means per word, for pairs of unequal length."),
    ] = False,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            show_default="table; tsv in a pipe",
            help="Layout of the output.",
        ),
    ] = None,
    part: PartOf = None,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """Compare minimal pairs: in how many is the good sentence more probable than the bad one?

    Accuracy comes with its 95 % interval (Wilson). Pairs with a word outside the vocabulary are
    counted apart, in n_oov and accuracy_oov. difference_bits is log2 P(good) - log2 P(bad).
    """
    if len(files) > 2:
        raise typer.BadParameter("give two files of sentences, or one table", param_hint="GOOD BAD")
    once(files)
    if by and len(files) == 2:
        raise typer.BadParameter("groups are columns of a table; give one table", param_hint="--by")
    default = "table" if is_terminal(sys.stdout) and part is None else "tsv"
    form = layout(form, as_json, default, FORMATS)
    sums = {"accuracies, without --items,": not items, f"--format {form}": form == "table"}
    refuse_sums(part, sums)

    from lmtool import api

    names = [name.strip() for name in by.split(",")] if by else []
    pairs = in_a_table(files[0], good, bad, names) if len(files) == 1 else in_two_files(*files)
    pairs = pairs if part is None else in_part(pairs, part, files[0])
    lm: api.Model = api.load_for("pairs", model)
    scores = lm.score_pairs(followed(pairs), per_word=per_word, **pace(files, threads, False))
    if items:
        each = (record(names, score.to_dict()) for score in scores)
        show(form, [*names, *ITEM], each, part)
    else:
        results = api.accuracies(scores)
        show(form, [*names, *GROUP], (record(names, result.to_dict()) for result in results))


def in_part(pairs: "Iterator[Pair]", part: "Part", path: str) -> "Iterator[Pair]":
    """Those that begin in the part of a file: the table, or the good sentences."""
    from lmtool.text.parts import cut

    return cut(zip([pairs], own_numbers(part, [path]), strict=True), lambda pair: pair.line)[1]


def in_two_files(good: str, bad: str) -> "Iterator[Pair]":
    """Line against line. Raises InputError where one file has more lines, or a blank one."""
    from lmtool.inference.pairs import Pair

    for one, other in zip_longest(file_lines(good), file_lines(bad)):
        if one is None or other is None:
            longer = one or other
            message = "the other file has no such line; pairs need as many lines in both"
            raise InputError(f"{longer.path}:{longer.number}: {message}")
        for line in (one, other):
            refuse_blank(line.text, line.path, line.number)
        yield Pair(one.text, other.text, (), one.number)


def in_a_table(path: str, good: str, bad: str, names: list[str]) -> "Iterator[Pair]":
    """The rows of a table. Raises InputError for a missing column or a blank sentence."""
    from lmtool.inference.pairs import Pair
    from lmtool.text.tables import read_table

    table = read_table(path)
    first, second, *groups = (table.column(name) for name in (good, bad, *names))
    for values, line in table.records:
        for place in (first, second):
            refuse_blank(values[place], table.path, line)
        yield Pair(values[first], values[second], tuple(values[place] for place in groups), line)


def refuse_blank(text: str, path: str, line: int) -> None:
    """Raises InputError for a sentence without a word."""
    if not text.strip():
        raise InputError(f"{path}:{line}: one sentence of the pair is empty; give both")


def record(names: list[str], values: dict[str, Any]) -> dict[str, Any]:
    """A result with its group spread over columns."""
    return {**values, **dict(zip(names, values.pop("group"), strict=True))}


def show(
    form: str,
    columns: list[str],
    records: Iterable[Mapping[str, Any]],
    part: "Part | None" = None,
) -> None:
    """The records in a layout."""
    if form != "table":
        for line in written(partial(ROWS[form], columns), records, part):
            say(line)
        return
    rows = [[shown(record[name]) for name in columns] for record in records]
    texts = len(columns) - len(GROUP) if columns[-1] == GROUP[-1] else len(columns)
    say(table(columns, rows, max(1, texts)))


def shown(value: Any) -> str:
    """A cell."""
    return cut(value, WIDEST) if isinstance(value, str) else number(value, 4)
