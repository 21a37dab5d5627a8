"""Vectors, such as features of pictures, with texts that describe them: several a vector.

1. A ``.npy`` (n, D), and a file of lines ``id <TAB> text``: row i belongs to the i-th distinct id
   in order of first appearance. Where every id ends in ``#`` and a number, as in ``image.jpg#0``,
   that end is no part of it. The file is a table where it is a ``.csv``, or where its first line
   names an id and a text.
2. JSON lines ``{"id": ..., "vector": [...], "texts": [...]}``, a vector a line.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lmtool.arrays import Array
from lmtool.data.readers.arrays import NPY, beginning, mapped
from lmtool.data.readers.clips import finite, numbers, refuse_at, unusable
from lmtool.data.readers.lines import holds_text, parsed, refuse, whole
from lmtool.data.readers.parallel import left_out, one_line, too_long
from lmtool.display import counted
from lmtool.errors import InputError
from lmtool.text.reader import Line, display_name, read_lines
from lmtool.text.tables import is_csv, split_header, table_of

__all__ = ["Caption", "CaptionFile", "describe", "read_captions"]

TAB, JSON = "id <TAB> text", '{"id": "...", "vector": [0.1, ...], "texts": ["...", ...]}'
NUMBERED = re.compile(r"(.+)#[0-9]+", re.DOTALL)
IDS = {"id", "image", "image_id", "image_name", "picture", "file", "filename", "name"}
TEXTS = {"text", "caption", "comment", "description", "sentence"}
BLOCK = 1 << 20  # numbers that are verified at a time
NO_TEXT, LONG = "without a text", "too long"


class Caption(NamedTuple):
    """A text, one line without blanks around it, and the vector that it describes."""

    row: int  # of the vectors
    text: str  # not empty
    line: int  # counted from 1
    path: str  # for messages


class CaptionFile(NamedTuple):
    """What files were taken for: their vectors, and the texts, to be read once."""

    path: str  # for messages: ``feats.npy and captions.tsv``
    form: str  # ``an array and id <TAB> text``
    vectors: Array  # (n, D) float32, finite; a float32 file is not read, but mapped
    records: Iterator[Caption]
    left_out: Counter[str]  # reasons


class Said(NamedTuple):
    """A line of a file of captions."""

    id: str
    text: str
    line: int


def read_captions(
    path: str | Path,
    texts: str | Path | None = None,
    longest: int | None = None,
    width: int | None = None,
) -> CaptionFile:
    """The vectors of a ``.npy`` and the texts beside it, or of one file of JSON lines.

    All vectors have ``width`` numbers, or as many as the first. Empty texts are left out, and those
    of more than ``longest`` words. Raises InputError: what cannot be read, other numbers of ids and
    of rows, a number that is not finite, a line of another form, no text at all.
    """
    name = " and ".join(display_name(file) for file in (path, texts) if file is not None)
    if beginning(path, len(NPY)) == NPY:
        if texts is None:
            message = 'no file of texts after it; name one, with lines "id <TAB> text"'
            raise InputError(f"{name}: {message}")
        form, vectors, captions = beside(path, texts)
    elif texts is None:
        form, vectors, captions = in_json(path, name)
    else:
        raise InputError(f"{display_name(path)}: not an array (.npy), which a file of texts needs")
    if width not in (None, vectors.shape[1]):
        message = f"{vectors.shape[1]} numbers a vector, but {width} are expected"
        refuse_at(display_name(path), 1, message)
    reasons: Counter[str] = Counter()
    taken = [one for one in captions if usable(one, longest, reasons)]
    if not taken:
        raise InputError(f"{name}: no text in it{left_out(reasons)}; one is needed")
    return CaptionFile(name, form, vectors, iter(taken), reasons)


def describe(file: CaptionFile, n: int) -> str:
    """``f.npy and t.tsv: 800 vectors of 128 numbers, 3,200 texts, an array and id <TAB> text``"""
    rows, columns = file.vectors.shape
    vectors = f"{counted(rows, 'vector')} of {counted(columns, 'number')}"
    return f"{file.path}: {vectors}, {counted(n, 'text')}, {file.form}{left_out(file.left_out)}"


def usable(caption: Caption, longest: int | None, reasons: Counter[str]) -> bool:
    """Whether the text is one, and not too long; if not, it is counted."""
    over = longest is not None and too_long(caption.text, longest)
    reason = LONG if over else "" if caption.text else NO_TEXT
    if reason:
        reasons[reason] += 1
    return not reason


def beside(path: str | Path, texts: str | Path) -> tuple[str, Array, list[Caption]]:
    """Rows of an array, and lines that name them. Raises InputError."""
    name = display_name(texts)
    form, lines = lines_of(texts, name)
    described = list(lines)
    ids, numbered = bare([one.id for one in described])
    form += " (the #0, #1, ... of the ids dropped)" if numbered else ""
    rows = {key: row for row, key in enumerate(dict.fromkeys(ids))}
    vectors = mapped(path)
    if len(rows) != len(vectors):
        message = f"{counted(len(vectors), 'row')}, but {counted(len(rows), 'id')} in {name}"
        raise InputError(f"{display_name(path)}: {message}; row i belongs to the i-th distinct id")
    pairs = zip(ids, described, strict=True)
    captions = [Caption(rows[key], one.text, one.line, name) for key, one in pairs]
    return f"an array and {form}", verified(vectors, display_name(path)), captions


def bare(ids: list[str]) -> tuple[list[str], bool]:
    """[a.jpg#0, a.jpg#1] -> [a.jpg, a.jpg], and whether all were numbered so."""
    found = [*map(NUMBERED.fullmatch, ids)]
    if not all(found):
        return ids, False
    return [one[1] for one in found if one], True


def verified(x: Array, name: str) -> Array:
    """(n, D) as float32, itself where it is. Raises InputError, naming the row."""
    finite(x[:1], name, 1, "vector")  # its width, too
    same = x.dtype == np.float32
    found = x if same else np.empty(x.shape, np.float32)
    step = max(1, BLOCK // x.shape[1])
    for first in range(0, len(x), step):
        block = x[first : first + step]
        if len(bad := unusable(block)):
            finite(block[bad[0] : bad[0] + 1], name, first + int(bad[0]) + 1, "vector")
        if not same:
            found[first : first + step] = block
    return found


def lines_of(path: str | Path, name: str) -> tuple[str, Iterator[Said]]:
    """What a file of captions is taken for, and its lines. Raises InputError."""
    lines = read_lines(path)
    first = next(filter(holds_text, lines), None)
    if first is None:
        raise InputError(f"{name}: no text in it; a line is: {TAB}")
    lines = chain([first], lines)
    if is_csv(name) or is_header(name, first.text):
        table = table_of(lines, name)
        key, text = (place(table.columns, usual, i) for i, usual in enumerate((IDS, TEXTS)))
        if key == text or max(key, text) >= len(table.columns):
            raise InputError(f"{name}:1: which columns are the id and the text? name them so")
        form = f"a table ({table.columns[key]}, {table.columns[text]})"
        return form, (said(row.values[key], row.values[text], row.number) for row in table.records)
    return TAB, map(tabbed, filter(holds_text, lines))


def is_header(name: str, line: str) -> bool:
    """Whether a first line is the names of an id and of a text."""
    columns = [column.strip().lower() for column in split_header(name, line)]
    return len(columns) > 1 and columns[0] in IDS and bool(TEXTS & set(columns))


def place(columns: list[str], usual: set[str], default: int) -> int:
    """The place of the first column with a usual name."""
    known = [i for i, column in enumerate(columns) if column.strip().lower() in usual]
    return known[0] if known else default


def said(key: str, text: str, line: int) -> Said:
    """Without blanks around it."""
    return Said(key.strip(), one_line(text), line)


def tabbed(line: Line) -> Said:
    """id <TAB> text"""
    key, *rest = line.text.split("\t", 1)
    if not rest:
        refuse(line, TAB, "no TAB in it")
    if not key.strip():
        refuse(line, TAB, "the id is empty")
    return said(key, rest[0].replace("\t", " "), line.number)


def in_json(path: str | Path, name: str) -> tuple[str, Array, list[Caption]]:
    """A vector with its texts a line. Raises InputError."""
    rows, captions, known = list[Array](), list[Caption](), dict[str, int]()
    for line in filter(holds_text, read_lines(path)):
        value = parsed(line, JSON, spelled=False)
        rows.append(
            numbers([listed(value, "vector", line, "numbers")], name, line.number, "vector")
        )
        if rows[-1].shape != rows[0].shape:
            message = f"{rows[-1].shape[1]} numbers a vector, but {rows[0].shape[1]} are expected"
            refuse_at(line.path, line.number, message)
        if (before := known.setdefault(identity(value, line), line.number)) != line.number:
            refuse(line, JSON, f"its id is that of line {before}")
        row = len(rows) - 1
        captions += (Caption(row, text, line.number, name) for text in texts_of(value, line))
    if not rows:
        raise InputError(f"{name}: no vector in it; a line is: {JSON}")
    return "JSON lines (vector, texts)", np.concatenate(rows), captions


def identity(value: dict[str, Any], line: Line) -> str:
    """The id of a line, or what is no other line's."""
    found = value.get("id")
    if isinstance(found, list | dict):
        refuse(line, JSON, "'id' is neither text nor number")
    return f"line {line.number}" if found is None else repr(found)


def listed(value: dict[str, Any], key: str, line: Line, noun: str) -> list[Any]:
    """What a line holds under a key."""
    if key not in value:
        refuse(line, JSON, f"no key {key!r}")
    found = value[key]
    return found if type(found) is list else refuse(line, JSON, f"{key!r} is no list of {noun}")


def texts_of(value: dict[str, Any], line: Line) -> list[str]:
    """The texts of a line."""
    found = listed(value, "texts", line, "texts")
    if not all(isinstance(text, str) for text in found):
        refuse(line, JSON, "'texts' is no list of texts")
    return [one_line(whole(text, line, JSON)) for text in found]
