"""The probability of a sentence as a product of conditionals.

    P(sentence) = prod_t P(y_t | y_1 .. y_{t-1}),   y_0 = <EOS> as first input, <EOS> as last y

Every sentence is computed alone, so a score never depends on its neighbours.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.display import Shown, Tabular
from lmtool.errors import InputError, ModelFileError, option
from lmtool.models.language_model import LanguageModel
from lmtool.models.network import States
from lmtool.text.vocabulary import EOS, EOS_ID, UNK_ID
from lmtool.workers import Workers

__all__ = [
    "SentenceScore",
    "WordScore",
    "read_in_chunks",
    "read_logp",
    "score",
    "score_lines",
    "score_utterances",
    "score_words",
    "verified",
    "word_score",
]

LN10, LN2 = math.log(10), math.log(2)
MOST_EXPONENT = 308  # of ten
CHUNK = 64  # positions whose V probabilities are held at once


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


def word_score(model: LanguageModel, word: str, token_id: int, logp: float) -> WordScore:
    """One factor from its natural logarithm."""
    return WordScore(
        word=word,
        token=model.vocabulary.tokens[token_id],
        oov=token_id == UNK_ID,
        log10_p=logp / LN10,
        surprisal_bits=-logp / LN2,
        p=math.exp(logp),
    )


def score(model: LanguageModel, text: str) -> SentenceScore:
    """P(text) with its factors. Raises InputError where there is no word in it."""
    result = next(score_lines(model, [text]))
    if not result.words:
        raise InputError("nothing to score: the sentence is empty")
    return result


def score_lines(
    model: LanguageModel, lines: Iterable[str], threads: int = 1
) -> Iterator[SentenceScore]:
    """One score a line, in order; blank lines keep their place."""
    with Workers(threads) as workers:
        yield from workers.stream(lambda line: score_line(model, line), lines)


def score_line(model: LanguageModel, text: str) -> SentenceScore:
    """As ``score``, a blank line giving a score without words."""
    words = model.vocabulary.split(text)
    if not words:
        return SentenceScore(text, 0.0, 1.0, None, 0, 0, ())
    return score_words(model, text, words)


def score_utterances(
    model: LanguageModel, lines: Iterable[str], threads: int = 1
) -> Iterator[SentenceScore]:
    """One score a line ``utt-id w1 w2 ...``, the id being in ``text`` but not scored.

    An id without words has the probability of <EOS>. Raises InputError for a line without id.
    """
    with Workers(threads) as workers:
        yield from workers.stream(lambda line: score_utterance(model, line), lines)


def score_utterance(model: LanguageModel, line: str) -> SentenceScore:
    """The score of what comes after the id and the blanks next to it."""
    match line.split(maxsplit=1):
        case [_, text]:
            return score_words(model, line, model.vocabulary.split(text))
        case [_]:
            return score_words(model, line, [])
    raise InputError("a line has no utterance id: a line is: utt-id w1 w2 ...")


def score_words(model: LanguageModel, text: str, words: list[str]) -> SentenceScore:
    """The score of words and <EOS>, or of <EOS> alone where there are none."""
    ids = [*model.vocabulary.ids(words), EOS_ID]
    logps, _ = read_logp(model, np.array(ids, np.int32), model.zero_state())
    rows = tuple(
        word_score(model, word, token_id, float(logp))
        for word, token_id, logp in zip([*words, EOS], ids, logps, strict=True)
    )
    log10_p = math.fsum(row.log10_p for row in rows)
    return SentenceScore(
        text=text,
        log10_p=log10_p,
        p=10.0**log10_p,
        perplexity=power_of_ten(-log10_p / len(rows)),
        n_words=len(words),
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


def read_logp(
    model: LanguageModel, ids: NDArray[np.int32], state: States
) -> tuple[NDArray[np.float64], States]:
    """ln p of each of ids (T,), the first predicted from <EOS>, and the state before the last."""
    logps = []
    for top, wanted, after in read_in_chunks(model, ids, state):
        logps.append(verified(model.log_probability(top, wanted)).astype(np.float64))
        state = after
    return np.concatenate(logps), state


def read_in_chunks(
    model: LanguageModel, ids: NDArray[np.int32], state: States
) -> Iterator[tuple[Array, NDArray[np.int32], States]]:
    """(top (n, D), the ids (n,) that it predicts, the state after it), along ids (T,).

    What is read is <EOS> and all ids but the last.
    """
    inputs = np.concatenate([[EOS_ID], ids[:-1]]).astype(np.int32)
    for start in range(0, len(ids), CHUNK):
        part = slice(start, start + CHUNK)
        top, state = model.read(inputs[part], state)
        yield top, ids[part], state
