"""Labelled texts: ``label <TAB> text``, tables with a header, fastText's format, JSON lines.

The first line that is not blank decides which one a file is; a later line of another one is an
error. The names of a header count where they are given, where the file is a ``.csv``, or where
every name is a usual one and says which column is the text and which the label: ``label,text``.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from lmtool.data.readers.lines import holds_text, names, parsed, refuse, whole
from lmtool.display import counted
from lmtool.errors import InputError, option
from lmtool.text.labels import Labels, check_label
from lmtool.text.reader import Line, display_name, read_lines
from lmtool.text.tables import Table, is_csv, split_header, table_of

__all__ = ["LabelledFile", "Record", "describe", "read_labelled"]

TAB, FASTTEXT = "label <TAB> text", "__label__NAME text"
JSON = '{"label": "NAME", "text": "..."}'
ROW = "one row, with a label and a text"
MARK = "__label__"
MARKED = re.compile(rf"(?<!\S){MARK}(\S*)\s*")
TEXTS = {
    "text", "sentence", "review", "reviews", "comment", "tweet", "content", "phrase", "body",
    "utterance", "message", "document",
}  # fmt: skip
LABELS = {
    "label", "labels", "class", "category", "stars", "star", "rating", "sentiment", "score",
    "intent", "polarity", "target",
}  # fmt: skip
BESIDE = {"", "id", "index", "idx", "item", "line", "number", "source", "date", "user", "title"}


class Record(NamedTuple):
    """A text with its labels, each once; the text is one line without blanks around it."""

    labels: tuple[str, ...]  # one at least
    text: str  # not empty
    line: int  # counted from 1
    path: str  # for messages

    @property
    def source(self) -> str:
        """What a model reads of it."""
        return self.text


class LabelledFile(NamedTuple):
    """What a file was taken for, and its records, to be read once."""

    path: str  # for messages
    form: str  # ``label <TAB> text``
    records: Iterator[Any]  # Record, or Clip of frames
    filterbank: Any = None  # what made frames of sound
    ignored: tuple[str, ...] = ()  # columns of a manifest


def read_labelled(
    path: str | Path, text: str | None = None, label: str | None = None
) -> LabelledFile:
    """The records of a file, read as they are asked for; blank lines are left out.

    ``text`` and ``label`` name columns of a header or keys of JSON lines. ``-`` is standard input,
    gzip is recognised. Raises InputError: a file that cannot be read, a header that lacks a column,
    and from ``records`` a line of another form, without a label or without text.
    """
    name = display_name(path)
    lines = read_lines(path)
    first = next(filter(holds_text, lines), None)
    if first is None:
        raise InputError(f"{name}: no text in it; at least one labelled text is needed")
    lines, form = chain([first], lines), form_of(first.text)
    if form == TAB and (text or label or is_csv(name) or is_header(name, first.text)):
        return in_a_table(table_of(lines, name), text, label)
    if form == JSON:
        return in_json(name, filter(holds_text, lines), text or "text", label or "label")
    read = tabbed if form == TAB else marked
    return LabelledFile(name, form, map(read, filter(holds_text, lines)))


def describe(file: LabelledFile, n: int, labels: Labels) -> str:
    """``reviews.tsv: 1,204 examples, label <TAB> text, 5 labels (1 .. 5)``"""
    several = ", several a text" if labels.several else ""
    unread = f"; not read: {', '.join(file.ignored)}" if file.ignored else ""
    return f"{file.path}: {counted(n, 'example')}, {file.form}, {labels}{several}{unread}"


def form_of(line: str) -> str:
    """What a line is by itself; TAB if nothing says otherwise."""
    if line.lstrip().startswith("{"):
        return JSON
    return FASTTEXT if MARKED.search(line) else TAB


def record(line: Line, form: str, labels: list[str], text: str) -> Record:
    """The record, once its labels and its text are verified."""
    labels = list(dict.fromkeys(label.strip() for label in labels))
    if wrong := next(filter(None, map(check_label, labels)), "" if labels else "no label"):
        refuse(line, form, wrong)
    if not (text := text.replace("\n", " ").strip()):
        refuse(line, form, "the text is empty")
    return Record(tuple(labels), text, line.number, line.path)


def checked(line: Line, form: str) -> str:
    """The text of a line of this form. Raises InputError for another one."""
    if (other := form_of(line.text)) != form:
        refuse(line, form, f"looks like {other}, unlike the lines before it")
    return line.text


def tabbed(line: Line) -> Record:
    """label <TAB> text"""
    label, *texts = checked(line, TAB).split("\t", 2)
    if not texts:
        refuse(line, TAB, "no TAB in it")
    if len(texts) > 1:
        advice = f"name two of them in a first line, with {option('text')} and {option('label')}"
        refuse(line, TAB, f"more than two columns ({advice})")
    return record(line, TAB, [label], texts[0])


def marked(line: Line) -> Record:
    """__label__NAME __label__OTHER text; as in fastText a label may stand anywhere."""
    text = checked(line, FASTTEXT)
    return record(line, FASTTEXT, MARKED.findall(text), MARKED.sub("", text))


def in_json(name: str, lines: Iterator[Line], text: str, label: str) -> LabelledFile:
    """One object a line; other keys are ignored."""

    def read(line: Line) -> Record:
        checked(line, JSON)
        value = parsed(line, JSON)
        for key, named in ((label, "label"), (text, "text")):
            if key not in value:
                refuse(line, JSON, f"no key {key!r} (name another one with {option(named)})")
        if not isinstance(value[text], str):
            refuse(line, JSON, f"{text!r} is no text")
        given = value[label] if isinstance(value[label], list) else [value[label]]
        labels = names(given, line, JSON, "label")
        return record(line, JSON, labels, whole(value[text], line, JSON))

    return LabelledFile(name, f"JSON lines ({label}, {text})", map(read, lines))


def is_header(name: str, line: str) -> bool:
    """Whether a first line holds nothing but usual names, among them a text's and a label's."""
    columns = [column.strip().lower() for column in split_header(name, line)]
    both = TEXTS & set(columns) and LABELS & set(columns)
    return bool(both) and set(columns) <= TEXTS | LABELS | BESIDE


def in_a_table(table: Table, text: str | None, label: str | None) -> LabelledFile:
    """The records of two columns."""
    t, k = column(table, text, "text", TEXTS), column(table, label, "label", LABELS)
    if t == k:
        raise InputError(f"{table.path}:1: text and label are the same column; name two columns")
    form = f"a table ({table.columns[k]}, {table.columns[t]})"

    def read(values: list[str], number: int) -> Record:
        return record(Line("", number, table.path), ROW, [values[k]], values[t])

    return LabelledFile(table.path, form, (read(*row) for row in table.records))


def column(table: Table, name: str | None, kind: str, usual: set[str]) -> int:
    """The place of a column, by its name, or by the only usual name that the header has."""
    if name is not None:
        return table.column(name)
    places = [i for i, known in enumerate(table.columns) if known.strip().lower() in usual]
    own = [i for i in places if table.columns[i].strip().lower() == kind]
    if len(own or places) != 1:
        known = ", ".join(table.columns)
        message = f"which column is the {kind}? there are: {known}"
        raise InputError(f"{table.path}:1: {message}; name it with {option(kind)}")
    return (own or places)[0]
