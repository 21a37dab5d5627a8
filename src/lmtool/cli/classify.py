"""``lmtool classify``: which label does a text have?"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.inputs import Files, Inputs, beside, clips, inputs, note, pace
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, layout
from lmtool.cli.parts import PartOf, written
from lmtool.cli.render import bar, cut, number, say, table
from lmtool.cli.rows import ROWS
from lmtool.cli.tables import (
    Columns,
    Keep,
    TextColumn,
    chosen,
    needs_table,
    refuse_columns,
    with_columns,
)
from lmtool.cli.terminal import harmless, is_terminal

if TYPE_CHECKING:
    from lmtool.api import Classifier
    from lmtool.inference.classification import Classification, LabelProbability
    from lmtool.text.parts import Part

__all__ = ["run"]

LISTED = 10  # labels of a text on a terminal
WIDEST_TEXT, WIDEST_LABEL = 60, 24  # characters on a terminal
WHOLE_LINES = "whole lines are taken as texts; --text COLUMN takes the texts of a column"

Results = Iterable["Classification"]


def as_tables(results: Results, k: int | None, before: int) -> Iterator[str]:
    """Each text with its most probable labels and bars; a row a text if one label is asked for."""
    for index, result in enumerate(results, before):
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


def as_tsv(results: Results, k: int | None, before: int) -> Iterator[str]:
    """``label<TAB>p`` a line, k times; a blank line where there is no label."""
    for result in results:
        pairs = ((harmless(one.label), number(one.p)) for one in said(result, k))
        yield "\t".join(cell for pair in pairs for cell in pair)


def as_fasttext(results: Results, k: int | None, before: int) -> Iterator[str]:
    """``__label__NAME p``, as fastText's ``predict-prob`` prints; blanks in a name become _."""
    for result in results:
        named = ((harmless("_".join(one.label.split())), one.p) for one in said(result, k))
        yield " ".join(f"__label__{name} {number(p)}" for name, p in named)


def said(result: "Classification", k: int | None) -> "tuple[LabelProbability, ...]":
    """The k most probable labels; by default what the text is labelled with, one or several."""
    return result.labels[:k] if k is not None else result.given


def as_row(result: "Classification", k: int | None) -> dict[str, Any]:
    """``label``, ``p``, then ``label_2``, ``p_2``, ... of the k most probable ones.

    By default what the text is labelled with; several labels stand in one cell, as do their p.
    """
    pairs: list[tuple[Any, Any]] = [(one.label, one.p) for one in said(result, k)]
    if k is None and len(pairs) > 1:
        labels, ps = zip(*pairs, strict=True)
        pairs = [(", ".join(labels), ", ".join(map(number, ps)))]
    pairs += [(None, None)] * ((k or 1) - len(pairs))
    cells = (cell for pair in pairs for cell in pair)
    return {"text": result.text} | dict(zip(columns_of(k), cells, strict=True))


def columns_of(k: int | None) -> list[str]:
    """``label``, ``p``, ``label_2``, ``p_2``, ..."""
    ends = ["", *(f"_{n}" for n in range(2, (k or 1) + 1))]
    return [f"{name}{end}" for end in ends for name in ("label", "p")]


def as_object(result: "Classification", k: int | None) -> dict[str, Any]:
    """With the k most probable labels or all of them."""
    return result.to_dict()


PLAIN: dict[str, Callable[[Results, int | None, int], Iterator[str]]] = {
    "table": as_tables,
    "tsv": as_tsv,
    "fasttext": as_fasttext,
}
RECORDS: dict[str, Callable[["Classification", int | None], dict[str, Any]]] = {
    "tsv": as_row,
    "csv": as_row,
    "jsonl": as_object,
}
FORMATS = list(dict.fromkeys([*PLAIN, *RECORDS]))


def run(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT|-]...", help="Texts to label, each in quotes; or recordings: a.wav"
        ),
    ] = None,
    files: Files = None,
    column: TextColumn = None,
    keep: Keep = None,
    columns: Columns = None,
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
    part: PartOf = None,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """Label texts: the most probable label of each, and how probable it is.

    A file (or stdin, in a pipe) gives one result per line in the same order, label and p with a tab
    between them; a blank line gives a blank result. Where a text can have several labels, it is
    given those with p > 0.5, which may be none. A CSV or TSV with a header comes in with --text
    COLUMN, and its rows come back with their labels.
    """
    needs_table("--keep", keep, column)
    given = inputs(text, files, "classify", column, part)
    form = chosen_format(form, as_json, keep, columns)

    from lmtool import api

    classifier: api.Classifier = api.load_for("classify", model)
    most = None if k is None else min(k, len(classifier.labels))
    options = pace(given.files, threads, column is None and classifier.reads == "text")
    names = columns_in(form, most)

    def labelled(sources: Iterator[Any]) -> "Iterator[Classification]":
        return classifier.classify_lines(sources, k, **options)

    if classifier.reads == "text":
        names, _, found = with_columns(given, column, keep, names, WHOLE_LINES)
        noted_in = partial(noted, labels=classifier.labels.names, part=part)
        texts = beside(found, lambda lines: labelled(noted_in(lines)))
        before, answers = found.before, ((source.kept or {}, one) for source, one in texts)
    else:
        given = only_files(classifier, given, column)
        before, some = clips(classifier, given)
        answers = (({}, result) for result in labelled(some))
    printed = chosen(columns, names, names)
    if form in RECORDS and (form not in PLAIN or column or columns is not None):
        rows = (RECORDS[form](one, most) | kept for kept, one in answers)
        chunks = written(partial(ROWS[form], printed), rows, part)
    else:
        shown = 1 if form == "table" and given.files and k is None else k
        chunks = PLAIN[form]((result for _, result in answers), shown, before)
    for chunk in chunks:
        say(chunk)


def only_files(classifier: "Classifier", given: Inputs, column: str | None) -> Inputs:
    """The files; recordings may stand where texts do.

    Wrong usage for texts where clips or vectors of files are to be labelled.
    """
    if column is None and given.sentences and classifier.filterbank is not None:
        return Inputs([], given.sentences)
    if given.sentences or column:
        message = f"a {classifier.kind} reads {classifier.reads} of files: -f FILE alone"
        raise typer.BadParameter(message, param_hint="--text" if column else "TEXT")
    return given


def chosen_format(form: str | None, as_json: bool, keep: str | None, columns: str | None) -> str:
    """The name of a format; wrong usage where two are asked for."""
    chooses = keep is not None or columns is not None
    default = "table" if is_terminal(sys.stdout) and not chooses else "tsv"
    form = layout(form, as_json, default, FORMATS)
    refuse_columns(form, form in RECORDS, keep, columns)
    return form


def columns_in(form: str, k: int | None) -> list[str]:
    """The columns of a format that can be chosen."""
    if form not in RECORDS:
        return []
    return ["text", "label", "p", "labels"] if form == "jsonl" else ["text", *columns_of(k)]


def noted(lines: Iterator[str], labels: Sequence[str], part: "Part | None") -> Iterator[str]:
    """The lines; a note where the first one begins with its label, and where there is none."""
    first = next(lines, None)
    if first is None and part is None:
        note("nothing to classify: the input holds no line")
    if first is None:
        return
    if "\t" in first and first.split("\t")[0].strip() in labels:
        note("the labels are read as words of the texts; lmtool evaluate takes labelled texts")
    yield first
    yield from lines
