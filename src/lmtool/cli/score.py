"""``lmtool score``: how probable is a sentence?"""

import sys
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.formats import FORMATS, Format, Job
from lmtool.cli.inputs import check_source, file_lines, given, workers
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, choice
from lmtool.cli.render import say
from lmtool.cli.terminal import is_terminal
from lmtool.errors import InputError

if TYPE_CHECKING:
    from lmtool.api import Model

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
        typer.Option(
            metavar="word|sentence|corpus", help="What gets a row.", show_default="by format"
        ),
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
    name = chosen_format(form, as_json, bool(text))
    dialect = FORMATS[name]
    if level is not None:
        choice(f"--level of {name}", level, dialect.levels)

    from lmtool import api

    source = file or "-"
    lm = api.load(model)
    lines = given(text, EXAMPLE) if text else file_lines(source)
    job = Job(level, bool(text), source, lm.vocabulary.id)
    for chunk in dialect.write(scored(lm, dialect, lines, source, workers(file, threads)), job):
        say(chunk)


def chosen_format(form: str | None, as_json: bool, from_arguments: bool) -> str:
    """The name of a format; wrong usage where two are asked for."""
    if as_json and form not in (None, "jsonl"):
        raise typer.BadParameter(f"--json and --format {form} contradict each other")
    default = "table" if from_arguments or is_terminal(sys.stdout) else "tsv"
    return choice("--format", "jsonl" if as_json else form or default, FORMATS)


def scored(
    lm: "Model", dialect: Format, lines: Iterator[str], source: str, threads: int
) -> Iterator[Any]:
    """What the dialect writes."""
    if dialect.entropies:
        return lm.surprisal_lines(lines, threads=threads, frequency=False)
    if not dialect.ids:
        return lm.score_lines(lines, threads=threads)
    from lmtool.text.reader import display_name

    utterances: deque[str] = deque()

    def texts() -> Iterator[str]:
        for number, line in enumerate(lines, 1):
            fields = line.split(maxsplit=1)
            if not fields:
                where = f"{display_name(source)}:{number}"
                raise InputError(f"{where}: no utterance id; each line must begin with one")
            utterances.append(fields[0])
            yield fields[1] if len(fields) > 1 else ""

    scores = lm.score_lines(texts(), threads=threads, eos_alone=True)
    return ((utterances.popleft(), score) for score in scores)
