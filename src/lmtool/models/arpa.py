"""N-gram models as ARPA files: what SRILM, KenLM and most recognisers write and read.

``<s>`` and ``</s>`` are ``<EOS>`` before a line and at its end, ``<unk>`` is ``<UNK>``, and a blank
that is a token is spelled ``<space>``. Logarithms are to base 10 there. Fields stand between tabs,
words between single blanks; -99 is a number like any other.
"""

import math
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.errors import InputError
from lmtool.models.ngram import MOST_ORDER, Keys, NgramModel, Ngrams, numbers_of
from lmtool.settings import TextSettings
from lmtool.text.reader import Line, read_lines
from lmtool.text.tokenizers import TOKENIZERS
from lmtool.text.vocabulary import EOS, EOS_ID, NEVER_WORDS, UNK, UNK_ID, Vocabulary

__all__ = ["arpa", "read_arpa"]

LN10 = math.log(10)
START, END = "<s>", "</s>"
UNKNOWN = ("<unk>", "<UNK>")
SPACE = "<space>"
COUNT = re.compile(r"ngram ([0-9]{1,3})=([0-9]{1,18})")
NEITHER = "-99"  # log10 p of <s>, which is never predicted
AT_ONCE = 1 << 16  # lines written at once
WORD = TOKENIZERS["word"].split
START_ROW = -1  # <s> among the 1-grams


def arpa(model: NgramModel) -> Iterator[str]:
    """The model as text, some thousand lines at a time. Raises InputError for odd tokens."""
    spelled = list(map(spelling, model.vocabulary.tokens))
    yield "\\data\\\n"
    for k, one in enumerate(model.orders, 1):
        yield f"ngram {k}={len(one) + (k == 1)}\n"  # <s> and </s> have a line each
    for k in range(1, model.order + 1):
        yield f"\n\\{k}-grams:\n"
        yield from section(model, k, spelled)
    yield "\n\\end\\\n"


