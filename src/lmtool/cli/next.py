"""``lmtool next``: what comes next?"""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lmtool.cli.options import MODEL, Json, ModelPath
from lmtool.cli.render import bar, cut, decimals, json_line, number, power, say, table
from lmtool.cli.terminal import harmless, is_terminal

if TYPE_CHECKING:
    from lmtool.inference.next import NextWord

__all__ = ["run"]

COLUMNS = ("word", "p", "log10_p")


def run(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The words so far.")] = "",
    k: Annotated[
        int, typer.Option("-k", "--number", min=1, metavar="N", help="How many words.")
    ] = 10,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """List the most probable next words after TEXT."""
    from lmtool import api

    words = api.load(model).next(text, k=k)
    if as_json:
        for word in words:
            say(json_line(word.to_dict()))
        return
    say((as_table if is_terminal(sys.stdout) else as_tsv)(words))


def as_table(words: list["NextWord"]) -> str:
    """Ranks, probabilities and bars."""
    most = words[0].p if words else 1.0
    rows = [
        (
            str(rank),
            cut(word.word),
            bar(word.p / most),
            power(word.log10_p),
            decimals(word.log10_p, 4),
        )
        for rank, word in enumerate(words, 1)
    ]
    return table(("", "next word", "", "p", "log10 p"), rows, 3)


def as_tsv(words: list["NextWord"]) -> str:
    """A header and a row per word."""
    rows = [(harmless(w.word), power(w.log10_p, 6), number(w.log10_p)) for w in words]
    return "\n".join("\t".join(row) for row in (COLUMNS, *rows))
