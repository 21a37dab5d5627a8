"""How well a translator or a captioner writes, and where it looked while it wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lmtool.inference.bleu import Bleu, corpus_bleu, sentence_bleus
from lmtool.inference.translate import Translation, translate_lines
from lmtool.pages import svg
from lmtool.pages.elements import (
    Bar,
    Child,
    Element,
    bars,
    clipped,
    details,
    e,
    number,
    said,
    scrolling,
    table,
)
from lmtool.pages.page import Item, live
from lmtool.pages.sections.base import WRITERS, Section
from lmtool.pages.sections.predicted import interval, within
from lmtool.pages.subject import Subject
from lmtool.settings import BleuSettings
from lmtool.text.vocabulary import EOS

__all__ = ["LOOKED_INTO", "MEASURES", "Written"]

LENGTHS = ((1, 5), (6, 10), (11, 20), (21, None))  # words of a source
EXTREME = 5  # best and worst texts
LOOKED = 4  # texts with attention
LISTED = 12  # without
NAMED = 8  # tokens of a source in a panel
LONGEST = 160  # characters


@dataclass(frozen=True, slots=True)
class Part:
    """Texts that have something in common; BLEU in percent."""

    name: str
    n: int
    bleu: float


@dataclass(frozen=True, slots=True)
class Text:
    """What was written about a source, beside one that is known."""

    source: str
    text: str
    reference: str
    bleu: float


@dataclass(frozen=True, slots=True)
class Written:
    """BLEU of sources whose texts are known."""

    text: str
    bleus: tuple[float, float, float, float]
    length_ratio: float
    signature: str
    by_length: tuple[Part, ...]
    distinct: float  # percent of the texts
    worst: tuple[Text, ...]
    best: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A text, and where the model looked as it wrote each of its tokens."""

    source: str
    text: str
    p: float
    others: tuple[tuple[str, float], ...]
    tokens: tuple[str, ...]  # <EOS> last
    looked_at: tuple[str, ...]
    attention: tuple[tuple[float, ...], ...]  # () where it cannot look


@dataclass(frozen=True, slots=True)
class Looked:
    """Some of them."""

    each: tuple[Seen, ...]


