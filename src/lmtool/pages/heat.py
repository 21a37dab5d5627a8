"""Sentences shaded by surprisal, each word with what the model expected instead."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lmtool.inference.surprisal import SentenceSurprisal, WordSurprisal
from lmtool.pages.elements import (
    Child,
    Element,
    clipped,
    details,
    e,
    number,
    said,
    table,
)
from lmtool.pages.page import Item, live, page
from lmtool.pages.shades import HEAT, STEP, heat

__all__ = ["Heat", "Word", "heat_of", "heat_page", "shaded"]

HEADS = ("word", "bits", "p", "rank", "expected instead")
NAMED = 3  # expected words in the table of numbers
Line = tuple["Word", ...]


@dataclass(frozen=True, slots=True)
class Word:
    """One word, and what the model thought before it."""

    word: str
    bits: float
    p: float
    rank: int | None
    oov: bool
    guesses: tuple[tuple[str, float], ...]  # most probable first


@dataclass(frozen=True, slots=True)
class Heat:
    """Sentences, their words joined by ``separator``."""

    lines: tuple[Line, ...]
    separator: str

    @property
    def hardest(self) -> Word | None:
        """The word that surprises most."""
        every = [word for line in self.lines for word in line]
        return max(every, key=lambda word: word.bits) if every else None


def heat_of(sentences: Iterable[SentenceSurprisal], separator: str) -> Heat:
    """The same as plain numbers; blank lines are left out."""
    return Heat(tuple(tuple(map(as_word, one.words)) for one in sentences if one.words), separator)


def as_word(one: WordSurprisal) -> Word:
    """One of them."""
    guesses = tuple((guess.token, guess.p) for guess in one.guesses)
    return Word(one.word, one.surprisal_bits, 10**one.log10_p, one.rank, one.oov, guesses)


def shaded(found: Heat, caption: Sequence[Child]) -> Element:
    """The figure: words to point at, a panel, the key, and all numbers as a table."""
    lines, items = list[Child](), list[Item]()
    for line in found.lines:
        parts = list[Child]()
        for t, word in enumerate(line):
            parts += [found.separator * bool(t), button(word, len(items), first=not t)]
            items.append(item(word))
        lines.append(e("p", *parts, class_="heat"))
    rows = [cells(word) for line in found.lines for word in line]
    numbers = details("Numbers", table(HEADS, rows, "Surprisal of each word"), long=True)
    return live(caption, items, *lines, key(), numbers)


def button(word: Word, place: int, first: bool) -> Element:
    """A word on its shade; what it is worth is there for who does not see it."""
    kind = f"s{heat(word.bits)}{' unknown' * word.oov}"
    hidden = e("span", f" {number(word.bits)} bits", class_="unseen")
    return e("button", said(word.word), hidden, type="button", class_=kind, data_k=place,
             tabindex=0 if first else -1)  # fmt: skip


def item(word: Word) -> Item:
    """What the panel shows of it."""
    unknown = ", unknown" * word.oov
    rank = f", rank {number(word.rank)}" if word.rank else ""
    about = f"{number(word.bits)} bits, p = {number(word.p)}{rank}{unknown}"
    most = max((p for _, p in word.guesses), default=1) or 1
    rows = [(clipped(token), number(p), p / most) for token, p in word.guesses]
    return Item(clipped(word.word), about, rows)


def cells(word: Word) -> tuple[Child, ...]:
    """Its row."""
    expected = ", ".join(f"{clipped(token)} {number(p)}" for token, p in word.guesses[:NAMED])
    return said(word.word), number(word.bits), number(word.p), number(word.rank), said(expected)


def key() -> Element:
    """What the shades mean."""
    steps = (e("span", f"{STEP * n:zg}", class_=f"s{n}") for n in range(len(HEAT)))
    return e("p", "bits ", *steps, " and more; unknown words are underlined", class_="key")


def heat_page(found: Heat) -> str:
    """A page of them alone."""
    head = e(
        "header", e("p", "lmtool surprisal", class_="over"), e("h1", "How surprising is each word?")
    )
    return page("Surprisal", head, e("main", shaded(found, [finding(found)]), id="content"))


def finding(found: Heat) -> str:
    """What is to be seen."""
    most = found.hardest
    if most is None:
        return "There is no word in it."
    worst = f"{clipped(most.word)!r} most, {number(most.bits)} bits"
    return f"The darker a word, the more it surprises: {worst}."
