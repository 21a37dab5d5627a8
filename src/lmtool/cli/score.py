"""``lmtool score``: how probable is a sentence?"""

import sys
from typing import Annotated

import typer

from lmtool.cli.formats import FORMATS, LEVELS, Job
from lmtool.cli.inputs import check_source, file_lines, given, pace
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, choice
from lmtool.cli.render import say
from lmtool.cli.terminal import is_terminal

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
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Score sentences: P(w1) x P(w2 | w1) x ... x P(<EOS> | ...).

    One sentence shows the chain rule, factor by factor. Several are ranked, most probable first,
    with the odds of the best against each. A file (or stdin, in a pipe) gives one result per line
    in the same order; a blank line gives a blank result. Words outside the vocabulary are scored
    as <UNK>, marked, and keep their spelling.
    """
    check_source(text, file, EXAMPLE)
    form = chosen_format(form, as_json, bool(text))
    check_level(form, level)

    from lmtool import api

    source, dialect = file or "-", FORMATS[form]
    lm = api.load(model)
    job = Job(level, bool(text), source, lm.vocabulary.id)
    lines = given(text, EXAMPLE) if text else map(dialect.reads, file_lines(source))
    options = dict(dialect.options, **pace(file, threads))
    scores = getattr(lm, dialect.scores)(lines, **options)
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
