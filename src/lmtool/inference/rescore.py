"""What was said, out of what may have been heard: the recogniser's score and language models.

Each hypothesis has a recogniser's score, its probability by each model, ``<EOS>`` included, and its
words; ``weights`` says what each counts for. References are for the error rates alone: weights are
tuned on other lists.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.data.readers.nbest import NBest
from lmtool.display import Shown, Tabular
from lmtool.errors import ConfigError, InputError, option
from lmtool.inference.reading import Sentence, of_words, side_by_side
from lmtool.inference.score import LN10, measured_logp, verified
from lmtool.inference.weights import Weights, tuned
from lmtool.inference.wer import ERRORS, WORDS, Wer, statistics
from lmtool.inference.wer_compare import WerDifference, compare_errors
from lmtool.models.predictor import Predictor
from lmtool.settings import RescoreSettings
from lmtool.workers import Workers

__all__ = ["Choice", "Rescored", "Rescoring", "Scored", "rescore", "scored_lists", "tune"]

DEFAULT = RescoreSettings()

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class Choice(Shown):
    """A hypothesis, and why it stands where it does."""

    _shown = ("text", "rank", "score", "n_errors")

    text: str
    rank: int  # in the list as it was given, from 1
    score: float  # the total
    recogniser: float | None  # as given
    log10_p: tuple[float, ...]  # of each model
    n_words: int
    n_oov: int  # words, of all models
    n_errors: int | None = None  # where there is a reference


@dataclass(frozen=True, slots=True, repr=False)
class Rescored(Tabular):
    """A list, best first; one without hypotheses keeps its place."""

    _shown = ("text", "id", "reference")

    id: str
    text: str  # of the best
    reference: str | None
    hypotheses: tuple[Choice, ...]

    def _rows(self) -> tuple[Choice, ...]:
        return self.hypotheses

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, repr=False)
class Rescoring(Tabular):
    """All lists, and where each has a reference, what the choice was worth."""

    _shown = ("wer_first", "wer", "wer_oracle", "n", "n_changed")

    lists: tuple[Rescored, ...]
    weights: Weights
    n_changed: int  # lists whose best is another one
    first: Wer | None = None  # of the first of each list
    chosen: Wer | None = None
    oracle: Wer | None = None  # of the ones with the fewest errors
    difference: WerDifference | None = None  # of the chosen ones against the first ones

    @property
    def n(self) -> int:
        """Lists."""
        return len(self.lists)

    @property
    def texts(self) -> list[str]:
        """The best of each."""
        return [one.text for one in self.lists]

    @property
    def wer_first(self) -> float | None:
        """Percent, as the next two."""
        return None if self.first is None else self.first.wer

    @property
    def wer(self) -> float | None:
        """Of the chosen ones."""
        return None if self.chosen is None else self.chosen.wer

    @property
    def wer_oracle(self) -> float | None:
        """Of the best choice that there is."""
        return None if self.oracle is None else self.oracle.wer

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain values, without the lists."""
        rates = {name: getattr(self, name) for name in ("wer_first", "wer", "wer_oracle")}
        about = {"weights": self.weights.to_dict(), "n": self.n, "n_changed": self.n_changed}
        parts = (("first", self.first), ("chosen", self.chosen), ("oracle", self.oracle))
        detail = {name: None if part is None else part.to_dict() for name, part in parts}
        worth = self.difference
        return rates | about | detail | {"difference": worth.to_dict() if worth else None}


