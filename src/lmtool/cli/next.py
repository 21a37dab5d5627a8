"""``lmtool next``: what comes next?"""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from lmtool.cli.given import Given, Row, about
from lmtool.cli.inputs import STDIN, Files, Inputs, hint, once, sources
from lmtool.cli.options import MODEL, Json, ModelPath
from lmtool.cli.render import bar, cut, decimals, json_line, number, power, say, table
from lmtool.cli.terminal import harmless, is_terminal

if TYPE_CHECKING:
    from lmtool.inference.next import NextWord

__all__ = ["run"]

COLUMNS = ("word", "p", "log10_p")
Answer = tuple[int | None, str, list["NextWord"]]  # the line's number, if it is one; its text


def as_tables(answers: Iterable[Answer]) -> Iterator[str]:
    """Ranks, probabilities and bars; the text above those of a line."""
    for line, text, words in answers:
        yield as_table(words) if line is None else f"{line}: {cut(text)}\n{as_table(words)}\n"


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


def as_tsv(answers: Iterable[Answer]) -> Iterator[str]:
    """A header and a row per word, the line's number before it."""
    for index, (line, _, words) in enumerate(answers):
        place = [] if line is None else [str(line)]
        if not index:
            yield "\t".join([*["line"] * len(place), *COLUMNS])
        for w in words:
            yield "\t".join([*place, harmless(w.word), power(w.log10_p, 6), number(w.log10_p)])


def as_objects(answers: Iterable[Answer]) -> Iterator[str]:
    """One object per word, the line's number before it."""
    for line, _, words in answers:
        place = {} if line is None else {"line": line}
        yield from (json_line(place | word.to_dict()) for word in words)


LAYOUTS: dict[str, Callable[[Iterable[Answer]], Iterator[str]]] = {
    "table": as_tables,
    "tsv": as_tsv,
    "jsonl": as_objects,
}


def run(
    text: Annotated[str, typer.Argument(metavar="TEXT|-", help="The words so far.")] = "",
    files: Files = None,
    k: Annotated[int, typer.Option("-k", "--number", min=1, help="How many words.")] = 10,
    about_what: Given = None,
    row: Row = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """List the most probable next words after TEXT, or after each line of a file.

    A blank text or line is the start of a sentence. Lines have a list each, with their numbers. A
    translator or a captioner needs --given.
    """
    named = [*(files or []), *[STDIN] * (text == STDIN)]
    if named and text not in ("", STDIN):
        raise typer.BadParameter("give sentences or a file, not both", param_hint="--file")
    once(named)
    hint([] if named else [text], "next")

    from lmtool import api

    lm: api.Model = about(api.load_for("next", model), about_what, row)
    lines = sources(Inputs([], named)) if named else iter(())
    numbered = ((index, line.text) for index, line in enumerate(lines, 1))
    asked = numbered if named else iter([(None, text)])
    form = "jsonl" if as_json else "table" if is_terminal(sys.stdout) else "tsv"
    for chunk in LAYOUTS[form]((line, text, lm.next(text, k=k)) for line, text in asked):
        say(chunk)
