"""``lmtool score``: how probable is a sentence?"""

import sys
from functools import partial
from itertools import repeat, tee
from typing import TYPE_CHECKING, Annotated

import typer

from lmtool.cli.formats import FORMATS, LEVELS, Job
from lmtool.cli.given import Given, Row, about
from lmtool.cli.inputs import Files, Source, inputs, pace
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, layout
from lmtool.cli.parts import PartOf, refuse_sums, written
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
from lmtool.cli.unknown import Unknown

if TYPE_CHECKING:
    from lmtool.text.reader import Line
    from lmtool.text.vocabulary import Vocabulary

__all__ = ["run"]

TOKEN = "token"


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
        typer.Option(
            metavar="|".join(LEVELS),
            help="What gets a row; token: each of a word's.",
            show_default="by format",
        ),
    ] = None,
    part: PartOf = None,
    threads: Threads = None,
    about_what: Given = None,
    row: Row = None,
    as_json: Json = False,
) -> None:
    """Score sentences: P(w1) x P(w2 | w1) x ... x P(<EOS> | ...).

    One sentence shows the chain rule, factor by factor. Several are ranked, most probable first,
    with the odds of the best against each. A file (or stdin, in a pipe) gives one result per line
    in the same order; a blank line gives a blank result. Words outside the vocabulary are scored
    as <UNK>, marked, and keep their spelling. A word stands between blanks; where a model has
    several tokens for it, their probabilities are multiplied. A CSV or TSV with a header comes in
    with --text COLUMN, and its rows come back with their scores. A translator or a
    captioner needs --given.
    """
    needs_table("--keep", keep, column)
    given = inputs(text, files, "score", column, part)
    chooses = keep is not None or columns is not None
    form = chosen_format(form, as_json, bool(given.sentences), chooses)
    dialect = FORMATS[form]
    level, unit = check_level(form, level)
    sums = (level or dialect.default_level) in dialect.summed
    refuse_sums(part, {f"--format {form}" + f" --level {level}" * bool(level): sums})
    refuse_columns(form, bool(dialect.columns), keep, columns)

    ours = dialect.columns.get(level or dialect.default_level, ())
    names, kept, found = with_columns(given, column, keep, ours)
    printed = chosen(columns, names, names)

    from lmtool import api

    lm: api.Model = about(api.load_for("score", model), about_what, row)
    vocabulary = lm.vocabulary
    if columns is None and vocabulary.several:
        printed = [*printed, *dialect.levelled]
    ahead, behind = tee(found) if kept else (found, iter(()))
    beside = (source.kept or {} for source in behind) if kept else repeat({})
    ranked, name = bool(given.sentences), "+".join(given.files) or "-"
    job = Job(level, ranked, name, partial(first_id, vocabulary), printed, beside, found.before)
    options = dict(dialect.options, **unit, **pace(given.files, threads, column is None))
    scores = getattr(lm, dialect.scores)(map(dialect.reads, map(line, ahead)), **options)
    unknown = Unknown(vocabulary)
    for chunk in written(lambda seen: dialect.lines(seen, job), unknown.seen(scores), part):
        say(chunk)
    unknown.tell()


def first_id(vocabulary: "Vocabulary", token: str) -> int:
    """The id of a token, or of the first one of a word that has several."""
    return vocabulary.id(token.partition(" ")[0] if vocabulary.several else token)


def line(source: Source) -> "Line":
    """As the reader of a file gives it."""
    from lmtool.text.reader import Line, display_name

    return Line(source.text, source.number, display_name(source.file or ""))


def chosen_format(form: str | None, as_json: bool, from_arguments: bool, chooses: bool) -> str:
    """The name of a format; wrong usage where two are asked for."""
    for_people = (from_arguments or is_terminal(sys.stdout)) and not chooses
    default = "table" if for_people else "tsv"
    return layout(form, as_json, default, FORMATS)


def check_level(form: str, level: str | None) -> tuple[str | None, dict[str, str]]:
    """The level as the format knows it, and as the scores do. Wrong usage where it does not."""
    known = FORMATS[form].levels
    own = "word" if level == TOKEN else level
    if own is not None and own not in known:
        message = f"{level!r} is not one of the levels of {form}: {', '.join(known)}"
        raise typer.BadParameter(message, param_hint="--level")
    return own, {"level": TOKEN} if level == TOKEN else {}