def numbers(subject: Subject) -> Written | None:
    """Of the pairs given."""
    if not subject.records:
        return None
    found, references = (
        written(subject, [s for s, _ in subject.records]),
        [t for _, t in subject.records],
    )
    texts, settings = (
        [one.text for one in found],
        BleuSettings(lower=subject.face.vocabulary.settings.lower),
    )
    whole = corpus_bleu(texts, references, settings)
    single = sentence_bleus(texts, references, settings)
    each = [
        Text(base(one.source), one.text, nearest(one.text, known), bleu.bleu)
        for one, known, bleu in zip(found, references, single, strict=True)
    ]
    ordered = sorted(each, key=lambda one: one.bleu)
    few = min(EXTREME, len(ordered) // 2)
    return Written(
        subject.given,
        (whole.bleu_1, whole.bleu_2, whole.bleu_3, whole.bleu_4),
        whole.length_ratio,
        whole.signature,
        by_length(subject, texts, references, settings),
        100 * len(set(texts)) / len(texts),
        tuple(ordered[:few]),
        tuple(ordered[: -few - 1 : -1]),
    )


def nearest(text: str, known: Sequence[str]) -> str:
    """Of several texts that are known the one that is most like it."""
    if len(known) == 1:
        return known[0]
    each = sentence_bleus([text] * len(known), [[one] for one in known])
    return max(zip(known, each, strict=True), key=lambda both: both[1].bleu)[0]


def base(name: str) -> str:
    """A source as it is; of a vector its file without folders."""
    return name.rsplit("/", 1)[-1] if "/" in name and " " not in name else name


def written(subject: Subject, sources: Sequence[Any]) -> list[Translation]:
    """The best texts, as ``translate`` and ``caption`` give them."""
    return [*translate_lines(subject.face._model, sources, threads=subject.threads)]


def by_length(
    subject: Subject, texts: list[str], references: list[list[str]], settings: BleuSettings
) -> tuple[Part, ...]:
    """BLEU of short and long sources; of vectors nothing."""
    sources = [source for source, _ in subject.records]
    if not all(isinstance(source, str) for source in sources):
        return ()
    found = list[Part]()
    for bounds in LENGTHS:
        own = [k for k, source in enumerate(sources) if within(len(source.split()), bounds)]
        if own:
            score = bleu_of(texts, references, own, settings)
            found.append(Part(interval(*bounds), len(own), score.bleu))
    return tuple(found)


def bleu_of(
    texts: list[str], references: list[list[str]], own: list[int], settings: BleuSettings
) -> Bleu:
    """Of some."""
    return corpus_bleu([texts[k] for k in own], [references[k] for k in own], settings)


def draw(found: Written) -> list[Element]:
    """BLEU, by length, and the extremes."""
    long = f"they are {number(found.length_ratio)} times as long as those that are known"
    distinct = f"{number(found.distinct)} % of them are distinct"
    lead = f"BLEU {number(found.bleus[3])} of the texts about {found.text}; {long}, and {distinct}."
    rows = [Bar(f"BLEU-{n}", x, f"{x:z.1f}") for n, x in enumerate(found.bleus, 1)]
    parts = [
        e("p", lead),
        e("p", found.signature, class_="signature"),
        bars(("up to", "BLEU", ""), rows, "BLEU by length of n-grams", 100),
    ]
    if len(found.by_length) > 1:
        rows = [Bar(p.name, p.bleu, f"{p.bleu:z.1f}", number(p.n)) for p in found.by_length]
        parts += [
            e("h3", "Short and long sources"),
            bars(("words of source", "BLEU", "n"), rows, "BLEU by length", 100),
        ]
    for title, some in (("The worst", found.worst), ("The best", found.best)):
        if some:
            cells = [(said(x.source, LONGEST), said(x.text, LONGEST), said(x.reference, LONGEST),
                      f"{x.bleu:z.1f}") for x in some]  # fmt: skip
            made = table(("source", "written", "known", "BLEU"), cells, title, 3)
            made.set("class", "wide wrapped")
            parts += [e("h3", title), made]
    return parts


def looked(subject: Subject) -> Looked | None:
    """Of the texts given, else of the first sources of the file."""
    sources: Any = subject.texts or [source for source, _ in subject.records]
    if not sources or (subject.texts and subject.kind == "captioner"):
        return None
    eyes = getattr(subject.face, "attends", False)
    return Looked(tuple(map(seen, written(subject, sources[: LOOKED if eyes else LISTED]))))


def seen(one: Translation) -> Seen:
    """One text."""
    best = one.hypotheses[0] if one.hypotheses else None
    tokens = (*best.tokens, EOS) if best else ()
    attention = best.attention if best and one.source_tokens else None
    others = tuple((other.text, 10**other.log10_p) for other in one.hypotheses[1:])
    p = 10**best.log10_p if best else 0.0
    return Seen(base(one.source), one.text, p, others, tokens, one.source_tokens, attention or ())


def draw_looked(found: Looked) -> list[Element]:
    """A matrix each, or the texts alone."""
    drawn = [attention(one) for one in found.each if one.attention]
    if drawn:
        return drawn
    rows = [(said(x.source, LONGEST), said(x.text, LONGEST), number(x.p)) for x in found.each]
    made = table(("source", "written", "p"), rows, "What it writes", 2)
    made.set("class", "wide wrapped")
    return [made]


def attention(one: Seen) -> Element:
    """A matrix whose rows can be pointed at, and its numbers."""
    rows = [*zip(one.tokens, one.attention, strict=True)]
    items = [item(token, row, one.looked_at) for token, row in rows]
    title = "Each row is a token that was written, shaded where it looked in the source"
    cells: list[list[Child]] = [[said(t), *(f"{100 * w:z.0f}" for w in row)] for t, row in rows]
    listed = table(("written", *map(said, one.looked_at)), cells, "Attention in percent")
    picture = svg.matrix(one.looked_at, one.tokens, np.array(one.attention), title, handles=True)
    caption: list[Child] = [said(one.source), " \u2192 ", said(one.text), f" (p = {number(one.p)})"]
    return live(caption, items, scrolling(picture, title), details("Numbers", listed))


def item(token: str, row: Sequence[float], looked_at: Sequence[str]) -> Item:
    """What the panel shows of a token: where it looked most."""
    most = sorted(zip(row, looked_at, strict=True), key=lambda one: -one[0])[:NAMED]
    return Item(
        clipped(token), "looked at", [(clipped(s), f"{100 * w:z.0f} %", w) for w, s in most]
    )


MEASURES = Section("measures", "How good, by part", numbers, draw, "lmtool evaluate", WRITERS)
LOOKED_INTO = Section(
    "attention", "Text by text", looked, draw_looked, "lmtool translate --format attention", WRITERS
)
