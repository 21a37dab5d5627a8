"""Tagged texts: columns with a word a line, or one of the forms with a sentence a line.

The first lines decide which one a file is; a later line of another one is an error.

1. ``{"`` begins the first line: JSON lines.
2. ``text`` or ``tags`` is given, or there is a TAB in it: columns. Ten of them behind TABs and a
   number in the first one are CoNLL-U: the second is the word, the fourth its part of speech,
   ``# ...`` a comment, and a line numbered 1-2 or 1.1 no word.
3. More than half of its words have a slash inside, or else a ``|``: word/TAG.
4. One of the first lines has ``<some words>``: those have the tag 1, others 0. But where all lines
   have as many columns and what looks like a tag in the last one, they are columns.
5. Else columns, separated by blanks.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from lmtool.data.readers.lines import holds_text, refuse
from lmtool.data.readers.tagged import (
    ANGLE,
    BLANKS,
    JSON,
    OBJECT,
    PIPE,
    SLASH,
    UNIT,
    Tagged,
    angle,
    checked_tag,
    in_json,
    separated,
    word,
)
from lmtool.display import counted
from lmtool.errors import InputError
from lmtool.text.reader import Line, display_name, read_lines
from lmtool.text.schemes import Found

__all__ = ["TaggedFile", "describe", "read_tagged"]

COLUMNS = "word ... tag, in columns, with a blank line after each sentence"
BOUNDARY = "-DOCSTART-"  # begins a document; no word
LONGEST = 1_000_000  # words of a sentence
HEAD, LONG = 50, 1 << 16  # lines that decide; characters of them
CONLLU = 10  # ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC
NUMBER = re.compile(r"[0-9]+")
LIKE_A_TAG = re.compile(r"[A-Z]-[^<>]+|[A-Z0-9][A-Z0-9$-]*")


class TaggedFile(NamedTuple):
    """What a file was taken for, and its sentences, to be read once."""

    path: str  # for messages
    form: str  # ``columns (word 1, tag 4)``
    records: Iterator[Tagged]


class Layout(NamedTuple):
    """Columns of a file; places count from 0."""

    n: int
    word: int
    tag: int
    tabs: bool  # whether TABs separate them, and nothing else
    conllu: bool

    def __str__(self) -> str:
        """``columns (word 1, tag 4)``"""
        name = "CoNLL-U" if self.conllu else "columns"
        return f"{name} (word {self.word + 1}, tag {self.tag + 1})"


def read_tagged(path: str | Path, text: str | None = None, tags: str | None = None) -> TaggedFile:
    """The sentences of a file, read as they are asked for.

    ``text`` and ``tags`` are numbers of columns, counted from 1, or keys of JSON lines. ``-`` is
    standard input, gzip is recognised. Raises InputError: a file that cannot be read, a column that
    it lacks, and from ``records`` a line of another form, a word without a tag, what is no tag.
    """
    name = display_name(path)
    lines = read_lines(path)
    head = beginning(lines)
    if not head:
        raise InputError(f"{name}: no text in it; at least one tagged sentence is needed")
    lines = chain(head, lines)
    form = form_of([line.text for line in filter(holds_text, head)], bool(text or tags))
    if form == COLUMNS:
        layout = layout_of([*filter(holds_text, head)], text, tags)
        return TaggedFile(name, str(layout), sentences(lines, layout))
    if form == JSON:
        key = text or "tokens"
        read, form = in_json(text, tags or "tags"), f"JSON lines ({key}, {tags or 'tags'})"
    else:
        n = head[0].text.split(maxsplit=1)[0].count("|") + 1
        read = angle if form == ANGLE else separated(*(("/", 2) if form == SLASH else ("|", n)))
    return TaggedFile(name, form, map(read, filter(holds_text, lines)))


def describe(file: TaggedFile, n: int, found: Found) -> str:
    """``eng.train: 14,041 sentences, columns (word 1, tag 4), tags IOB1, 4 types``"""
    return f"{file.path}: {counted(n, 'sentence')}, {file.form}, {found}"


def beginning(lines: Iterator[Line]) -> list[Line]:
    """The lines that decide, from the first one that is not blank; none of a blank text."""
    head, size = [*filter(None, [next(filter(holds_text, lines), None)])], 0
    while head and len(head) < HEAD and (size := size + len(head[-1].text)) < LONG:
        if (line := next(lines, None)) is None:
            break
        head.append(line)
    return head


def form_of(head: Sequence[str], columns: bool) -> str:
    """What a file is that begins with these lines, none of them blank."""
    first = head[0][:LONG]
    if OBJECT.match(first):
        return JSON
    if columns or "\t" in first or is_conllu(head):
        return COLUMNS
    units = first.split()
    for mark, form in (("/", SLASH), ("|", PIPE)):
        if 2 * sum(mark in unit[1:-1] for unit in units) > len(units):
            return form
    marked = any(match[1] for line in head for match in UNIT.finditer(line[:LONG]))
    return ANGLE if marked and not in_columns(head) else COLUMNS


def is_conllu(head: Sequence[str]) -> bool:
    """Whether the first line that is no comment is a word of CoNLL-U."""
    first = next((line for line in head if not line.startswith("#")), "")
    columns = first.split("\t", CONLLU)
    return len(columns) == CONLLU and NUMBER.match(columns[0]) is not None


def in_columns(head: Sequence[str]) -> bool:
    """Whether lines have as many columns, two or more, and something like a tag in the last."""
    if any(len(line) > LONG for line in head):
        return False
    rows = [line.split() for line in head if not line.startswith(BOUNDARY)]
    alike = len({len(row) for row in rows}) == 1 and len(rows[0]) > 1
    return alike and all(LIKE_A_TAG.fullmatch(row[-1]) for row in rows)


def layout_of(head: Sequence[Line], text: str | None, tags: str | None) -> Layout:
    """The columns that the first word has."""
    conllu = is_conllu([line.text for line in head])
    rows = [line for line in head if not line.text.startswith("#" if conllu else BOUNDARY)]
    first = (rows or head)[0]
    tabs = "\t" in first.text
    n = len(cut(first.text[:LONG], tabs))
    if n < 2:
        refuse(first, COLUMNS, "one column, which cannot be both a word and its tag")
    words = place(first, text, n, 1 if conllu else 0)
    layout = Layout(n, words, place(first, tags, n, 3 if conllu else n - 1), tabs, conllu)
    if layout.word == layout.tag:
        message = "text and tags are the same column; name two columns"
        raise InputError(f"{first.path}:{first.number}: {message}")
    return layout


def place(line: Line, given: str | None, n: int, default: int) -> int:
    """The place of a column by its number, both as the caller knows them."""
    if given is None:
        return default
    if not NUMBER.fullmatch(given) or not 1 <= int(given[:9]) <= n:
        message = f"no column {given[:30]!r}; columns are named by their numbers, 1 to {n:,}"
        raise InputError(f"{line.path}:{line.number}: {message}")
    return int(given) - 1


def cut(line: str, tabs: bool, most: int = 0) -> list[str]:
    """The columns of a line, up to ``most`` and the rest of it; 0 for all of them."""
    if tabs:
        return line.split("\t", most or -1)
    return BLANKS.split(line.strip(), most)


def sentences(lines: Iterator[Line], layout: Layout) -> Iterator[Tagged]:
    """Words up to a blank line, a boundary of documents or the end."""
    words, tags, known = list[str](), list[str](), dict[str, str]()
    start = Line("", 0, "")
    for line, columns in rows(lines, layout):
        if columns and not words:
            start = line
        if columns:
            words.append(word(columns[layout.word], line, COLUMNS))
            tag = columns[layout.tag].strip()
            tags.append(known.get(tag) or known.setdefault(tag, checked_tag(tag, line, COLUMNS)))
        if len(words) > LONGEST:
            refuse(line, COLUMNS, f"a sentence of more than {LONGEST:,} words")
        if words and not columns:
            yield Tagged(tuple(words), tuple(tags), start.number, start.path)
            words, tags = [], []


def rows(lines: Iterator[Line], layout: Layout) -> Iterator[tuple[Line, list[str]]]:
    """Each word's line with its columns; none of them where a sentence ends."""
    line = Line("", 0, "")
    for line in lines:
        columns = cut(line.text, layout.tabs, layout.n) if holds_text(line) else []
        if not columns or columns[0].strip() == BOUNDARY:
            yield line, []
        elif layout.conllu and line.text.startswith("#"):
            continue
        elif len(columns) != layout.n:
            fewer = "fewer" if len(columns) < layout.n else "more"
            refuse(line, COLUMNS, f"{fewer} columns than the {layout.n:,} of the first word")
        elif not layout.conllu or NUMBER.fullmatch(columns[0]):
            yield line, columns
    yield line, []
