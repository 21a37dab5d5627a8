"""The probability of a sentence as a product of conditionals.

    P(sentence) = prod_t P(y_t | y_1 .. y_{t-1}),   y_0 = <EOS> as first input, <EOS> as last y

A score never depends on its neighbours: see ``reading``.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.display import Shown, Tabular
from lmtool.errors import InputError, ModelFileError, option
from lmtool.inference.reading import (
    AHEAD,
    Ahead,
    Measure,
    Sentence,
    Values,
    of_words,
    sentence,
    side_by_side,
)
from lmtool.models.predictor import Predictor, Top, streamed
from lmtool.settings import LEVELS
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
    "without",
    "word_score",
]

LN10, LN2 = math.log(10), math.log(2)
WORD = LEVELS[0]
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


class Lazy:
    """An object whose words are made when somebody looks at them: most look at the sum alone."""

    __slots__ = ("_made",)
    _made: Callable[[], tuple[WordScore, ...]]

    def __getattr__(self, name: str) -> Any:
        if name != "words":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        words = self._made()
        object.__setattr__(self, "words", words)
        return words


@dataclass(frozen=True, slots=True, repr=False)
class SentenceScore(Lazy, Tabular):
    """A sentence's probability; ``words`` ends with <EOS> and is empty for a blank line."""

    _shown = ("text", "log10_p", "perplexity", "n_words", "n_oov")

    text: str
    log10_p: float
    p: float  # 0.0 where log10_p is below what a float can hold
    perplexity: float | None  # 10^(-log10_p / (n_words + 1)); None for a blank line
    n_words: int  # without <EOS>
    n_oov: int
    words: tuple[WordScore, ...]  # or tokens, as the level says
    level: str | None = None  # None, as the next two: each word is a token
    n_tokens: int | None = None  # without <EOS>
    perplexity_per_token: float | None = None

    def _rows(self) -> tuple[WordScore, ...]:
        return self.words

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; what sets tokens apart where words may have several."""
        return without(LEVELLED if self.level is None else (), asdict(self))

    def to_dicts(self) -> list[dict[str, Any]]:
        """A flat record for each word."""
        return [asdict(word) for word in self.words]


LEVELLED = ("level", "n_tokens", "perplexity_per_token")


def without(names: Collection[str], values: dict[str, Any]) -> dict[str, Any]:
    """The other values."""
    return {name: value for name, value in values.items() if name not in names}


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
    model: Predictor,
    lines: Iterable[str],
    threads: int = 1,
    ahead: Ahead = AHEAD,
    level: str = WORD,
) -> Iterator[SentenceScore]:
    """One score a line, in order; blank lines keep their place.

    At most ``ahead`` lines are asked for before the first is answered.
    """
    sentences = (sentence(model.vocabulary, line) for line in lines)
    return score_sentences(model, sentences, threads, ahead, level)


def score_utterances(
    model: Predictor,
    lines: Iterable[str],
    threads: int = 1,
    ahead: Ahead = AHEAD,
    level: str = WORD,
) -> Iterator[SentenceScore]:
    """One score a line ``utt-id w1 w2 ...``, the id being in ``text`` but not scored.

    An id without words has the probability of <EOS>. Raises InputError for a line without id.
    """
    sentences = (utterance(model, line) for line in lines)
    return score_sentences(model, sentences, threads, ahead, level)


def utterance(model: Predictor, line: str) -> Sentence:
    """The words that come after the id and the blanks next to it."""
    parts = line.split(maxsplit=1)
    if not parts:
        raise InputError("a line has no utterance id: a line is: utt-id w1 w2 ...")
    words = model.vocabulary.words(parts[1]) if parts[1:] else []
    return of_words(model.vocabulary, line, words)


def score_sentences(
    model: Predictor, sentences: Iterable[Sentence], threads: int, ahead: Ahead, level: str
) -> Iterator[SentenceScore]:
    """The score of each."""
    with Workers(threads) as workers:
        for one, values in side_by_side(model, sentences, measured_logp(model), workers, ahead):
            yield scored(model, one, values, level)


@dataclass(frozen=True, slots=True)
class LogProbability:
    """ln p of each token, along lines or, where a model forgets, of many at once."""

    model: Predictor

    def __call__(self, top: Top, ids: Ids) -> Values:
        """Of rows and the ids that they predict."""
        return (self.model.log_probability(top, ids).astype(np.float64),)

    def stream(self, ids: Ids) -> Values:
        """Of whole lines."""
        return (streamed(self.model, ids).astype(np.float64),)


def measured_logp(model: Predictor) -> Measure:
    """ln p of each token."""
    return LogProbability(model)


def scored(model: Predictor, one: Sentence, values: Values, level: str = WORD) -> SentenceScore:
    """The score of words and <EOS>, of <EOS> alone, or of a blank line; rows of the level."""
    if not values:
        levelled = (level, 0) if model.vocabulary.several else ()
        return SentenceScore(one.text, 0.0, 1.0, None, 0, 0, (), *levelled)
    logp, several = values[0], one.pieces is not None
    log10_p = math.fsum((logp / LN10).tolist()) if math.isfinite(logp.sum()) else math.nan
    if math.isnan(log10_p):
        verified(logp)

    def factors() -> tuple[WordScore, ...]:
        each = zip([*one.tokens, EOS], one.ids.tolist(), logp.tolist(), strict=True)
        tokens = tuple(word_score(model, *factor) for factor in each)
        return tuple(by_word(tokens, one)) if several and level == WORD else tokens

    return made(
        text=one.text,
        log10_p=log10_p,
        p=10.0**log10_p,
        perplexity=power_of_ten(-log10_p / (len(one.words) + 1)),
        n_words=len(one.words),
        n_oov=int(np.count_nonzero(one.oov() if several else one.ids == UNK_ID)),
        _made=factors,
        level=level if several else None,
        n_tokens=len(logp) - 1 if several else None,
        perplexity_per_token=power_of_ten(-log10_p / len(logp)) if several else None,
    )


def made(**values: Any) -> SentenceScore:
    """A score whose words are still to be made."""
    score = object.__new__(SentenceScore)
    for name, value in values.items():
        object.__setattr__(score, name, value)
    return score


def by_word(tokens: Iterable[WordScore], one: Sentence) -> Iterator[WordScore]:
    """The factors of words: P(a b) = P(a) P(b | a)."""
    rest = iter(tokens)
    for word, n in zip([*one.words, EOS], one.lengths(), strict=True):
        yield product(word, tuple(islice(rest, n)))


def product(word: str, parts: Sequence[WordScore]) -> WordScore:
    """The factor of a word that has these tokens."""
    log10_p = math.fsum(part.log10_p for part in parts)
    return WordScore(
        word=word,
        token=" ".join(part.token for part in parts),
        oov=any(part.oov for part in parts),
        log10_p=log10_p,
        surprisal_bits=math.fsum(part.surprisal_bits for part in parts),
        p=10.0**log10_p,
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
