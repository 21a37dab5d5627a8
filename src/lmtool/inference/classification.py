"""What a classifier says of texts, and how often that is right.

Probabilities are as the model gives them, at the temperature found on its validation part. Shares
of right answers are percentages, and so is the calibration error, a difference of two of them.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.display import Shown, Tabular
from lmtool.errors import InputError
from lmtool.inference import measures
from lmtool.inference.reading import AHEAD, Ahead, Asked, read_sources
from lmtool.inference.score import verified
from lmtool.settings import Option, checked
from lmtool.text.labels import Labelled, Labels
from lmtool.workers import Workers

__all__ = [
    "Classification",
    "LabelEvaluation",
    "LabelModel",
    "LabelProbability",
    "LabelResult",
    "LabelledText",
    "classify",
    "classify_lines",
    "evaluate_labelled",
]

PERCENT = 100.0
LIKELY = 0.5  # a label, where a text can have several, is given above it


class LabelModel(Protocol):
    """What is needed of a classifier."""

    @property
    def labels(self) -> Labels:
        """The K labels that it knows."""

    @property
    def temperature(self) -> float:
        """What its logits are divided by."""
        ...

    @property
    def block(self) -> int:
        """Sources that are read side by side to the same bits as alone; 1: none."""
        ...

    def source(self, given: Any) -> Array:
        """What is read of a text or of frames: (T,) ids, or (T, F) features."""
        ...

    def log_probabilities(self, sources: Sequence[Array]) -> NDArray[np.floating]:
        """ln p of each label (B, K); where a source can have several, each is for itself."""
        ...


class LabelledText(Labelled, Protocol):
    """A text, or what else a model reads, with its labels, and where it stands."""

    @property
    def source(self) -> Any:
        """What the model reads of it; of a text not blank."""


class Named(Protocol):
    """A source that is no text, by its name."""

    @property
    def text(self) -> str:
        """``clips.jsonl:3``"""
        ...

    @property
    def source(self) -> Any:
        """What the model reads of it."""


@dataclass(frozen=True, slots=True, repr=False)
class LabelProbability(Shown):
    """A label and P(label | text)."""

    _shown = ("label", "p")

    label: str
    p: float

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, repr=False)
class Classification(Tabular):
    """What a text is labelled with; a blank one with nothing."""

    _shown = ("text", "label", "p")

    text: str  # or the name of what is no text: ``clips.jsonl:3``
    label: str | None  # the most probable; None where several are possible and none is likely
    p: float | None  # of that label
    labels: tuple[LabelProbability, ...]  # most probable first

    def _rows(self) -> Sequence[Shown]:
        return self.labels

    @property
    def given(self) -> tuple[LabelProbability, ...]:
        """What the text is labelled with: one label, or where several are possible all likely."""
        likely = tuple(one for one in self.labels if one.p > LIKELY)
        return likely or self.labels[: self.label is not None]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self) | {"labels": [one.to_dict() for one in self.labels]}


@dataclass(frozen=True, slots=True, repr=False)
class LabelResult(Shown):
    """How well one label is told from the others; percentages."""

    _shown = ("label", "precision", "recall", "f1", "n", "n_predicted")

    label: str
    precision: float
    recall: float
    f1: float
    n: int  # texts that have it
    n_predicted: int  # texts that were given it

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, repr=False)
class LabelEvaluation(Tabular):
    """How often labels are right; what a model has no use for is None."""

    _shown = ("accuracy", "macro_f1", "micro_f1", "mae", "majority", "ece", "n")

    accuracy: float  # percent; where texts can have several labels, of texts with all of them right
    macro_f1: float  # percent; the mean over all known labels
    micro_f1: float | None  # percent; of several labels
    mae: float | None  # labels that are numbers: how far the most probable one is off
    mae_expected: float | None  # how far the mean under the probabilities is off
    majority: float | None  # percent: always the label that is the most frequent in training
    nats: float  # mean of -ln p of what is so
    ece: float  # percent; the gap between confidence and accuracy
    ece_uncalibrated: float  # percent; at temperature 1
    temperature: float
    n: int  # texts
    labels: tuple[str, ...]
    per_class: tuple[LabelResult, ...]
    confusion: tuple[tuple[int, ...], ...] | None  # rows: so it is, columns: so it was labelled

    def _rows(self) -> Sequence[Shown]:
        return self.per_class

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        plain = asdict(self) | {"labels": list(self.labels)}
        plain["per_class"] = [one.to_dict() for one in self.per_class]
        plain["confusion"] = self.confusion and [list(row) for row in self.confusion]
        return plain


def classify(model: LabelModel, text: str, k: int | None = None) -> Classification:
    """The k most probable labels of a text, None for all of them. Raises OptionError."""
    return next(classify_lines(model, [text], k))


def classify_lines(
    model: LabelModel,
    lines: Iterable[str | Named],
    k: int | None = None,
    threads: int = 1,
    ahead: Ahead = AHEAD,
) -> Iterator[Classification]:
    """The same line by line, each on its own; a blank line has no label. Raises OptionError.

    At most ``ahead`` lines are asked for before the first is answered.
    """
    most = len(model.labels) if k is None else checked("k", k, int, Option(at_least=1))
    return results(model, lines, most, threads, ahead)


def results(
    model: LabelModel, lines: Iterable[str | Named], k: int, threads: int, ahead: Ahead
) -> Iterator[Classification]:
    """Of a generator the bounds would be checked too late."""
    asked = (Asked(line, spoken(model, line)) for line in lines)
    for one, logp in answered(model, asked, threads, ahead):
        yield classified(model.labels, one.what, logp, k)


def spoken(model: LabelModel, given: str | Named) -> Array | None:
    """What is read of a text, if it is not blank, or of what has a name."""
    if not isinstance(given, str):
        return model.source(given.source)
    return model.source(given) if given.strip() else None


def answered(
    model: LabelModel, asked: Iterable[Asked], threads: int, ahead: Ahead = AHEAD
) -> Iterator[tuple[Asked, NDArray[np.float64] | None]]:
    """Each with ln p of each label (K,), in order.

    Raises ModelFileError where the weights are too large for that.
    """
    with Workers(threads) as workers:
        found = read_sources(asked, model.log_probabilities, model.block, workers, ahead)
        for one, logp in found:
            yield one, None if logp is None else np.asarray(verified(logp), np.float64)


def classified(
    labels: Labels, given: str | Named, logp: NDArray[np.float64] | None, k: int
) -> Classification:
    """One text, or what has a name; ties go to the label that comes first."""
    text = given if isinstance(given, str) else given.text
    if logp is None:
        return Classification(text, None, None, ())
    order = np.argsort(-logp, kind="stable")[:k]
    best = tuple(LabelProbability(labels.names[i], math.exp(logp[i])) for i in order)
    if labels.several and best[0].p <= LIKELY:
        return Classification(text, None, None, best)
    return Classification(text, best[0].label, best[0].p, best)


def evaluate_labelled(
    model: LabelModel, records: Iterable[LabelledText], threads: int = 1
) -> LabelEvaluation:
    """How well a model labels texts whose labels are known.

    Raises InputError for a label that the model does not know, and where there is no text.
    """
    asked = (Asked(model.labels.targets(one), model.source(one.source)) for one in records)
    answers = answered(model, asked, threads)
    found = [(one.what, logp) for one, logp in answers if logp is not None]
    if not found:
        raise InputError("there is no labelled text")
    targets, logps = zip(*found, strict=True)
    wanted = measures.as_ids(list(targets), model.labels.several)
    return summary(model.labels, model.temperature, np.stack(logps), wanted)


def summary(
    labels: Labels, temperature: float, logp: NDArray[np.float64], targets: Ids
) -> LabelEvaluation:
    """All measures of log-probabilities (N, K) and targets (N,) or (N, K)."""
    several, K = labels.several, len(labels)
    given = measures.decided(logp, several)
    counts = measures.class_counts(given, targets, K)
    plain = measures.tempered(logp, 1 / temperature, several)
    mae, mae_expected = errors(labels, logp, targets)
    return LabelEvaluation(
        accuracy=PERCENT * measures.accuracy(given, targets),
        macro_f1=PERCENT * measures.macro_f1(counts),
        micro_f1=PERCENT * measures.micro_f1(counts) if several else None,
        mae=mae,
        mae_expected=mae_expected,
        majority=majority(labels, targets),
        nats=measures.nats(logp, targets),
        ece=gap(logp, targets, several),
        ece_uncalibrated=gap(plain, targets, several),
        temperature=temperature,
        n=len(targets),
        labels=labels.names,
        per_class=per_class(labels, counts),
        confusion=None if several else rows(measures.confusion(given, targets, K)),
    )


def errors(
    labels: Labels, logp: NDArray[np.float64], targets: Ids
) -> tuple[float | None, float | None]:
    """(of the most probable label, of the expected one), where each text has one number."""
    if labels.numbers is None or labels.several:
        return None, None
    wanted, given = labels.numbers[targets], labels.numbers[measures.decided(logp)]
    expected = np.exp(logp) @ labels.numbers
    mae = measures.mean_absolute_error
    return mae(given, wanted), mae(expected, wanted)


def majority(labels: Labels, targets: Ids) -> float | None:
    """What needs no model, where each text has one label."""
    if labels.several:
        return None
    same = np.full_like(targets, labels.counts.argmax())
    return PERCENT * measures.accuracy(same, targets)


def gap(logp: NDArray[np.float64], targets: Ids, several: bool) -> float:
    """The calibration error of what is decided; of several labels, of each decision."""
    right = measures.decided(logp, several) == targets
    return PERCENT * measures.calibration_error(
        measures.confidence(logp, several).ravel(), right.ravel()
    )


def per_class(labels: Labels, counts: measures.ClassCounts) -> tuple[LabelResult, ...]:
    """A result a label, in their order."""
    shares = [PERCENT * part for part in (counts.precision(), counts.recall(), counts.f1())]
    columns = (labels.names, *(part.tolist() for part in (*shares, counts.n, counts.predicted)))
    return tuple(LabelResult(*values) for values in zip(*columns, strict=True))


def rows(table: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    """Plain numbers."""
    return tuple(tuple(row) for row in table.tolist())
