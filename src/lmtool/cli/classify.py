"""``lmtool classify``: which label does a text have?"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.inputs import Files, Inputs, Source, inputs, note, sources, workers
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, layout
from lmtool.cli.render import bar, cut, json_line, number, say, table
from lmtool.cli.tables import TextColumn, Wanted, read_tables
from lmtool.cli.terminal import harmless, is_terminal

if TYPE_CHECKING:
    from lmtool.api import Classifier
    from lmtool.inference.classification import Classification, LabelProbability

__all__ = ["run"]

LISTED = 10  # labels of a text on a terminal
WIDEST_TEXT, WIDEST_LABEL = 60, 24  # characters on a terminal
WHOLE_LINES = "whole lines are taken as texts; --text COLUMN takes the texts of a column"

Results = Iterable["Classification"]


def as_tables(results: Results, k: int | None) -> Iterator[str]:
    """Each text with its most probable labels and bars; a row a text if one label is asked for."""
    for index, result in enumerate(results):
        if k == 1:
            yield in_a_row(result)
            continue
        rows = [
            (cut(one.label, WIDEST_LABEL), bar(one.p), number(one.p, 3))
            for one in result.labels[: k or LISTED]
        ]
        heading = cut(result.text, WIDEST_TEXT)
        yield "\n" * bool(index) + f"{heading}\n{table(('label', '', 'p'), rows, 2)}"


def in_a_row(result: "Classification") -> str:
    """Label, probability, bar and text: what can be written as the lines come."""
    if not result.text.strip():
        return ""
    label = cut(result.label or "-", WIDEST_LABEL)
    p = 0.0 if result.p is None else result.p
    return f"{label:10}  {p:z5.3f}  {bar(p, 10):10}  {cut(result.text, WIDEST_TEXT)}"


def as_tsv(results: Results, k: int | None) -> Iterator[str]:
    """``label<TAB>p`` a line, k times; a blank line where there is no label."""
    for result in results:
        pairs = ((harmless(one.label), number(one.p)) for one in said(result, k))
        yield "\t".join(cell for pair in pairs for cell in pair)


def as_fasttext(results: Results, k: int | None) -> Iterator[str]:
    """``__label__NAME p``, as fastText's ``predict-prob`` prints; blanks in a name become _."""
    for result in results:
        named = ((harmless("_".join(one.label.split())), one.p) for one in said(result, k))
        yield " ".join(f"__label__{name} {number(p)}" for name, p in named)


def as_objects(results: Results, k: int | None) -> Iterator[str]:
    """One object a text, with the k most probable labels or all of them."""
    return (json_line(result.to_dict()) for result in results)


def said(result: "Classification", k: int | None) -> "tuple[LabelProbability, ...]":
    """The k most probable labels; by default what the text is labelled with, one or several."""
    return result.labels[:k] if k is not None else result.given


FORMATS: dict[str, Callable[[Results, int | None], Iterator[str]]] = {
    "table": as_tables,
    "tsv": as_tsv,
    "fasttext": as_fasttext,
    "jsonl": as_objects,
}


def run(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT|-]...", help="Texts to label; quote each one."),
    ] = None,
    files: Files = None,
    column: TextColumn = None,
    k: Annotated[
        int | None,
        typer.Option(
            "-k",
            "--number",
            min=1,
            help="How many labels, most probable first.",
            show_default="what the text is labelled with; all with --json",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            show_default="table; tsv in a pipe",
            help="Layout of the output.",
        ),
    ] = None,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """Label texts: the most probable label of each, and how probable it is.

    A file (or stdin, in a pipe) gives one result per line in the same order, label and p with a tab
    between them; a blank line gives a blank result. Where a text can have several labels, it is
    given those with p > 0.5, which may be none.
    """
    given = inputs(text, files, "classify", column)
    screen = is_terminal(sys.stdout)
    default = "table" if screen else "tsv"
    form = layout(form, as_json, default, FORMATS)

    from lmtool import api

    classifier: api.Classifier = api.load_for("classify", model)
    n_threads = workers(given.files, threads)
    if classifier.reads == "text":
        found = texts(given, column)
        lines: Iterator[Any] = noted((source.text for source in found), classifier.labels.names)
    else:
        lines = clips(classifier, given, column)
    shown = 1 if form == "table" and given.files and k is None else k
    for chunk in FORMATS[form](classifier.classify_lines(lines, k, threads=n_threads), shown):
        say(chunk)


def clips(classifier: "Classifier", given: Inputs, column: str | None) -> Iterator[Any]:
    """What is to be labelled where it is no text: clips or vectors of files."""
    if given.sentences or column:
        message = f"a {classifier.kind} reads {classifier.reads} of files: -f FILE alone"
        raise typer.BadParameter(message, param_hint="--text" if column else "TEXT")
    return (clip for file in given.files for clip in classifier.clips(file))


def noted(lines: Iterator[str], labels: Sequence[str]) -> Iterator[str]:
    """The lines; a note where the first one begins with its label."""
    for line in islice(lines, 1):
        if "\t" in line and line.split("\t")[0].strip() in labels:
            note("the labels are read as words of the texts; lmtool evaluate takes labelled texts")
        yield line
    yield from lines


def texts(given: Inputs, column: str | None) -> Iterator[Source]:
    """What is to be labelled: sentences, lines, or the rows of a column."""
    if column is None:
        return sources(given, WHOLE_LINES)
    return read_tables(given.files, Wanted(column, [], []), [])[1]
