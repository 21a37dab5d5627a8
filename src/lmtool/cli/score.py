"""``lmtool score``: how probable is a sentence?"""

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from lmtool.cli.formats import FORMATS, LEVELS, Job
from lmtool.cli.options import MODEL, Json, ModelPath, choice
from lmtool.cli.render import say
from lmtool.cli.terminal import is_terminal
from lmtool.errors import InputError

if TYPE_CHECKING:
    from lmtool.text.reader import Line

__all__ = ["run"]

EXAMPLE = 'lmtool score "Todd met Pete"'


def run(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="Sentences to score; quote each one.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("-f", "--file", metavar="FILE|-", help="Score each line of a file."),
    ] = None,
    model: ModelPath = MODEL,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            show_default="table; tsv for lines in a pipe",
            help="Dialect of the output.",
        ),
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(metavar="|".join(LEVELS), help="What gets a row.", show_default="by format"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Score sentences: P(w1) x P(w2 | w1) x ... x P(<EOS> | ...).

    One sentence shows the chain rule, factor by factor. Several are ranked, most probable first,
    with the odds of the best against each. A file (or stdin, in a pipe) gives one result per line
    in the same order; a blank line gives a blank result. Words outside the vocabulary are scored
    as <UNK>, marked, and keep their spelling.
    """
    if text and file:
        raise typer.BadParameter("give sentences or a file, not both", param_hint="--file")
    if not text and file is None and sys.stdin.isatty():
        raise typer.BadParameter(f"nothing to score: try {EXAMPLE} or -f FILE", param_hint="TEXT")
    form = chosen_format(form, as_json, bool(text))
    check_level(form, level)

    from lmtool import api

    source, dialect = file or "-", FORMATS[form]
    lm = api.load(model)
    job = Job(level, bool(text), source, lm.vocabulary.id)
    scores = getattr(lm, dialect.scores)(sentences(text, source, dialect.reads))
    for chunk in dialect.lines(scores, job):
        say(chunk)


def chosen_format(form: str | None, as_json: bool, from_arguments: bool) -> str:
    """The name of a format; wrong usage where two are asked for."""
    if as_json and form not in (None, "jsonl"):
        raise typer.BadParameter(f"--json and --format {form} contradict each other")
    default = "table" if from_arguments or is_terminal(sys.stdout) else "tsv"
    return choice("--format", "jsonl" if as_json else form or default, FORMATS)


def check_level(form: str, level: str | None) -> None:
    """Wrong usage where the format does not know the level."""
    known = FORMATS[form].levels
    if level is not None and level not in known:
        message = f"{level!r} is not one of the levels of {form}: {', '.join(known)}"
        raise typer.BadParameter(message, param_hint="--level")


def sentences(text: list[str] | None, source: str, reads: "Callable[[Line], str]") -> Iterator[str]:
    """The arguments, or what ``reads`` takes of the lines of a file.

    Raises InputError for an empty argument.
    """
    from lmtool.text.reader import read_lines

    if text is None or not text:
        yield from map(reads, read_lines(source))
        return
    for number, sentence in enumerate(text, 1):
        if not sentence.strip():
            raise InputError(f"sentence {number} is empty: give at least one word, as in {EXAMPLE}")
        yield sentence
