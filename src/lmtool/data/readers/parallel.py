"""Pairs of a text and its translation: two files side by side, or one that holds both.

1. Two files: line n of one is the translation of line n of the other.
2. One file: the first line that is not blank decides which form it has. ``{`` begins JSON lines,
   a header begins a table (the file is a ``.csv``, columns are named, or the header names a source
   and a target), and everything else is ``source <TAB> target``, columns after these ignored.

A pair that lacks a side is left out and counted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple, NoReturn

from lmtool.data.readers.lines import holds_text, parsed, refuse, whole
from lmtool.display import counted
from lmtool.errors import InputError, OptionError, option
from lmtool.text.reader import STDIN, Line, display_name, read_lines
from lmtool.text.tables import Table, is_csv, split_header, table_of

__all__ = ["Pair", "ParallelFile", "describe", "left_out", "paired", "read_parallel", "too_long"]

Files = str | Path | Sequence[str | Path]

SIDES, TAB = "two files", "source <TAB> target"
JSON = '{"source": "...", "target": "..."}'
SOURCES, TARGETS = {"source", "src"}, {"target", "tgt", "translation"}
OWN = (".tsv", ".csv", ".jsonl", ".ndjson", ".json")  # names of files with pairs inside
LETTERS = 20  # a text of so many times as many letters is as long as that many words
NO_SOURCE, NO_TARGET, LONG = "without a source", "without a target", "too long"


class Pair(NamedTuple):
    """A text and its translation, each one line without blanks around it."""

    source: str  # not empty
    target: str  # not empty
    line: int  # counted from 1
    path: str  # for messages; of two files the source's


class ParallelFile(NamedTuple):
    """What files were taken for, and their pairs, to be read once."""

    path: str  # for messages: ``train.de and train.en``
    form: str  # ``two files``
    records: Iterator[Pair]
    left_out: Counter[str]  # reasons, counted while the records are read


def read_parallel(
    paths: Files,
    source: str | None = None,
    target: str | None = None,
    longest: int | None = None,
) -> ParallelFile:
    """The pairs of two files (source, target), or of one that holds both, read as asked for.

    ``source`` and ``target`` name columns of a header or keys of JSON lines. ``-`` is standard
    input, gzip is recognised. Pairs without a source or a target are left out, and those of more
    than ``longest`` words a side. Raises InputError: a file that cannot be read, a column that is
    not there, and from ``records`` a line of another form, two files of unequal numbers of lines,
    no pair at all.
    """
    files = [paths] if isinstance(paths, str | Path) else [*paths]
    name = " and ".join(map(display_name, files))
    if len(files) == 1:
        form, pairs = in_one(files[0], name, source, target)
    else:
        form, pairs = SIDES, side_by_side(*files)
    reasons: Counter[str] = Counter()
    return ParallelFile(name, form, usable(pairs, name, longest, reasons), reasons)


def describe(file: ParallelFile, n: int) -> str:
    """``a.de and a.en: 3,400 pairs, two files, 3 left out (2 without a source, 1 too long)``"""
    return f"{file.path}: {counted(n, 'pair')}, {file.form}{left_out(file.left_out)}"


def left_out(reasons: Counter[str]) -> str:
    """``, 3 left out (2 without a source, 1 too long)``; nothing where all were taken."""
    if not reasons:
        return ""
    parts = ", ".join(f"{n:,} {reason}" for reason, n in sorted(reasons.items()))
    return f", {reasons.total():,} left out ({parts})"


def paired(paths: Sequence[str | Path], what: str | None = None) -> list[tuple[str | Path, ...]]:
    """Files as ``read_parallel`` takes them: those that hold pairs alone, others two by two.

    A name in .tsv, .csv, .jsonl, .ndjson or .json (.gz) says that a file holds pairs; so does a
    TAB in, or JSON as, the first line of a file that would be left alone. ``what`` is the option
    that named the files, if one did. Raises OptionError where one is left alone.
    """
    found: list[tuple[str | Path, ...]] = []
    left = iter(paths)
    for path in left:
        if str(path).lower().removesuffix(".gz").endswith(OWN):
            found.append((path,))
            continue
        other = next(left, None)
        if other is None and not holds_pairs(path):
            refuse_alone(path, what)
        found.append((path,) if other is None else (path, other))
    return found


def refuse_alone(path: str | Path, what: str | None) -> NoReturn:
    """``--valid takes val.de and val.en: --valid val.de --valid val.en``, and which is alone."""
    alone = f"{display_name(path)} has no file of translations after it"
    if what is None:
        raise OptionError(f"{alone}; name both, as in train.de train.en")
    both = f"{option(what, 'val.de')} {option(what, 'val.en')}"
    raise OptionError(f"{option(what)} takes val.de and val.en: {both}; {alone}")


def holds_pairs(path: str | Path) -> bool:
    """Whether the first line of a file has a TAB in it or is JSON; a pipe may always hold them."""
    if str(path) == STDIN or not Path(path).is_file():
        return True  # who reads it says what is wrong
    first = next(filter(holds_text, read_lines(path)), None)
    return first is None or "\t" in first.text or first.text.lstrip().startswith("{")


def too_long(text: str, longest: int) -> bool:
    """Whether it has more than so many words, or 20 times as many letters."""
    return len(text) > LETTERS * longest or len(text.split(None, longest)) > longest


def usable(
    pairs: Iterable[Pair], name: str, longest: int | None, reasons: Counter[str]
) -> Iterator[Pair]:
    """The pairs with both sides, none too long; the others are counted. Raises InputError."""
    n = 0
    for pair in pairs:
        if reason := unusable(pair, longest):
            reasons[reason] += 1
        elif pair.source:
            n += 1
            yield pair
    if not n:
        raise InputError(f"{name}: no pair of texts in it{left_out(reasons)}; one is needed")


def unusable(pair: Pair, longest: int | None) -> str:
    """Why a pair is left out; nothing if it is not, or if both sides are blank."""
    if not pair.source or not pair.target:
        return "" if pair.source == pair.target else NO_TARGET if pair.source else NO_SOURCE
    over = longest is not None and any(too_long(text, longest) for text in pair[:2])
    return LONG if over else ""


def one_line(text: str) -> str:
    """The text without blanks around it and without line ends."""
    return text.replace("\n", " ").strip()


def side_by_side(source: str | Path, target: str | Path) -> Iterator[Pair]:
    """Line n of both. Raises InputError once one ends before the other, with both counts."""
    if str(source) == str(target) == STDIN:
        raise InputError("standard input cannot be both files; name two files")
    sources, targets = read_lines(source), read_lines(target)
    for n, (one, other) in enumerate(zip_longest(sources, targets)):
        if one is None or other is None:
            longer = n + 1 + sum(1 for _ in (targets if one is None else sources))
            counts = (n, longer) if one is None else (longer, n)
            raise InputError(unequal(display_name(source), display_name(target), *counts))
        yield Pair(one.text.strip(), other.text.strip(), one.number, one.path)


def unequal(source: str, target: str, n: int, m: int) -> str:
    """Both counts."""
    advice = "line n of one must be the translation of line n of the other"
    return f"{source} has {counted(n, 'line')}, but {target} {m:,}; {advice}"


def in_one(
    path: str | Path, name: str, source: str | None, target: str | None
) -> tuple[str, Iterator[Pair]]:
    """What a file with both sides is taken for, and its pairs. Raises InputError."""
    lines = read_lines(path)
    first = next(filter(holds_text, lines), None)
    if first is None:
        raise InputError(f"{name}: no text in it; at least one pair of texts is needed")
    lines = chain([first], lines)
    if first.text.lstrip().startswith("{"):
        keys = (source or "source", target or "target")
        form = f"JSON lines ({', '.join(keys)})"
        return form, (in_json(line, *keys) for line in filter(holds_text, lines))
    if source or target or is_csv(name) or is_header(name, first.text):
        return in_a_table(table_of(lines, name), source, target)
    extra = ", other columns ignored" if first.text.count("\t") > 1 else ""
    return TAB + extra, map(tabbed, filter(holds_text, lines))


def is_header(name: str, line: str) -> bool:
    """Whether a first line names a source and a target."""
    columns = {column.strip().lower() for column in split_header(name, line)}
    return bool(SOURCES & columns and TARGETS & columns)


def tabbed(line: Line) -> Pair:
    """source <TAB> target <TAB> what is ignored"""
    source, *rest = line.text.split("\t", 2)
    if not rest:
        refuse(line, TAB, "no TAB in it")
    return Pair(source.strip(), rest[0].strip(), line.number, line.path)


def in_json(line: Line, source: str, target: str) -> Pair:
    """One object a line; other keys are ignored."""
    value = parsed(line, JSON)
    texts = []
    for key, named in ((source, "source"), (target, "target")):
        if key not in value:
            refuse(line, JSON, f"no key {key!r} (name another one with {option(named)})")
        if not isinstance(value[key], str):
            refuse(line, JSON, f"{key!r} is no text")
        texts.append(one_line(whole(value[key], line, JSON)))
    return Pair(texts[0], texts[1], line.number, line.path)


def in_a_table(table: Table, source: str | None, target: str | None) -> tuple[str, Iterator[Pair]]:
    """The pairs of two columns: those named, else usual names, else the first two."""
    s, t = column(table, source, SOURCES, 0), column(table, target, TARGETS, 1)
    if s == t:
        message = f"source and target are the same column; name two, with {option('source')}"
        raise InputError(f"{table.path}:1: {message} and {option('target')}")
    form = f"a table ({table.columns[s]}, {table.columns[t]})"

    def read(values: list[str], number: int) -> Pair:
        return Pair(one_line(values[s]), one_line(values[t]), number, table.path)

    return form, (read(*row) for row in table.records)


def column(table: Table, name: str | None, usual: set[str], place: int) -> int:
    """The place of a column by its name, by a usual name, or the one given. Raises InputError."""
    if name is not None:
        return table.column(name)
    known = [i for i, column in enumerate(table.columns) if column.strip().lower() in usual]
    if not known and place >= len(table.columns):
        raise InputError(f"{table.path}:1: one column, which cannot be both texts; two are needed")
    return known[0] if known else place
