"""A sentence with its tags, and the forms in which it is one line.

``Mohan/NNP was/VBD``, ``Mohan|NNP was|VBD``, ``<Mohan Sharma> was driving a <Maruti 800>``,
``{"tokens": ["Mohan", "was"], "tags": ["NNP", "VBD"]}``.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from lmtool.data.readers.lines import names, parsed, refuse, whole
from lmtool.display import counted
from lmtool.errors import option
from lmtool.text.reader import Line
from lmtool.text.tags import check_tag

__all__ = ["ANGLE", "JSON", "OBJECT", "PIPE", "SLASH", "Reader", "Tagged"]
__all__ += ["angle", "checked_tag", "fields", "in_json", "separated", "word"]

SLASH, PIPE, ANGLE = "word/TAG word/TAG", "word|TAG word|TAG", "words, <those of interest> in < >"
JSON = '{"tokens": ["Todd"], "tags": ["B-PER"]}'
LONGEST_LINE = 1 << 24  # characters: its words take many times the memory of the line
BLANKS = re.compile("[ \t]+")
OBJECT = re.compile(r'\s*\{\s*(?:["}]|$)')  # as JSON lines begin
BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
UNIT = re.compile(r"(?<!\S)<(?![\s<>])([^<>]+)(?<!\s)>(?!\S)|(\S+)")

Reader = Callable[[Line], "Tagged"]


class Tagged(NamedTuple):
    """A sentence; a word may hold blanks, but no TAB and no line end."""

    words: tuple[str, ...]  # one at least, none empty
    tags: tuple[str, ...]  # as many, as they are spelled in the file
    line: int  # of its first word, counted from 1
    path: str  # for messages


def fields(line: str) -> list[str]:
    """What stands between blanks and TABs; a blank that may not break a line is part of a word."""
    return [field for field in BLANKS.split(line.strip()) if field]


def word(text: str, line: Line, form: str) -> str:
    """A word without blanks around it, line ends in it made blanks. Raises InputError."""
    return BREAKS.sub(" ", text).strip() or refuse(line, form, "a word is empty")


def checked_tag(name: str, line: Line, form: str) -> str:
    """The same tag. Raises InputError."""
    wrong = check_tag(name)
    return refuse(line, form, wrong) if wrong else name


def tagged(pairs: Iterable[tuple[str, str]], line: Line, form: str) -> Tagged:
    """A sentence of words with their tags, all of them verified."""
    known: dict[str, str] = {}
    words, tags = list[str](), list[str]()
    for text, tag in pairs:
        words.append(word(text, line, form))
        if tag not in known:
            known[tag] = checked_tag(tag, line, form)
        tags.append(known[tag])
    if not words:
        refuse(line, form, "no word in it")
    return Tagged(tuple(words), tuple(tags), line.number, line.path)


def bounded(line: Line, form: str) -> str:
    """The text of a line that is not too long to be cut into words."""
    if len(line.text) > LONGEST_LINE:
        refuse(line, form, f"longer than {LONGEST_LINE >> 20} Mi characters")
    return line.text


def separated(mark: str, n: int) -> Reader:
    """word/TAG word/TAG: each unit is cut from its end into n parts, word first, tag last."""
    form = SLASH if mark == "/" else PIPE

    def pair(unit: str, line: Line) -> tuple[str, str]:
        parts = unit.rsplit(mark, n - 1)
        if len(parts) < n or not parts[0] or not parts[-1]:
            wanted = "a word and a tag" if n == 2 else f"{n} parts"
            refuse(line, form, f"{unit[:30]!r} is not {wanted} with {mark} between")
        return parts[0], parts[-1]

    def read(line: Line) -> Tagged:
        units = fields(bounded(line, form))
        return tagged((pair(unit, line) for unit in units), line, form)

    return read


def angle(line: Line) -> Tagged:
    """``<Mohan Sharma> was driving a <Maruti 800>``: five words, of which two have the tag 1."""
    if "\t" in line.text or OBJECT.match(line.text):
        what = "looks like JSON" if "\t" not in line.text else "a TAB in it"
        refuse(line, ANGLE, f"{what}, unlike the lines before it")

    def pairs() -> Iterator[tuple[str, str]]:
        for unit, plain in UNIT.findall(bounded(line, ANGLE)):
            if len(plain) > 1 and ("<" in plain or ">" in plain):
                advice = "needs its other one, and blanks outside of both"
                refuse(line, ANGLE, f"the bracket in {plain[:30]!r} {advice}")
            yield (unit, "1") if unit else (plain, "0")

    return tagged(pairs(), line, ANGLE)


def in_json(text: str | None, tags: str) -> Reader:
    """One object a line; other keys are ignored. Without ``text`` it is tokens or words."""

    def listed(value: dict[str, Any], key: str, line: Line, noun: str) -> list[str]:
        if not isinstance(value[key], list):
            refuse(line, JSON, f"{key!r} is no list")
        return names(value[key], line, JSON, noun)

    def read(line: Line) -> Tagged:
        value = parsed(line, JSON)
        key = text or ("words" if "words" in value and "tokens" not in value else "tokens")
        for wanted, named in ((key, "text"), (tags, "tags")):
            if wanted not in value:
                refuse(line, JSON, f"no key {wanted!r} (name another one with {option(named)})")
        words, given = listed(value, key, line, "word"), listed(value, tags, line, "tag")
        if len(words) != len(given):
            refuse(line, JSON, f"{counted(len(words), 'word')}, but {counted(len(given), 'tag')}")
        return tagged(zip((whole(w, line, JSON) for w in words), given, strict=True), line, JSON)

    return read