class Scored(NamedTuple):
    """Lists with all that is known of their hypotheses, end to end."""

    lists: list[NBest]
    given: Floats  # (N,) the recogniser's scores, 0 where there are none
    logp: Floats  # (N, K) natural
    n_words: Floats  # (N,)
    n_oov: Floats  # (N,) of all models
    statistics: NDArray[np.int64] | None  # (N, 6) of ``wer``; None without references

    def features(self, score_type: str, per_word: bool) -> Floats:
        """(N, F), in the order of the fields of Weights."""
        length = self.n_words + 1
        total = {"mean": self.given * length, "cost": -self.given}.get(score_type, self.given)
        columns = np.column_stack([total, self.logp, self.n_words, self.n_oov])
        if per_word:
            columns[:, np.arange(columns.shape[1]) != columns.shape[1] - 2] /= length[:, None]
        return columns

    def offsets(self) -> list[int]:
        """Where each list begins, and the end: (n + 1,)."""
        return [0, *accumulate(len(one.texts) for one in self.lists)]


def scored_lists(lists: Sequence[NBest], models: Sequence[Predictor], threads: int = 1) -> Scored:
    """Each different text read once, from zero state. Raises InputError, ConfigError."""
    known = list(lists)
    scored = {one.scores is not None for one in known if one.texts}
    if len(scored) > 1:
        one = next(one for one in known if one.texts and one.scores is None)
        raise InputError(f"{one.path}:{one.line}: a list without scores, but others have them")
    texts = [text for one in known for text in one.texts]
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    rows = np.array([places[text] for text in texts], np.int64)
    read = [read_texts(model, list(places), threads) for model in models]
    logp = np.array([each[0] for each in read]).reshape(len(models), -1).T
    n_oov = np.array([each[1] for each in read]).reshape(len(models), -1).sum(axis=0)
    given = [score for one in known for score in one.scores or (0.0,) * len(one.texts)]
    n_words = [len(text.split()) for text in texts]
    return Scored(
        known, np.array(given, np.float64), logp[rows], np.array(n_words, np.float64),
        n_oov[rows] if len(rows) else np.zeros(0), measured(known),
    )  # fmt: skip


def read_texts(model: Predictor, texts: list[str], threads: int) -> tuple[Floats, Floats]:
    """ln P of each, and how many of its words are unknown: (n,) both."""
    vocabulary = model.vocabulary

    def sentences() -> Iterator[Sentence]:
        return (of_words(vocabulary, text, vocabulary.words(text)) for text in texts)

    with Workers(threads) as workers:
        found = [
            (float(verified(values[0]).sum()), int(one.oov().sum()))
            for one, values in side_by_side(model, sentences(), measured_logp(model), workers)
        ]
    logp, n_oov = np.array(found, np.float64).reshape(-1, 2).T
    return logp, n_oov


def measured(lists: list[NBest]) -> NDArray[np.int64] | None:
    """The statistics of all hypotheses; None where not every list has a reference.

    An empty list is measured as a blank text, in ``summary``.
    """
    if not lists or any(one.reference is None for one in lists):
        return None
    rows = [
        statistics(text.split(), one.reference.split())
        for one in lists
        for text in one.texts
        if one.reference is not None
    ]
    return np.array(rows, np.int64).reshape(-1, 6)


