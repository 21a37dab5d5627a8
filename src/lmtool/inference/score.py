"""The probability of a sentence as a product of conditionals.

    P(sentence) = prod_t P(y_t | y_1 .. y_{t-1}),   y_0 = <EOS> as first input, <EOS> as last y

A score never depends on its neighbours: see ``reading``.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lmtool.arrays import Array
from lmtool.display import Shown, Tabular
from lmtool.errors import InputError, ModelFileError, option
from lmtool.inference.reading import AHEAD, Ahead, Measure, Sentence, Values, sentence, side_by_side
from lmtool.models.predictor import Predictor
from lmtool.text.vocabulary import EOS, UNK_ID
from lmtool.workers import Workers

__all__ = [
    "SentenceScore",
    "WordScore",
    "measured_logp",
    "score",
    "score_lines",
    "score_utterances",
    "scored",
    "verified",
    "word_score",
]

LN10, LN2 = math.log(10), math.log(2)
MOST_EXPONENT = 308  # of ten


@dataclass(frozen=True, slots=True, repr=False)
class WordScore(Shown):
    """One factor of the product."""

    _shown = ("word", "log10_p", "surprisal_bits", "p", "oov")

    word: str  # as spelled
    token: str  # as the model sees it
    oov: bool
    log10_p: float
    surprisal_bits: float
    p: float


@dataclass(frozen=True, slots=True, repr=False)
class SentenceScore(Tabular):
    """A sentence's probability; ``words`` ends with <EOS> and is empty for a blank line."""

    _shown = ("text", "log10_p", "perplexity", "n_words", "n_oov")

    text: str
    log10_p: float
    p: float  # 0.0 where log10_p is below what a float can hold
    perplexity: float | None  # 10^(-log10_p / (n_words + 1)); None for a blank line
    n_words: int  # without <EOS>
    n_oov: int
    words: tuple[WordScore, ...]

    def _rows(self) -> tuple[WordScore, ...]:
        return self.words

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)

    def to_dicts(self) -> list[dict[str, Any]]:
        """A flat record for each word."""
        return [asdict(word) for word in self.words]


def word_score(model: Predictor, word: str, token_id: int, logp: float) -> WordScore:
    """One factor from its natural logarithm."""
    return WordScore(
        word=word,
        token=model.vocabulary.tokens[token_id],
        oov=token_id == UNK_ID,
        log10_p=logp / LN10,
        surprisal_bits=-logp / LN2,
        p=math.exp(logp),
    )


def score(model: Predictor, text: str) -> SentenceScore:
    """P(text) with its factors. Raises InputError where there is no word in it."""
    result = next(score_lines(model, [text]))
    if not result.words:
        raise InputError("nothing to score: the sentence is empty")
    return result


def score_lines(
    model: Predictor, lines: Iterable[str], threads: int = 1, ahead: Ahead = AHEAD
) -> Iterator[SentenceScore]:
    """One score a line, in order; blank lines keep their place.

    At most ``ahead`` lines are asked for before the first is answered.
    """
    sentences = (sentence(model.vocabulary, line) for line in lines)
    return score_sentences(model, sentences, threads, ahead)


def score_utterances(
    model: Predictor, lines: Iterable[str], threads: int = 1, ahead: Ahead = AHEAD
) -> Iterator[SentenceScore]:
    """One score a line ``utt-id w1 w2 ...``, the id being in ``text`` but not scored.

    An id without words has the probability of <EOS>. Raises InputError for a line without id.
    """
    sentences = (utterance(model, line) for line in lines)
    return score_sentences(model, sentences, threads, ahead)


def utterance(model: Predictor, line: str) -> Sentence:
    """The words that come after the id and the blanks next to it."""
    parts = line.split(maxsplit=1)
    if not parts:
        raise InputError("a line has no utterance id: a line is: utt-id w1 w2 ...")
    words = model.vocabulary.split(parts[1]) if parts[1:] else []
    return Sentence(line, words, model.vocabulary.sentence(words))


def score_sentences(
    model: Predictor, sentences: Iterable[Sentence], threads: int, ahead: Ahead
) -> Iterator[SentenceScore]:
    """The score of each."""
    with Workers(threads) as workers:
        for one, values in side_by_side(model, sentences, measured_logp(model), workers, ahead):
            yield scored(model, one, values)


def measured_logp(model: Predictor) -> Measure:
    """ln p of each word."""
    return lambda top, ids: (model.log_probability(top, ids).astype(np.float64),)


def scored(model: Predictor, one: Sentence, values: Values) -> SentenceScore:
    """The score of words and <EOS>, of <EOS> alone, or of a blank line."""
    if not values:
        return SentenceScore(one.text, 0.0, 1.0, None, 0, 0, ())
    factors = zip([*one.words, EOS], one.ids.tolist(), verified(values[0]).tolist(), strict=True)
    rows = tuple(word_score(model, *factor) for factor in factors)
    log10_p = math.fsum(row.log10_p for row in rows)
    return SentenceScore(
        text=one.text,
        log10_p=log10_p,
        p=10.0**log10_p,
        perplexity=power_of_ten(-log10_p / len(rows)),
        n_words=len(one.words),
        n_oov=sum(row.oov for row in rows),
        words=rows,
    )


def power_of_ten(exponent: float) -> float:
    """10 ** exponent; infinity beyond what a float can hold."""
    return 10.0**exponent if exponent < MOST_EXPONENT else math.inf


def verified(logp: Array) -> Array:
    """The same ln p. Raises ModelFileError where one is no finite number."""
    if not np.isfinite(logp).all():
        message = "the model's numbers overflow on this text: its weights are too large"
        raise ModelFileError(f"{message}; train it again, with a smaller {option('lr')}")
    return logp
