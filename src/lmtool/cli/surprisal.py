"""``lmtool surprisal``: how surprising is each word?"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.adapting import Tune, refuse_tune, tuned
from lmtool.cli.heat import Page, has_colours, heat, legend
from lmtool.cli.inputs import Files, Source, beside, inputs, pace, sources
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, layout, settings, takes
from lmtool.cli.parts import PartOf, refuse_sums, written
from lmtool.cli.render import say
from lmtool.cli.surprisal_formats import FORMATS, Job, Result
from lmtool.cli.tables import (
    TAKE_COLUMN,
    Columns,
    Keep,
    TextColumn,
    Wanted,
    chosen,
    names_in,
    needs_table,
    read_tables,
)
from lmtool.cli.terminal import is_terminal
from lmtool.cli.unknown import Unknown
from lmtool.settings import CONTEXTS, LEVELS, AdaptSettings, SurprisalSettings

if TYPE_CHECKING:
    from lmtool.inference.surprisal import SentenceSurprisal
    from lmtool.text.tokenizers import Tokenizer
    from lmtool.text.vocabulary import Vocabulary

__all__ = ["run"]

FILE = "file"  # the column of the input's name
PREVIOUS = "_prev"  # in the names of spillover columns
EXPECTED = 6  # words of a page instead of each


@takes(SurprisalSettings, AdaptSettings)
def run(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="Sentences; quote each one.")
    ] = None,
    files: Files = None,
    column: TextColumn = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COL,COL",
            help="A row is a word; neighbouring rows that agree here are a sentence.",
        ),
    ] = None,
    keep: Keep = None,
    columns: Columns = None,
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
    part: PartOf = None,
    tune: Tune = None,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Show how surprising each word is: -log P(word | words before), entropy, rank, frequency.

    One row per word, the first word and <EOS> included. entropy_before is that of the distribution
    that predicts the word, entropy_after that of the next one; entropy_reduction is their
    difference, with its sign. Words outside the vocabulary are scored as <UNK>, marked, and keep
    their spelling. A CSV or TSV with a header comes in with --text COLUMN: a row a sentence, or
    with --group a row a word; such rows come back, each with the values of its word.
    """
    wanted = asked(column, keep, group)
    given = inputs(text, files, "surprisal", column, part)
    form = chosen_format(form, as_json, bool(given.sentences or part), columns)
    options, adaptation = settings(SurprisalSettings, values), settings(AdaptSettings, values)
    refuse_tune(tune, adaptation)
    aligned = form == "heat" or (form == "table" and columns is not None)
    carried = options.context != CONTEXTS[0]
    asked_for = {f"--format {form}": aligned, f"--context {options.context}": carried}
    refuse_sums(part, asked_for | {"--html": html, "--svg": svg})

    from lmtool import api
    from lmtool.inference.surprisal import columns as columns_of

    if group and options.level != LEVELS[0]:
        raise typer.BadParameter("rows of --group are words", param_hint="--level")
    lm: api.Model = api.load_for("surprisal", model)
    options = replace(options, top=min(options.top, lm.vocabulary.n_tokens))
    earlier = Earlier(lm.vocabulary)
    front = [FILE] * (len(given.files) > 1)
    ours = columns_of(options, lm.vocabulary.several)
    if wanted:
        kept, found = read_tables(given, wanted, [*front, *ours], earlier.add)
    else:
        kept, found = [], sources(given, TAKE_COLUMN, earlier.add)
    names = printed(columns, [*front, *kept, *ours], ours)
    tokenizer = lm.vocabulary.tokenizer
    separator = " " if group else tokenizer.separator
    job = Job(names, columns is not None, options, separator, found.before)
    keywords = asdict(options) | tuned(lm, tune, adaptation)
    keywords |= pace(given.files, threads, not wanted)
    if html:  # whose words show what was expected instead
        keywords["top"] = min(max(options.top, EXPECTED), lm.vocabulary.n_tokens)
    unknown = Unknown(lm.vocabulary)
    results = beside(found, lambda texts: unknown.seen(lm.surprisal_lines(texts, **keywords)))
    page = Page(html, svg, lambda one: heat(one, separator), lambda all: as_page(all, separator))
    rows = on_page(earlier.counted(as_rows(results, tokenizer)), page)
    for chunk in written(lambda shown: FORMATS[form](shown, job), rows, part):
        say(chunk)
    page.write("surprisal", legend() if svg else None)
    unknown.tell()


class Earlier:
    """Counts the sentences before a part, blank lines left out, for the ids of those in it."""

    def __init__(self, vocabulary: "Vocabulary") -> None:
        self._vocabulary, self._n = vocabulary, 0

    def add(self, source: Source) -> None:
        """One more, if it has a word."""
        self._n += bool(self._vocabulary.words(source.text))

    def counted(self, results: Iterable[Result]) -> Iterator[Result]:
        """The same results, their ids counted from the first sentence of all."""
        for source, one in results:
            yield source, replace(one, sentence_id=one.sentence_id + self._n) if self._n else one


def asked(column: str | None, keep: str | None, group: str | None) -> Wanted | None:
    """What is asked of tables; wrong usage where there is none."""
    needs_table("--keep", keep, column)
    needs_table("--group", group, column)
    if column is None:
        return None
    every = keep is None and group is not None
    return Wanted(column, None if every else names_in(keep), names_in(group))


def chosen_format(
    form: str | None, as_json: bool, from_arguments: bool, columns: str | None
) -> str:
    """The name of a format; wrong usage where two are asked for."""
    if columns is not None and form == "heat":
        raise typer.BadParameter(f"--columns and --format {form} contradict each other")
    as_table = from_arguments or columns is not None or not has_colours()
    default = ("table" if as_table else "heat") if is_terminal(sys.stdout) else "tsv"
    return layout(form, as_json, default, FORMATS)


def printed(columns: str | None, known: Sequence[str], ours: Sequence[str]) -> list[str]:
    """The columns named, then their spillover unless a column of it is named; all by default."""
    names = chosen(columns, dict.fromkeys([*known, FILE]), known)
    before = [name for name in ours if PREVIOUS in name]
    if columns is None or set(names) & set(before):
        return names
    return names + [name for name in before if name.partition(PREVIOUS)[0] in names]


def as_rows(results: Iterable[Result], tokenizer: "Tokenizer") -> Iterator[Result]:
    """The same results, where rows of a table are words with one value a row."""
    from lmtool.inference.spans import regrouped

    for source, sentence in results:
        words = [text for row in source.rows if (text := row.text.strip())]
        yield source, regrouped(sentence, words, tokenizer) if source.rows else sentence


def as_page(sentences: "list[SentenceSurprisal]", separator: str) -> str:
    """What --html writes."""
    from lmtool.pages.heat import heat_of, heat_page

    return heat_page(heat_of(sentences, separator))


def on_page(results: Iterable[Result], page: Page) -> Iterator[Result]:
    """The same results, each put on the page as it passes."""
    for source, sentence in results:
        page.add(sentence)
        yield source, sentence
