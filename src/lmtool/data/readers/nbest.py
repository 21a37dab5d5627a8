"""N-best lists: what a recogniser or a translator may have heard or meant, best first.

jsonl   {"id": "u1", "hyps": ["...", ...], "scores": [-0.3, ...], "ref": "..."}, a list a line, and
        what ``lmtool translate --json`` prints: {"hypotheses": [{"text": "...", "score": -1.2}]}
moses   0 ||| hypothesis ||| features ||| total
kaldi   utt-1 w1 w2 ..., the n-th hypothesis of an utterance ending in -n; costs stand elsewhere
srilm   acoustic lm n w1 w2 ..., or under a line NBestList1.0 or 2.0 (score) w1 w2 ...; a file is
        a list

The first line that is not blank decides, unless a format is named. Scores stay as they are.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, groupby
from pathlib import Path
from typing import Any, NamedTuple

from lmtool.data.readers.lines import holds_text, parsed, refuse, whole
from lmtool.errors import InputError, option
from lmtool.text.reader import Line, display_name, read_lines

__all__ = ["BAR", "FORMS", "SPELLED", "NBest", "NBestFile", "costs_of", "list_of", "read_nbest"]
__all__ += ["referenced"]

JSON = '{"id": "...", "hyps": ["...", ...], "scores": [-0.3, ...], "ref": "..."}'
MOSES, KALDI = "0 ||| hypothesis ||| features ||| total", "utt-1 w1 w2 ..."
PLAIN, HEADED = "acoustic lm n w1 w2 ...", "(score) w1 w2 ..."
COST, KEYED = "utt-1 12.3", "utt w1 w2 ..."
BAR, SPELLED = "|||", "&#124;&#124;&#124;"  # what parts fields, and how it stands in a text
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
NATIVE = re.compile(rf"\s*({NUMBER})\s+{NUMBER}\s+\d+(?:\s+(.*))?")
BRACKETED = re.compile(rf"\s*\(\s*({NUMBER})\s*\)(.*)")
TIMES = re.compile(r"\(\s*st:[^()]*\)")  # what NBestList2.0 has after each word
HEADER = re.compile(r"NBestList[12]\.0\s*")
ENDS = {"<s>", "</s>"}
NTH = re.compile(r"(\S+)-(\d+)")


class NBest(NamedTuple):
    """Hypotheses in the order of the file, words between single blanks; a list may be empty."""

    id: str
    texts: tuple[str, ...]
    scores: tuple[float, ...] | None  # finite; None: there are none
    reference: str | None
    line: int  # counted from 1, where the list begins
    path: str  # for messages


class NBestFile(NamedTuple):
    """What a file was taken for, and its lists, to be read once."""

    path: str  # for messages
    form: str  # a name in FORMS
    lists: Iterator[NBest]


class Heard(NamedTuple):
    """A line with one hypothesis."""

    id: str
    text: str
    score: float | None
    line: Line


def read_nbest(
    path: str | Path, form: str | None = None, costs: Mapping[str, float] | None = None
) -> NBestFile:
    """The lists of a file, read as they are asked for; ``form`` is a name in FORMS.

    ``costs`` are those of a Kaldi archive, by the ids of hypotheses. ``-`` is standard input, gzip
    is recognised. Raises InputError: a file that cannot be read or holds no list, and from
    ``lists`` a line of another form, a score that is no finite number, a list torn apart.
    """
    name, lines = display_name(path), read_lines(path)
    first = next(filter(holds_text, lines), None)
    if first is None:
        raise InputError(f"{name}: no list in it; at least one list of hypotheses is needed")
    form = form or form_of(first)
    found = FORMS[form](chain([first], lines), costs or {})
    return NBestFile(name, form, found)


def form_of(line: Line) -> str:
    """What a first line says. Raises InputError where that is nothing."""
    text = line.text
    if text.lstrip().startswith("{"):
        return "jsonl"
    if BAR in text:
        return "moses"
    if HEADER.fullmatch(text) or NATIVE.fullmatch(text):
        return "srilm"
    if NTH.fullmatch(text.split()[0]):
        return "kaldi"
    known = f"JSON lines, {MOSES}, {KALDI} or {PLAIN}"
    message = f"no list of hypotheses; a line is {known}"
    raise InputError(f"{line.path}:{line.number}: {message}; {option('from')} names the format")


def in_json(lines: Iterable[Line], costs: Mapping[str, float]) -> Iterator[NBest]:
    """A list a line; other keys are ignored, as is the summary that ends a rescoring."""
    for line in filter(holds_text, lines):
        value = parsed(line, JSON, spelled=False)
        if not ("wer" in value and "weights" in value):
            yield list_of(value, line)


def list_of(value: Mapping[str, Any], line: Line) -> NBest:
    """The list that an object says. Raises InputError."""
    given, scores = value.get("hyps"), value.get("scores")
    if given is None and isinstance(value.get("hypotheses"), list):
        given, scores = apart(value["hypotheses"], line)
    if not isinstance(given, list | tuple):
        refuse(line, JSON, "no list 'hyps'")
    texts = tuple(plain(one, line, "a hypothesis") for one in given)
    if scores is not None and (not isinstance(scores, list | tuple) or len(scores) != len(texts)):
        n = len(scores) if isinstance(scores, list | tuple) else "no list of"
        refuse(line, JSON, f"{len(texts)} hypotheses with {n} scores")
    numbers = None if scores is None else tuple(finite(one, line, JSON) for one in scores)
    said = value.get("ref", value.get("reference"))
    reference = None if said is None else plain(said, line, "the reference")
    name = value.get("id", line.number)
    return NBest(str(name), texts, numbers, reference, line.number, line.path)


def apart(given: list[Any], line: Line) -> tuple[list[Any], list[Any] | None]:
    """[{"text": ..., "score": ...}] -> texts and scores."""
    if wrong := [one for one in given if not isinstance(one, dict) or "text" not in one]:
        refuse(line, JSON, f"a hypothesis without a text: {type(wrong[0]).__name__}")
    found = [one.get("score", one.get("log10_p")) for one in given]
    without = not found or all(score is None for score in found)
    return [one["text"] for one in given], None if without else found


def plain(value: object, line: Line, what: str) -> str:
    """A text out of JSON, words between single blanks."""
    if not isinstance(value, str):
        refuse(line, JSON, f"{what} is no text but {type(value).__name__}")
    return " ".join(whole(value, line, JSON).split())


def finite(value: object, line: Line, form: str) -> float:
    """A score. Raises InputError for what is none."""
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (OverflowError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        refuse(line, form, f"a score is no finite number: {str(value)[:40]!r}")
    return number


def in_moses(lines: Iterable[Line], costs: Mapping[str, float]) -> Iterator[NBest]:
    """The last of four fields is the score; what comes after it is ignored."""

    def read(line: Line) -> Heard:
        name, *fields = (field.strip() for field in line.text.split(BAR))
        if not name or len(fields) < 3:
            refuse(line, MOSES, f"{len(fields) + 1} fields")
        text = " ".join(fields[0].replace(SPELLED, BAR).split())
        return Heard(name, text, finite(fields[2], line, MOSES), line)

    return together(map(read, filter(holds_text, lines)), MOSES)


def in_kaldi(lines: Iterable[Line], costs: Mapping[str, float]) -> Iterator[NBest]:
    """An archive of words; where there are costs, every hypothesis needs one."""

    def read(line: Line) -> Heard:
        name, *words = line.text.split()
        found = NTH.fullmatch(name)
        if found is None:
            refuse(line, KALDI, f"{name[:40]!r} does not end in -1, -2, ...")
        if costs and name not in costs:
            refuse(line, KALDI, f"{name[:40]!r} has no cost")
        return Heard(found[1], " ".join(words), costs.get(name), line)

    return together(map(read, filter(holds_text, lines)), KALDI)


def in_srilm(lines: Iterable[Line], costs: Mapping[str, float]) -> Iterator[NBest]:
    """A list a file; a blank line or another header begins the next one.

    The score is the acoustic one, or under a header the one there is: models replace the other.
    """
    place, headed, name = 0, False, ""

    def read(line: Line) -> Heard:
        form, pattern = (HEADED, BRACKETED) if headed else (PLAIN, NATIVE)
        found = pattern.fullmatch(line.text)
        if found is None:
            refuse(line, form, "no such line")
        words = TIMES.sub(" ", found[2] or "").split()
        text = " ".join(word for word in words if word not in ENDS)
        return Heard(name, text, finite(found[1], line, form), line)

    def heard() -> Iterator[Heard]:
        nonlocal place, headed, name
        begun = False
        for line in lines:
            header = HEADER.fullmatch(line.text) is not None
            if header or not holds_text(line):
                headed, begun = header or headed, False
                continue
            if not begun:
                place, begun = place + 1, True
                stem = Path(line.path).name.removesuffix(".gz").partition(".")[0]
                name = stem if place == 1 else f"{stem}-{place}"
            yield read(line)

    return together(heard(), PLAIN)


def together(heard: Iterable[Heard], form: str) -> Iterator[NBest]:
    """Neighbours of one id are a list. Raises InputError where it goes on elsewhere."""
    known: set[str] = set()
    for name, group in groupby(heard, key=lambda one: one.id):
        some = list(group)
        line = some[0].line
        if name in known:
            message = f"the list of {name[:40]!r} goes on here; its lines must follow each other"
            refuse(line, form, message)
        known.add(name)
        scores = tuple(one.score for one in some if one.score is not None) or None
        yield NBest(name, tuple(one.text for one in some), scores, None, line.number, line.path)


FORMS: dict[str, Callable[[Iterable[Line], Mapping[str, float]], Iterator[NBest]]] = {
    "jsonl": in_json,
    "moses": in_moses,
    "kaldi": in_kaldi,
    "srilm": in_srilm,
}


def costs_of(paths: Iterable[str | Path]) -> dict[str, float]:
    """The costs of hypotheses by their ids, from archives ``utt-1 12.3``. Raises InputError."""
    known: dict[str, float] = {}
    for line in chain.from_iterable(filter(holds_text, read_lines(path)) for path in paths):
        name, *rest = line.text.split()
        if len(rest) != 1:
            refuse(line, COST, f"{len(rest) + 1} fields")
        if name in known:
            refuse(line, COST, f"{name[:40]!r} has a cost already")
        known[name] = finite(rest[0], line, COST)
    return known


def referenced(lists: Iterable[NBest], path: str | Path, by_id: bool) -> Iterator[NBest]:
    """The lists with their references: a line for each, or ``utt w1 w2 ...`` in any order.

    Raises InputError where one has none.
    """
    lines = list(read_lines(path))
    return keyed(lists, lines, path) if by_id else in_order(list(lists), lines, path)


def in_order(lists: list[NBest], lines: list[Line], path: str | Path) -> Iterator[NBest]:
    """Line by line."""
    if len(lines) != len(lists):
        sizes = f"{len(lines):,} lines, but there are {len(lists):,} lists"
        raise InputError(f"{display_name(path)}: {sizes}; each list needs a line in it")
    for one, line in zip(lists, lines, strict=True):
        yield one._replace(reference=" ".join(line.text.split()))


def keyed(lists: Iterable[NBest], lines: list[Line], path: str | Path) -> Iterator[NBest]:
    """By the ids of utterances."""
    known: dict[str, str] = {}
    for line in filter(holds_text, lines):
        name, *words = line.text.split()
        if name in known:
            refuse(line, KEYED, f"{name[:40]!r} has a reference already")
        known[name] = " ".join(words)
    for one in lists:
        if one.id not in known:
            message = f"no reference for {one.id[:40]!r}, of {one.path}:{one.line}"
            raise InputError(f"{display_name(path)}: {message}; a line is: {KEYED}")
        yield one._replace(reference=known[one.id])
