"""How good a language model is, by part: rare and frequent words, short and long lines."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lmtool.inference.score import SentenceScore
from lmtool.pages.elements import DASH, Bar, Element, bars, e, number, said, table
from lmtool.pages.sections.base import Section
from lmtool.pages.subject import Subject
from lmtool.text.vocabulary import EOS, UNK

__all__ = ["SECTION", "Group", "Predicted"]

SEEN = ((1, 5), (6, 50), (51, 500), (501, None))  # times in training
LENGTHS = ((1, 5), (6, 10), (11, 20), (21, 40), (41, None))
PLACES = ((1, 1), (2, 2), (3, 5), (6, 10), (11, None))
COSTLY = 12  # words

Bounds = tuple[tuple[int, int | None], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Tokens that have something in common."""

    name: str
    n: int
    perplexity: float
    share: float  # of all bits


@dataclass(frozen=True, slots=True)
class Costly:
    """A token, and what all of its occurrences cost."""

    token: str
    n: int
    bits: float
    mean: float


@dataclass(frozen=True, slots=True)
class Predicted:
    """Perplexities of a text and of its parts."""

    text: str
    perplexity: float
    n: int  # tokens, <EOS> included
    unknown: int
    frequency: tuple[Group, ...]  # none where the model holds no counts
    place: tuple[Group, ...]
    length: tuple[Group, ...]
    costliest: tuple[Costly, ...]


def numbers(subject: Subject) -> Predicted | None:
    """Of the lines given; None without any."""
    if not subject.records:
        return None
    face = subject.face
    scores = list(face.score_lines(subject.records, threads=subject.threads, level="token"))
    counts = face.vocabulary.counts.tolist() if face.vocabulary.counts.any() else None
    seen = dict(zip(face.vocabulary.tokens, counts, strict=True)) if counts else {}
    rows = [row for score in scores for row in tokens(score)]
    total = math.fsum(bits for _, bits, _, _ in rows)
    by_name = defaultdict[str, list[float]](list)
    for token, bits, _, _ in rows:
        by_name[token].append(bits)
    costs = [Costly(t, len(b), math.fsum(b), math.fsum(b) / len(b)) for t, b in by_name.items()]
    return Predicted(
        subject.given,
        2 ** (total / len(rows)),
        len(rows),
        sum(token == UNK for token, _, _, _ in rows),
        groups(((frequency(token, seen), bits) for token, bits, _, _ in rows), SEEN, total)
        if seen
        else (),
        groups(((place, bits) for _, bits, place, _ in rows), PLACES, total),
        groups(((length, bits) for _, bits, _, length in rows), LENGTHS, total),
        tuple(sorted(costs, key=lambda one: (-one.bits, one.token))[:COSTLY]),
    )


def tokens(score: SentenceScore) -> Iterator[tuple[str, float, int, int]]:
    """(token, bits, place in the line, length of the line without <EOS>)"""
    n = len(score.words) - 1
    for place, word in enumerate(score.words, 1):
        yield word.token, word.surprisal_bits, place, n


def frequency(token: str, seen: dict[str, int]) -> int | str:
    """How often it is in the training text; the two that are no words by name."""
    return token if token in (EOS, UNK) else seen.get(token, 0)


def groups(
    rows: Iterable[tuple[int | str, float]], bounds: Bounds, total: float
) -> tuple[Group, ...]:
    """Tokens whose number is within each of the bounds, and those with a name; none is empty."""
    found = defaultdict[str, list[float]](list)
    names = [interval(*both) for both in bounds]
    for value, bits in rows:
        inside = (name for name, both in zip(names, bounds, strict=True) if within(value, both))
        found[value if isinstance(value, str) else next(inside, "never")].append(bits)
    return tuple(
        Group(name, len(some), 2 ** (math.fsum(some) / len(some)), math.fsum(some) / (total or 1))
        for name in ["never", *names, UNK, EOS] if (some := found.get(name))
    )  # fmt: skip


def within(value: int | str, bounds: tuple[int, int | None]) -> bool:
    """Whether a number is between them."""
    low, high = bounds
    return isinstance(value, int) and low <= value and (high is None or value <= high)


def interval(low: int, high: int | None) -> str:
    """5, 50 -> ``5-50`` with a dash; ``501 and more``, ``1``"""
    return f"{low} and more" if high is None else f"{low}{DASH}{high}" if high > low else f"{low}"


def draw(found: Predicted) -> list[Element]:
    """Bars of perplexity, and the words that cost most."""
    unknown = 100 * found.unknown / found.n
    lead = f"Perplexity {number(found.perplexity, 4)} a token on {found.text}"
    parts = [
        e("p", f"{lead}: {number(found.n)} tokens with <EOS>, {unknown:z.1f} % of them unknown.")
    ]
    asked = (
        (found.frequency, "Rare and frequent words", "times seen in training"),
        (found.place, "Along the line", "place in the line"),
        (found.length, "Short and long lines", "words of the line"),
    )
    for some, title, what in asked:
        if len(some) > 1:
            parts += [e("h3", title), e("p", finding(some)), chart(some, what)]
    if found.costliest:
        rows = [
            (said(c.token), number(c.n), number(c.bits), number(c.mean)) for c in found.costliest
        ]
        heads = ("word", "times", "bits in all", "bits each")
        parts += [e("h3", "What costs most"), table(heads, rows, "The costliest words")]
    return parts


def finding(some: tuple[Group, ...]) -> str:
    """What is to be seen on the chart."""
    worst, best = max(some, key=lambda g: g.perplexity), min(some, key=lambda g: g.perplexity)
    heavy = max(some, key=lambda g: g.share)
    return (
        f"Hardest: {worst.name} ({number(worst.perplexity)}); easiest: {best.name} "
        f"({number(best.perplexity)}). {heavy.name} takes {100 * heavy.share:z.0f} % of all bits."
    )


def chart(some: tuple[Group, ...], what: str) -> Element:
    """A bar each; perplexities differ by orders, so the bars are bits."""
    rows = [Bar(g.name, math.log2(g.perplexity), number(g.perplexity), number(g.n)) for g in some]
    return bars((what, "perplexity", "tokens"), rows, f"Perplexity by {what}; bars are bits")


SECTION = Section(
    "measures", "How good, by part", numbers, draw, "lmtool evaluate", ("language model",)
)
