"""How well a tagger finds phrases, what it takes for what, and some sentences with their spans."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lmtool.inference.phrases import evaluate_phrases, percent, phrases, single_words
from lmtool.inference.reading import AHEAD, Asked
from lmtool.inference.tagging import TaggedSentence, answered, sentence
from lmtool.pages.elements import Bar, Child, Element, bars, details, e, figure, number, said, table
from lmtool.pages.page import page
from lmtool.pages.sections.base import Section
from lmtool.pages.sections.confusion import Confusion, confusion
from lmtool.pages.subject import SHOWN, Subject
from lmtool.text.schemes import Phrase
from lmtool.text.tags import Tags

__all__ = ["MEASURES", "SPANS", "Spans", "Tagged"]

NOTHING = ("O", "0")  # tags of words that are nothing
COLOURS = 8  # of types; each is named, too


@dataclass(frozen=True, slots=True)
class Type:
    """Phrases of one type; percentages."""

    name: str
    precision: float
    recall: float
    f1: float
    n: int


@dataclass(frozen=True, slots=True)
class Tagged:
    """Measures of sentences whose tags are known."""

    text: str
    f1: float
    precision: float
    recall: float
    accuracy: float
    types: tuple[Type, ...]
    known: tuple[int, int]  # words seen in training: right, all
    unknown: tuple[int, int]
    confusion: Confusion


@dataclass(frozen=True, slots=True)
class Span:
    """Some words, what they were given and what they are, both "" for nothing."""

    words: str
    given: str
    p: float | None
    true: str | None  # None: nobody says


@dataclass(frozen=True, slots=True)
class Spans:
    """Sentences, and the types in the order of their colours."""

    sentences: tuple[tuple[Span, ...], ...]
    types: tuple[str, ...]


def numbers(subject: Subject) -> Tagged | None:
    """Of the tagged sentences given."""
    if not subject.records:
        return None
    tags, records = subject.face.tags, subject.records
    given = [one.tags for one in tagged(subject, records, False)]
    wanted = [tags.spelled(record.tags) for record in records]
    found = evaluate_phrases(
        zip(wanted, given, strict=True), phrases if tags.phrased else single_words
    )
    known = seen(subject)
    words = [
        (kind(w), kind(g), w == g, known(word))
        for record, ws, gs in zip(records, wanted, given, strict=True)
        for word, w, g in zip(record.words, ws, gs, strict=True)
    ]
    return Tagged(
        text=subject.given,
        f1=found.f1,
        precision=found.precision,
        recall=found.recall,
        accuracy=found.accuracy,
        types=tuple(Type(t.type, t.precision, t.recall, t.f1, t.n) for t in found.per_type),
        known=shares([right for _, _, right, old in words if old]),
        unknown=shares([right for _, _, right, old in words if not old]),
        confusion=Confusion.of([(w, g) for w, g, _, _ in words]),
    )


def kind(tag: str) -> str:
    """``B-PER`` -> ``PER``; a plain tag as it is."""
    return tag[2:] or tag[0] if phrased(tag) else tag


def shares(right: list[bool]) -> tuple[int, int]:
    """(right, all)"""
    return sum(right), len(right)


def seen(subject: Subject) -> Callable[[str], bool]:
    """Whether a word has a vector of its own; of a model without any, no."""
    tables = subject.face.tagger.word_tables
    vocabulary = next((table.vocabulary for table in tables.values()), None)
    words = set(vocabulary.tokens) if vocabulary else set[str]()
    return lambda word: vocabulary is not None and vocabulary.normalise(word) in words


def tagged(subject: Subject, records: Sequence[Any], p: bool = True) -> Iterator[TaggedSentence]:
    """What the model says of sentences whose words are given."""
    asked = (Asked(" ".join(one.words), one.words) for one in records)
    model = subject.face.tagger
    for one, answer in answered(model, asked, subject.threads, AHEAD, p):
        yield sentence(model.tags, one, answer)


def draw(found: Tagged) -> list[Element]:
    """The measures, a bar a type, who is taken for whom."""
    shares = f"precision {number(found.precision)} %, recall {number(found.recall)} %"
    right = f"{number(found.accuracy)} % of the words have the right tag"
    parts = [e("p", f"On {found.text}, F1 is {number(found.f1)} % ({shares}); {right}.")]
    if found.types:
        parts += [e("h3", "By type"), *by_type(found.types)]
    if found.unknown[1]:
        rows = [
            Bar(name, percent(*pair), f"{percent(*pair):z.1f} %", number(pair[1]))
            for name, pair in (("seen in training", found.known), ("never seen", found.unknown))
        ]
        chart = bars(("words", "right", "n"), rows, "Accuracy of known and of unknown words", 100)
        parts += [e("h3", "Known and unknown words"), chart]
    return [*parts, e("h3", "What is taken for what"), *confusion(found.confusion, "words")]


def by_type(types: Sequence[Type]) -> list[Element]:
    """A bar each, and what F1 is made of."""
    worst = min(types, key=lambda t: t.f1)
    rows = [Bar(said(t.name), t.f1, f"{t.f1:z.1f} %", number(t.n)) for t in types]
    cells: list[list[Child]] = [
        [said(t.name), *(f"{x:z.1f}" for x in (t.precision, t.recall, t.f1)), number(t.n)]
        for t in types
    ]
    heads = ("type", "precision %", "recall %", "F1 %", "phrases")
    return [
        e("p", "Hardest: ", said(worst.name), f", F1 {worst.f1:z.1f} %."),
        bars(("type", "F1", "phrases"), rows, "F1 by type", 100),
        details("Precision and recall", table(heads, cells, "Measures by type")),
    ]


def spans(subject: Subject) -> Spans | None:
    """Of the texts given, else of the first sentences of the file."""
    tags = subject.face.tags
    if subject.texts:
        read = subject.face.tag_lines(subject.texts[:SHOWN], threads=subject.threads)
        lines = [tuple(parts(one, None)) for one in read]
    else:
        records = subject.records[:SHOWN]
        wanted = [tags.spelled(record.tags) for record in records]
        read = tagged(subject, records)
        lines = [tuple(parts(one, true)) for one, true in zip(read, wanted, strict=True)]
    return Spans(tuple(lines), kinds(tags)) if lines else None


def kinds(tags: Tags) -> tuple[str, ...]:
    """What has a colour."""
    return tags.types if tags.phrased else tuple(t for t in tags.names if t not in NOTHING)


def spans_page(sentences: Sequence[TaggedSentence], tags: Tags) -> str:
    """A page of sentences alone."""
    found = Spans(tuple(tuple(parts(one, None)) for one in sentences if one.tokens), kinds(tags))
    head = e("header", e("p", "lmtool tag", class_="over"), e("h1", "Which phrases are there?"))
    return page("Tags", head, e("main", *draw_spans(found), id="content"))


def parts(one: TaggedSentence, true: Sequence[str] | None) -> Iterator[Span]:
    """A sentence in pieces: phrases given or missed, and the words between."""
    given = {phrase.start: (phrase, p) for phrase, p in found_in(one)}
    wanted = {phrase.start: phrase for phrase in read(true or ())}
    place = 0
    while place < len(one.tokens):
        phrase, p = given.get(place, (None, None))
        there = wanted.get(place)
        if phrase is None and there is not None:  # missed, up to what was given within it
            end = min([there.end, *(s for s in given if place < s)])
        else:
            end = phrase.end if phrase else place + 1
        so = there.type if there and there.end == end else ""
        words = " ".join(one.tokens[place:end])
        yield Span(words, phrase.type if phrase else "", p, None if true is None else so)
        place = end


def found_in(one: TaggedSentence) -> Iterator[tuple[Phrase, float | None]]:
    """Phrases with how sure the model is, or each word whose plain tag says something."""
    if any(phrased(tag) for tag in one.tags):
        yield from ((Phrase(s.start, s.end, s.type), s.p) for s in one.spans)
    else:
        yield from ((word, one.p[word.start] if one.p else None) for word in read(one.tags))


def read(tags: Sequence[str]) -> list[Phrase]:
    """The phrases of tags in IOB2, or each plain one that says something."""
    if any(map(phrased, tags)):
        return phrases(tags)
    return [Phrase(t, t + 1, tag) for t, tag in enumerate(tags) if tag not in NOTHING]


def phrased(tag: str) -> bool:
    """Whether a tag says where a phrase begins or goes on."""
    return tag[1:2] == "-"


def draw_spans(found: Spans) -> list[Element]:
    """Sentences with marked phrases."""
    places = {name: n for n, name in enumerate(found.types)}
    wrong = sum(
        one.true is not None and one.true != one.given for s in found.sentences for one in s
    )
    judged = any(one.true is not None for line in found.sentences for one in line)
    caption = (
        f"{len(found.sentences)} sentences; each phrase with its type and how sure the model is."
    )
    if judged:
        caption += f" \u2717 marks {number(wrong)} that are wrong." if wrong else " All are right."
    lines = [e("p", *marked(line, places), class_="spans") for line in found.sentences]
    return [figure([caption], *lines)]


def marked(line: tuple[Span, ...], places: dict[str, int]) -> Iterator[Child]:
    """The words, those of phrases within borders of their type's colour."""
    for n, one in enumerate(line):
        yield " " * bool(n)
        if not one.given and not one.true:
            yield said(one.words)
            continue
        shown = one.given or one.true or ""
        wrong = one.true is not None and one.true != one.given
        sure = f" {one.p:z.2f}" if one.p is not None else ""
        note = f" \u2717 {'is ' + one.true if one.true else 'is nothing'}" if wrong else ""
        about = f"{one.given}{sure}{note}" if one.given else f"\u2717 missed: {shown}"
        kind = f"t{places.get(shown, 0) % COLOURS}{' missed' * (not one.given)}"
        yield e("mark", said(one.words), e("b", about), class_=kind)


MEASURES = Section("measures", "How good, by part", numbers, draw, "lmtool evaluate", ("tagger",))
SPANS = Section("spans", "Sentence by sentence", spans, draw_spans, "lmtool tag", ("tagger",))
