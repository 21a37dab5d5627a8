"""``lmtool surprisal``: how surprising is each word?"""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.heat import Page, has_colours
from lmtool.cli.inputs import check_source, file_lines, given, pace
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, choice, settings, takes
from lmtool.cli.render import say
from lmtool.cli.surprisal_formats import FORMATS, Job, Result, Source
from lmtool.cli.terminal import is_terminal
from lmtool.settings import SurprisalSettings

if TYPE_CHECKING:
    from lmtool.inference.surprisal import SentenceSurprisal

__all__ = ["run"]

INPUT = "input_"  # before the name of a kept column that is also one of ours
EXAMPLE = 'lmtool surprisal "Todd met Pete"'


@takes(SurprisalSettings)
def run(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="Sentences; quote each one.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("-f", "--file", metavar="FILE|-", help="Lines of a file, or a CSV/TSV."),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option("--text", metavar="COLUMN", help="The file is a table; its text is here."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(metavar="COL,COL", help="Columns of the table to repeat on every row."),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            show_default="table, or heat for a file; tsv in a pipe",
            help="Layout of the output.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the shaded text as HTML, too.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the shaded text as SVG, too.")
    ] = None,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Show how surprising each word is: -log P(word | words before), entropy, rank, frequency.

    One row per word, the first word and <EOS> included. entropy_before is that of the distribution
    that predicts the word, entropy_after that of the next one; entropy_reduction is their
    difference, with its sign. Words outside the vocabulary are scored as <UNK>, marked, and keep
    their spelling. A CSV or TSV with a header comes in with --text COLUMN.
    """
    check_source(text, file or column, EXAMPLE)
    if keep and column is None:
        raise typer.BadParameter("needs a table: name its text with --text", param_hint="--keep")
    form = chosen_format(form, as_json, bool(text))
    wanted = settings(SurprisalSettings, values)

    from lmtool import api
    from lmtool.inference.surprisal import columns

    lm = api.load(model)
    wanted = replace(wanted, top=min(wanted.top, lm.vocabulary.n_tokens))
    ours, kept = columns(wanted), list[str]()
    if column is not None:
        kept, sources = rows_of_a_table(file or "-", column, keep, ours)
    else:
        lines = given(text, EXAMPLE) if text else (line.text for line in file_lines(file or "-"))
        sources = numbered(lines)
    options = asdict(wanted) | pace(file, threads)
    results = beside(sources, lambda texts: lm.surprisal_lines(texts, **options))
    page = Page(html, svg)
    job = Job(kept + ours, wanted, lm.vocabulary.tokenizer.separator)
    for chunk in FORMATS[form](on_page(results, page, job), job):
        say(chunk)
    page.write()


def chosen_format(form: str | None, as_json: bool, from_arguments: bool) -> str:
    """The name of a format; wrong usage where two are asked for."""
    if as_json and form not in (None, "jsonl"):
        raise typer.BadParameter(f"--json and --format {form} contradict each other")
    for_people = "table" if from_arguments or not has_colours() else "heat"
    default = for_people if is_terminal(sys.stdout) else "tsv"
    return choice("--format", "jsonl" if as_json else form or default, FORMATS)


def numbered(lines: Iterator[str]) -> Iterator[Source]:
    """Lines with their numbers, from 1."""
    return (Source(line, number, {}) for number, line in enumerate(lines, 1))


def rows_of_a_table(
    path: str, column: str, keep: str | None, ours: list[str]
) -> tuple[list[str], Iterator[Source]]:
    """The names of the columns to keep, and the rows; a name of ours gets INPUT before it.

    Raises InputError for a column that is not there.
    """
    from lmtool.text.tables import Record, read_table

    table = read_table(path)
    kept = [name.strip() for name in keep.split(",")] if keep else []
    places = [table.column(name) for name in kept]
    place = table.column(column)
    names = [INPUT * (name in ours) + name for name in kept]

    def source(record: Record) -> Source:
        values = [record.values[place] for place in places]
        return Source(record.values[place], record.number, dict(zip(names, values, strict=True)))

    return names, map(source, table.records)


def beside(
    sources: Iterable[Source],
    scored: Callable[[Iterator[str]], Iterator["SentenceSurprisal"]],
) -> Iterator[Result]:
    """Each source with what came of its text, in order."""
    under_way: deque[Source] = deque()

    def texts() -> Iterator[str]:
        for source in sources:
            under_way.append(source)
            yield source.text

    for sentence in scored(texts()):
        yield under_way.popleft(), sentence


def on_page(results: Iterable[Result], page: Page, job: Job) -> Iterator[Result]:
    """The same results, each put on the page as it passes."""
    for source, sentence in results:
        page.add(sentence, job.separator)
        yield source, sentence