def section(model: NgramModel, k: int, spelled: list[str]) -> Iterator[str]:
    """The lines of one order."""
    one, words = model.orders[k - 1], model.words(k)
    backoff = one.backoff if len(one.backoff) else np.zeros(len(one), np.float32)
    if k == 1:
        yield written(NEITHER, START, backoff[EOS_ID] / LN10)
    for first in range(0, len(one), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        columns = (one.logp[some] / LN10).tolist(), (backoff[some] / LN10).tolist()
        yield "".join(
            written(f"{p:.7g}", named(row, spelled), 0.0 if row == [EOS_ID] else b)
            for row, p, b in zip(words[some].tolist(), *columns, strict=True)
        )


def written(p: str, words: str, backoff: float) -> str:
    """A line; a backoff of 0 is left out."""
    return f"{p}\t{words}\t{backoff:.7g}\n" if backoff else f"{p}\t{words}\n"


def named(row: list[int], spelled: list[str]) -> str:
    """The words of an n-gram: <EOS> is <s> before all others."""
    first = START if row[0] == EOS_ID and len(row) > 1 else spelled[row[0]]
    return " ".join([first, *[spelled[i] for i in row[1:]]])


def spelling(token: str) -> str:
    """A token in the file. Raises InputError for one that would be read as something else."""
    known = {EOS: END, UNK: UNKNOWN[0], " ": SPACE}
    if token in known:
        return known[token]
    if token in (START, SPACE) or not token.strip("\t\r "):
        raise InputError(f"the token {token!r} cannot be a word of an ARPA file; respell the text")
    return token


class Section(NamedTuple):
    """The lines of one order as read."""

    words: Ids  # (n, k)
    logp: Array  # (n,)
    backoff: Array  # (n,)
    first: int  # number of the first line


@dataclass(slots=True)
class Source:
    """The lines of a file, one after the other."""

    lines: Iterator[Line]
    path: str
    number: int = 0

    def next(self) -> str:
        """The text of the next line. Raises InputError at the end."""
        line = next(self.lines, None)
        if line is None:
            self.fail("the file is cut short: it does not end with \\end\\")
        self.number, self.path = line.number, line.path
        return line.text

    def after_blanks(self) -> str:
        """The same, for the next one that is not blank."""
        while not (text := self.next()):
            pass
        return text

    def fail(self, message: str, number: int | None = None) -> NoReturn:
        """Raises InputError."""
        place = f"{self.path}:{self.number if number is None else number}"
        raise InputError(f"{place}: no whole ARPA file: {message}")


def read_arpa(path: str | Path) -> NgramModel:
    """The model in an ARPA file, plain or gzipped, with the vocabulary of its 1-grams.

    The words have no counts. Nothing is allocated that the file only promises.
    Raises InputError with the line that is wrong: whatever is missing, doubled, of another number
    than promised or no logarithm of a probability; a model without <unk>.
    """
    source = Source(read_lines(path), str(path))
    counts, sections = header(source), []
    ids = {START: EOS_ID, END: EOS_ID, **dict.fromkeys(UNKNOWN, UNK_ID)}
    for k, n in enumerate(counts, 1):
        if source.after_blanks() != f"\\{k}-grams:":
            source.fail(f"\\{k}-grams: expected")
        own = read_section(source, k, n, ids, k == len(counts))
        sections.append(unigrams(source, own, len(ids) - 2) if k == 1 else own)
    if source.after_blanks() != "\\end\\":
        source.fail("\\end\\ expected")
    words = list(ids)[4:]
    settings = TextSettings(vocab_size=max(1, len(words)))
    vocabulary = Vocabulary((EOS, UNK, *words), np.zeros(len(words) + 2, np.int64), settings)
    return NgramModel(vocabulary, tuple(linked(source, sections, vocabulary.n_tokens)))


def header(source: Source) -> list[int]:
    """How many n-grams of each order the file promises."""
    while not (text := source.next()).startswith("\\data\\"):
        if text and not text.startswith("#"):
            source.fail("\\data\\ expected")
    counts: list[int] = []
    while text := source.next():
        found = COUNT.fullmatch(text)
        if found is None or int(found[1]) != len(counts) + 1:
            source.fail(f"a line like 'ngram {len(counts) + 1}=1000' expected")
        counts.append(int(found[2]))
    if not 1 <= len(counts) <= MOST_ORDER:
        source.fail(f"n-grams of an order from 1 to {MOST_ORDER} expected")
    return counts


def read_section(source: Source, k: int, n: int, ids: dict[str, int], last: bool) -> Section:
    """The lines of one order; those of order 1 name the words."""
    words, logps, backoffs, first = array("i"), array("d"), array("d"), source.number + 1
    while text := source.next():
        if len(logps) == n:
            source.fail(f"more {k}-grams than the {n:,} promised")
        logp, row, backoff = fields(source, text, k)
        if last and backoff:
            source.fail("a backoff weight where no longer n-gram follows")
        if k == 1:
            declare(source, row[0], ids)
        for place, word in enumerate(row):
            id_ = ids.get(word)
            if id_ is None:
                source.fail(f"{word!r} is not among the 1-grams")
            if k > 1 and id_ == EOS_ID and place != (0 if word == START else k - 1):
                source.fail(f"{word} must be {'first' if word == START else 'last'}")
            words.append(START_ROW if k == 1 and word == START else id_)
        logps.append(logp)
        backoffs.append(backoff)
    if len(logps) != n:
        source.fail(f"{n:,} {k}-grams promised, {len(logps):,} found")
    shape = np.array(words, np.int32).reshape(-1, k)
    return Section(shape, natural(logps), natural(backoffs), first)


def natural(values: "array[float]") -> Array:
    """Natural logarithms."""
    return (np.array(values) * LN10).astype(np.float32)


def fields(source: Source, text: str, k: int) -> tuple[float, list[str], float]:
    """log10 p, the k words, and the backoff weight of a line."""
    parts = text.split("\t")
    if len(parts) not in (2, 3):
        source.fail("log10 p, words and perhaps a backoff weight expected, a tab between them")
    words = parts[1].split(" ")
    if len(words) != k or "" in words:
        source.fail(f"{k} words expected, a blank between them")
    logp, backoff = number(source, parts[0]), number(source, parts[2]) if parts[2:] else 0.0
    if logp > 0:
        source.fail(f"{parts[0]} is no log10 of a probability: it is above 0")
    return logp, words, backoff


def number(source: Source, text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) < 1e9 or "_" in text:
        source.fail(f"{text[:40]!r} is no number")
    return value


def declare(source: Source, word: str, ids: dict[str, int]) -> None:
    """One more word, unless it is a special one."""
    if word in (START, END, *UNKNOWN):
        return
    if word in ids:
        source.fail(f"{word!r} is there twice")
    if WORD(word) != [word] or word in NEVER_WORDS:
        source.fail(f"{word!r} cannot be a word: it holds white space, or means the end of a line")
    ids[word] = len(ids) - 2  # four specials have two ids


def unigrams(source: Source, own: Section, V: int) -> Section:
    """The 1-grams in the order of their ids; <s> gives its backoff weight to <EOS>."""
    rows = np.full(V + 1, len(own.words))
    for place, id_ in enumerate(own.words[:, 0].tolist()):
        if rows[id_] < len(own.words):
            source.fail("a special word is there twice", own.first + place)
        rows[id_] = place
    for id_, name in ((START_ROW, START), (EOS_ID, END), (UNK_ID, UNKNOWN[0])):
        if rows[id_] == len(own.words):
            source.fail(f"there is no {name} among the 1-grams: a model without it is not taken")
    backoff = own.backoff[rows[:V]]
    backoff[EOS_ID] = own.backoff[rows[START_ROW]]
    return Section(np.arange(V, dtype=np.int32)[:, None], own.logp[rows[:V]], backoff, 0)


def linked(source: Source, sections: list[Section], V: int) -> Iterator[Ngrams]:
    """Each order sorted by keys."""
    known: list[Keys] = []
    for k, one in enumerate(sections, 1):
        keys: Keys = contexts(source, one, known, V) * V + one.words[:, -1]
        order = np.argsort(keys, kind="stable")
        twice = np.flatnonzero(np.diff(keys[order]) == 0)
        if twice.size:
            source.fail("this n-gram is there twice", one.first + int(order[twice[0] + 1]))
        known.append(keys[order])
        backoff = one.backoff[order] if k < len(sections) else np.zeros(0, np.float32)
        yield Ngrams(known[-1], one.logp[order], backoff)


def contexts(source: Source, one: Section, known: list[Keys], V: int) -> Keys:
    """The number of what stands before the last word of each n-gram; 0 of order 1."""
    if not known:
        return np.zeros(len(one.words), np.int64)
    numbers = one.words[:, 0]
    for k, keys in enumerate(known[1:], 2):
        numbers = numbers_of(keys, numbers, one.words[:, k - 1], V)
        missing = np.flatnonzero(numbers < 0)
        if missing.size:
            message = f"its first {k} words are not among the {k}-grams"
            source.fail(message, one.first + int(missing[0]))
    return numbers.astype(np.int64)
