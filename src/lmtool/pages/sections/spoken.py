"""How often a recogniser is right, what it takes for what, and transcripts beside what was said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lmtool.inference.speech import evaluated
from lmtool.inference.transcribe import Transcription
from lmtool.inference.wer import Wer, alignment, statistics
from lmtool.pages.elements import Bar, Child, Element, bars, e, figure, number, said, table
from lmtool.pages.sections.base import Section
from lmtool.pages.sections.predicted import interval, within
from lmtool.pages.subject import SHOWN, Subject, base

__all__ = ["LOOKED_INTO", "MEASURES", "Spoken", "Transcripts"]

RECOGNISERS = ("recogniser",)
LENGTHS = ((1, 2), (3, 5), (6, 10), (11, 20), (21, None))  # words that are said
CONFUSED = 12


@dataclass(frozen=True, slots=True)
class Part:
    """Recordings that have something in common; the word error rate in percent."""

    name: str
    n: int  # words
    wer: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """Errors of recordings whose texts are known; percentages."""

    text: str
    wer: float
    cer: float
    exact: float
    n_words: int
    substitutions: int
    deletions: int
    insertions: int
    by_length: tuple[Part, ...]
    speakers: tuple[Part, ...]
    confusions: tuple[tuple[str | None, str | None, int], ...]  # said, heard, times


@dataclass(frozen=True, slots=True)
class Transcript:
    """A recording word by word: (said, heard), None where there is none of either."""

    name: str
    words: tuple[tuple[str | None, str | None], ...]


@dataclass(frozen=True, slots=True)
class Transcripts:
    """Some of them."""

    each: tuple[Transcript, ...]


def numbers(subject: Subject) -> Spoken | None:
    """Of the recordings given."""
    if not subject.records:
        return None
    heard = [*subject.face.transcribe_files(subject.records, threads=subject.threads)]
    found = evaluated(heard)
    return Spoken(
        text=subject.given,
        wer=found.wer,
        cer=found.cer,
        exact=found.exact,
        n_words=found.n_words,
        substitutions=found.substitutions,
        deletions=found.deletions,
        insertions=found.insertions,
        by_length=tuple(by_length(heard)),
        speakers=tuple(Part(one.speaker, one.n_words, one.wer) for one in found.speakers),
        confusions=tuple((x.reference, x.hypothesis, x.times) for x in found.confusions[:CONFUSED]),
    )


def by_length(heard: Sequence[Transcription]) -> Iterator[Part]:
    """Errors of short and of long texts."""
    pairs = [(one.text.split(), (one.reference or "").split()) for one in heard]
    for bounds in LENGTHS:
        own = [statistics(*both) for both in pairs if within(len(both[1]), bounds)]
        if own:
            total = Wer.of(np.sum(own, axis=0))
            yield Part(interval(*bounds), total.n_words, total.wer)


def draw(found: Spoken) -> list[Element]:
    """The error rate and what it is made of."""
    made = (
        f"{number(found.substitutions)} words taken for others, {number(found.deletions)} missed, "
        f"{number(found.insertions)} too many, of {number(found.n_words)}"
    )
    whole = f"{number(found.exact)} % of the recordings have no error"
    lead = f"Word error rate {number(found.wer)} % on {found.text}: {made}. Of letters it is "
    parts = [e("p", f"{lead}{number(found.cer)} %; {whole}.")]
    asked = (
        (found.by_length, "Short and long texts", "words said"),
        (found.speakers, "By speaker", "speaker"),
    )
    for some, title, what in asked:
        if len(some) > 1:
            rows = [Bar(said(p.name), p.wer, f"{p.wer:z.1f} %", number(p.n)) for p in some]
            chart = bars((what, "word errors", "words"), rows, f"Word error rate by {what}")
            parts += [e("h3", title), chart]
    if found.confusions:
        cells = [(said(a or ""), said(b or ""), number(n)) for a, b, n in found.confusions]
        listed = table(("said", "heard", "times"), cells, "The most frequent confusions", 2)
        parts += [e("h3", "What is taken for what"), listed]
    return parts


def transcripts(subject: Subject) -> Transcripts | None:
    """Of the first recordings."""
    some = subject.records[:SHOWN]
    heard = subject.face.transcribe_files(some, threads=subject.threads)
    return Transcripts(tuple(map(transcript, heard))) if some else None


def transcript(one: Transcription) -> Transcript:
    """Word by word."""
    changes = alignment(one.text.split(), (one.reference or "").split())
    return Transcript(base(one.source), tuple((x.reference, x.hypothesis) for x in changes))


def draw_transcripts(found: Transcripts) -> list[Element]:
    """A line each; what was missed is struck out, what was heard instead is underlined."""
    wrong = sum(a != b for one in found.each for a, b in one.words)
    caption = (
        f"{len(found.each)} recordings with {number(wrong)} word errors: what was said and not "
    )
    caption += "heard is struck out, what was heard and not said is underlined."
    lines = [e("li", *marked(one.words)) for one in found.each]
    return [figure([caption], e("ol", *lines, class_="answers"))]


def marked(words: Sequence[tuple[str | None, str | None]]) -> Iterator[Child]:
    """Words, and the differences between both texts."""
    for place, (spoken, heard) in enumerate(words):
        yield " " * bool(place)
        if spoken == heard:
            yield said(spoken or "")
            continue
        yield e("del", said(spoken)) if spoken is not None else None
        yield " " * (spoken is not None and heard is not None)
        yield e("ins", said(heard)) if heard is not None else None


MEASURES = Section("measures", "How good, by part", numbers, draw, "lmtool evaluate", RECOGNISERS)
LOOKED_INTO = Section(
    "transcripts", "One by one", transcripts, draw_transcripts, "lmtool transcribe", RECOGNISERS
)
