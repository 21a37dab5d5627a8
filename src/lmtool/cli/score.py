"""``lmtool score``: how probable is a sentence?"""

import sys
from itertools import repeat, tee
from typing import TYPE_CHECKING, Annotated

import typer

from lmtool.cli.formats import FORMATS, LEVELS, Job
from lmtool.cli.given import Given, Row, about
from lmtool.cli.inputs import Files, Source, inputs, pace
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, layout
from lmtool.cli.render import say
from lmtool.cli.tables import (
    Columns,
    Keep,
    TextColumn,
    chosen,
    needs_table,
    refuse_columns,
    with_columns,
)
from lmtool.cli.terminal import is_terminal

if TYPE_CHECKING:
    from lmtool.text.reader import Line

__all__ = ["run"]


def run(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help="Sentences to score; quote each one."),
    ] = None,
    files: Files = None,
    column: TextColumn = None,
    keep: Keep = None,
    columns: Columns = None,
    model: ModelPath = MODEL,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            show_default="table; tsv for lines in a pipe",
            help=f"Dialect of the output: {', '.join(FORMATS)}.",
        ),
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(metavar="|".join(LEVELS), help="What gets a row.", show_default="by format"),
    ] = None,
    threads: Threads = None,
    about_what: Given = None,
    row: Row = None,
    as_json: Json = False,
) -> None:
    """Score sentences: P(w1) x P(w2 | w1) x ... x P(<EOS> | ...).

    One sentence shows the chain rule, factor by factor. Several are ranked, most probable first,
    with the odds of the best against each. A file (or stdin, in a pipe) gives one result per line
    in the same order; a blank line gives a blank result. Words outside the vocabulary are scored
    as <UNK>, marked, and keep their spelling. A CSV or TSV with a header comes in with --text
    COLUMN, and its rows come back with their scores. A translator or a captioner needs --given.
    """
    needs_table("--keep", keep, column)
    given = inputs(text, files, "score", column)
    chooses = keep is not None or columns is not None
    form = chosen_format(form, as_json, bool(given.sentences), chooses)
    check_level(form, level)
    dialect = FORMATS[form]
    refuse_columns(form, bool(dialect.columns), keep, columns)

    ours = dialect.columns.get(level or dialect.default_level, ())
    names, kept, found = with_columns(given, column, keep, ours)
    printed = chosen(columns, names, names)

    from lmtool import api

    lm: api.Model = about(api.load_for("score", model), about_what, row)
    ahead, behind = tee(found) if kept else (found, iter(()))
    beside = (source.kept or {} for source in behind) if kept else repeat({})
    ranked, name = bool(given.sentences), "+".join(given.files) or "-"
    job = Job(level, ranked, name, lm.vocabulary.id, printed, beside)
    options = dict(dialect.options, **pace(given.files, threads, column is None))
    scores = getattr(lm, dialect.scores)(map(dialect.reads, map(line, ahead)), **options)
    for chunk in dialect.lines(scores, job):
        say(chunk)


def line(source: Source) -> "Line":
    """As the reader of a file gives it."""
    from lmtool.text.reader import Line, display_name

    return Line(source.text, source.number, display_name(source.file or ""))


def chosen_format(form: str | None, as_json: bool, from_arguments: bool, chooses: bool) -> str:
    """The name of a format; wrong usage where two are asked for."""
    for_people = (from_arguments or is_terminal(sys.stdout)) and not chooses
    default = "table" if for_people else "tsv"
    return layout(form, as_json, default, FORMATS)


def check_level(form: str, level: str | None) -> None:
    """Wrong usage where the format does not know the level."""
    known = FORMATS[form].levels
    if level is not None and level not in known:
        message = f"{level!r} is not one of the levels of {form}: {', '.join(known)}"
        raise typer.BadParameter(message, param_hint="--level")
