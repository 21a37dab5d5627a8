"""How well a classifier labels: confusions, labels one by one, and is it as sure as it is right?"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lmtool.inference import measures
from lmtool.inference.classification import Classification, answered, summary
from lmtool.inference.reading import Asked
from lmtool.pages.elements import (
    DASH,
    Bar,
    Child,
    Element,
    bars,
    clipped,
    details,
    e,
    number,
    said,
    table,
)
from lmtool.pages.page import Item, live
from lmtool.pages.sections.base import LABELLERS, Section
from lmtool.pages.sections.confusion import Confusion, confusion
from lmtool.pages.subject import SHOWN, Subject, base

__all__ = ["LOOKED_INTO", "MEASURES", "Labelled"]

SURE = 10  # bins of confidence
LONGEST = 240  # characters of a text
BESIDE = 80  # in a panel
LIKELY = 8  # labels of a panel


@dataclass(frozen=True, slots=True)
class Label:
    """One label; percentages."""

    name: str
    precision: float
    recall: float
    f1: float
    n: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers that the model is about as sure of; shares."""

    low: float
    high: float
    n: int
    sure: float  # mean
    right: float


@dataclass(frozen=True, slots=True)
class Labelled:
    """Measures of sources whose labels are known."""

    text: str
    accuracy: float
    majority: float | None
    mae: float | None
    ece: float
    labels: tuple[Label, ...]
    confusion: Confusion | None  # None where a source may have several labels
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A source with its label, if it is known, and the probable ones."""

    text: str
    true: str | None
    given: str
    labels: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """Some of them."""

    each: tuple[Answer, ...]


def numbers(subject: Subject) -> Labelled | None:
    """Of the labelled sources given."""
    if not subject.records:
        return None
    model = subject.face.classifier
    labels = model.labels
    asked = (Asked(labels.targets(one), model.source(one.source)) for one in subject.records)
    found = [
        (one.what, logp)
        for one, logp in answered(model, asked, subject.threads)
        if logp is not None
    ]
    wanted = measures.as_ids([what for what, _ in found], labels.several)
    logp = np.stack([each for _, each in found])
    whole = summary(labels, model.temperature, logp, wanted)
    rows = whole.confusion
    return Labelled(
        subject.given, whole.accuracy, whole.majority, whole.mae, whole.ece,
        tuple(Label(x.label, x.precision, x.recall, x.f1, x.n) for x in whole.per_class),
        None if rows is None else Confusion(tuple(whole.labels), tuple(map(tuple, rows))),
        tuple(bins(measures.confidence(logp, labels.several).ravel(),
                   (measures.decided(logp, labels.several) == wanted).ravel())),
    )  # fmt: skip


def bins(sure: Any, right: Any) -> list[Bin]:
    """How often answers of like confidence are right; empty bins are left out."""
    place = np.clip(np.ceil(sure * SURE) - 1, 0, SURE - 1).astype(int)
    return [
        Bin(
            k / SURE,
            (k + 1) / SURE,
            int(own.sum()),
            float(sure[own].mean()),
            float(right[own].mean()),
        )
        for k in range(SURE)
        if (own := place == k).any()
    ]


def draw(found: Labelled) -> list[Element]:
    """The measures, confusions, a row a label, calibration."""
    lead = f"{number(found.accuracy)} % right on {found.text}"
    if found.majority is not None:
        lead += f"; always the most frequent label: {number(found.majority)} %"
    off = "" if found.mae is None else f" On average the label is off by {number(found.mae)}."
    parts = [e("p", f"{lead}.{off}")]
    if found.confusion is not None:
        parts += [e("h3", "What is taken for what"), *confusion(found.confusion, "examples")]
    return [
        *parts,
        e("h3", "By label"),
        *by_label(found),
        e("h3", "As sure as right?"),
        *sure(found),
    ]


def by_label(found: Labelled) -> list[Element]:
    """A bar each, and what F1 is made of."""
    rows = [Bar(said(x.name), x.f1, f"{x.f1:z.1f} %", number(x.n)) for x in found.labels]
    cells: list[list[Child]] = [
        [said(x.name), *(f"{v:z.1f}" for v in (x.precision, x.recall, x.f1)), number(x.n)]
        for x in found.labels
    ]
    heads = ("label", "precision %", "recall %", "F1 %", "n")
    listed = table(heads, cells, "Measures by label")
    return [
        bars(("label", "F1", "n"), rows, "F1 by label", 100),
        details("Precision and recall", listed),
    ]


def sure(found: Labelled) -> list[Element]:
    """A bar for answers of like confidence."""
    rows = [
        Bar(f"{100 * one.low:z.0f}{DASH}{100 * one.high:z.0f} %", one.right,
            f"{100 * one.right:z.1f} %", number(one.n))
        for one in found.bins
    ]  # fmt: skip
    about = f"Sureness and being right differ by {number(found.ece)} points on average."
    chart = bars(("sure", "right", "n"), rows, "Share of right answers by confidence", 1)
    return [e("p", about), chart]


def answers(subject: Subject) -> Answers | None:
    """Of the texts given, else of the first records of the file."""
    reads_text, face = subject.face.reads == "text", subject.face
    some: Any = [(one, None) for one in subject.texts if reads_text] or [
        (one.source if reads_text else one, ", ".join(one.labels)) for one in subject.records
    ]
    if not some:
        return None
    asked = [source for source, _ in some[:SHOWN]]
    read = face.classify_lines(asked, LIKELY, threads=subject.threads)
    pairs = zip(read, some, strict=False)
    return Answers(tuple(answer(found, true, reads_text) for found, (_, true) in pairs))


def answer(found: Classification, true: str | None, text: bool) -> Answer:
    """One of them; what is no text has the name of its file without folders."""
    given = ", ".join(each.label for each in found.given) or "none"
    name = found.text if text else base(found.text)
    return Answer(name, true, given, tuple((x.label, x.p) for x in found.labels))


def draw_answers(found: Answers) -> list[Element]:
    """A row each; the panel shows what else was probable."""
    wrong = sum(one.true is not None and one.true != one.given for one in found.each)
    marked = f"; \u2717 marks {number(wrong)} that are wrong." if wrong else "."
    caption = f"{len(found.each)} examples and what the model says of them{marked}"
    items = [
        Item(one.given, clipped(one.text, BESIDE), [(name, number(p), p) for name, p in one.labels])
        for one in found.each
    ]
    rows = [e("li", *row(one, k)) for k, one in enumerate(found.each)]
    return [live([caption], items, e("ol", *rows, class_="answers"))]


def row(one: Answer, place: int) -> list[Child]:
    """The label as a button, the text, and what is so where that is another label."""
    p = one.labels[0][1] if one.labels else None
    wrong = one.true is not None and one.true != one.given
    note = e("span", " \u2717 is ", said(one.true or ""), class_="wrongly") if wrong else None
    tab = -1 if place else 0
    shown = said(one.given), f" {number(p)}"
    handle = e("button", *shown, type="button", class_="chip", data_k=place, tabindex=tab)
    return [handle, note, " ", said(one.text, LONGEST)]


MEASURES = Section("measures", "How good, by part", numbers, draw, "lmtool evaluate", LABELLERS)
LOOKED_INTO = Section(
    "answers", "One by one", answers, draw_answers, "lmtool classify -k 8", LABELLERS
)