def padded(scored: Scored, features: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Features (n, H, F) and errors (n, H) of lists that are not empty, the first one repeated."""
    offsets = scored.offsets()
    sizes = [b - a for a, b in pairwise(offsets)]
    most = max(sizes, default=0)
    places = np.array(
        [[a + (h if h < n else 0) for h in range(most)]
         for a, n in zip(offsets, sizes, strict=False) if n], np.int64,
    )  # fmt: skip
    assert scored.statistics is not None
    return features[places], scored.statistics[:, ERRORS].sum(axis=1)[places]


def tune(scored: Scored, settings: RescoreSettings = DEFAULT) -> Weights:
    """The weights with the fewest errors on lists with references. Raises InputError."""
    if scored.statistics is None or not len(scored.given):
        raise InputError("weights cannot be tuned without a reference for each list, and lists")
    found = [(way, *tuned(*padded(scored, scored.features(*way)))) for way in ways(settings)]
    (kind, means), vector, _ = min(found, key=lambda one: one[2])
    return Weights.of(vector.tolist(), means, kind)


def ways(settings: RescoreSettings) -> list[tuple[str, bool]]:
    """What is tried for the score type and the means: all that is not said."""
    kinds = ("total", "mean") if settings.score_type is None else (settings.score_type,)
    means = (False, True) if settings.per_word is None else (settings.per_word,)
    return [(kind, mean) for kind in kinds for mean in (means[::-1] if kind == "mean" else means)]


def score_type(settings: RescoreSettings) -> str:
    """What the recogniser's scores are."""
    return settings.score_type or "total"


def per_word(settings: RescoreSettings) -> bool:
    """Whether means are compared where nothing else is said."""
    return score_type(settings) == "mean" if settings.per_word is None else settings.per_word


def untuned(scored: Scored, settings: RescoreSettings) -> Weights:
    """The recogniser, and the mean of the models, count alike."""
    k = scored.logp.shape[1]
    has_scores = any(one.scores is not None for one in scored.lists)
    kind, means = score_type(settings), per_word(settings)
    return Weights(float(has_scores), (1.0 / k,) * k, per_word=means, score_type=kind)


def rescore(
    scored: Scored, settings: RescoreSettings = DEFAULT, weights: Weights | None = None
) -> Rescoring:
    """All lists, best first. Raises ConfigError for weights of another number of models."""
    weights = weights or untuned(scored, settings)
    if len(weights.models) != scored.logp.shape[1]:
        n, k = len(weights.models), scored.logp.shape[1]
        raise ConfigError(f"{option('weights')}: {n} of models, but there are {k}")
    totals = scored.features(weights.score_type, weights.per_word) @ weights.vector()
    offsets = scored.offsets()
    orders = [a + np.argsort(-totals[a:b], kind="stable") for a, b in pairwise(offsets)]
    lists = tuple(
        ordered(scored, one, order, a, totals)
        for one, order, a in zip(scored.lists, orders, offsets, strict=False)
    )
    n_changed = sum(
        bool(one.hypotheses) and one.text != given.texts[0]
        for one, given in zip(lists, scored.lists, strict=True)
    )
    return Rescoring(lists, weights, n_changed, *worth(scored, orders, settings))


def ordered(
    scored: Scored, given: NBest, order: NDArray[np.int64], start: int, totals: Floats
) -> Rescored:
    """A list in its new order."""
    table = scored.statistics
    found = tuple(
        Choice(
            text=given.texts[place - start],
            rank=place - start + 1,
            score=float(totals[place]),
            recogniser=None if given.scores is None else given.scores[place - start],
            log10_p=tuple((scored.logp[place] / LN10).tolist()),
            n_words=int(scored.n_words[place]),
            n_oov=int(scored.n_oov[place]),
            n_errors=None if table is None else int(table[place, ERRORS].sum()),
        )
        for place in order.tolist()
    )
    return Rescored(given.id, found[0].text if found else "", given.reference, found)


def worth(
    scored: Scored, orders: Sequence[NDArray[np.int64]], settings: RescoreSettings
) -> tuple[Wer, Wer, Wer, WerDifference] | tuple[()]:
    """Error rates of the first, the chosen and the best ones; nothing without references."""
    table = scored.statistics
    if table is None:
        return ()
    rows = []
    for one, order in zip(scored.lists, orders, strict=True):
        if not len(order):
            rows.append([statistics((), (one.reference or "").split())] * 3)
            continue
        best = order.min() + int(np.argmin(table[np.sort(order), ERRORS].sum(axis=1)))
        rows.append([table[order.min()], table[order[0]], table[best]])
    found = np.array(rows)  # (n, 3, 6)
    rates = [Wer.of(total) for total in found.sum(axis=0)]
    errors = found[..., ERRORS].sum(axis=2)
    words = found[:, 0, WORDS]
    about = compare_errors(errors[:, 0], errors[:, 1], words, settings.resamples, settings.seed)
    return rates[0], rates[1], rates[2], about
