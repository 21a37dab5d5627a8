"""How surprising is each word, and how uncertain was the model?

    surprisal_t = -log P(y_t | y_1 .. y_{t-1})                                       (1)
    entropy_t   = -sum_v P(v | y_1 .. y_{t-1}) log P(v | y_1 .. y_{t-1})             (2)

The entropy before a word is that of the distribution which predicts it, the entropy after it that
of the next one; their difference is signed (Hale 2006 counts only what is above 0). Unigram
surprisal is (1) with the word's share of the training text for P.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids
from lmtool.display import Shown, Tabular
from lmtool.errors import ConfigError, InputError, option
from lmtool.inference.reading import (
    AHEAD,
    Ahead,
    Measure,
    Sentence,
    Values,
    follow,
    sentence,
    side_by_side,
)
from lmtool.inference.score import LN2, LN10, verified, without
from lmtool.inference.spans import as_words
from lmtool.models.predictor import Predictor, Top, joined, rows
from lmtool.nn.rowwise import parts
from lmtool.settings import BASES, LEVELS, SurprisalSettings
from lmtool.text.vocabulary import EOS, UNK_ID
from lmtool.workers import Workers

__all__ = [
    "Guess",
    "SentenceSurprisal",
    "WordSurprisal",
    "columns",
    "surprisal",
    "surprisal_lines",
]

LEVEL = ("level",)
FREQUENCY = ("frequency", "unigram_surprisal")
DEFAULT = SurprisalSettings()
LOGITS = 1 << 22  # held at once: 16 MB of float32


class Guess(NamedTuple):
    """A token that the model expected."""

    token: str
    p: float


@dataclass(frozen=True, slots=True, repr=False)
class WordSurprisal(Shown):
    """One word; logarithms are in ``base``."""

    _shown = (
        "word",
        "surprisal",
        "entropy_before",
        "entropy_reduction",
        "rank",
        "frequency",
        "oov",
    )

    position: int  # in the sentence, from 1
    word: str  # as spelled
    token: str  # as the model sees it
    oov: bool
    log_p: float
    surprisal: float
    entropy_before: float
    entropy_after: float | None  # None at the end of the line
    entropy_reduction: float | None  # before - after, signed
    rank: int | None  # 1: the most probable of all tokens; None of several tokens as one
    length: int  # characters as spelled; 0 for <EOS>
    frequency: int | None  # in the training text, of <EOS> the lines; None of several tokens
    unigram_surprisal: float | None  # None where the frequency is 0
    base: str
    guesses: tuple[Guess, ...]  # most probable first

    @property
    def log10_p(self) -> float:
        """log10 P(word | words before)."""
        return self.log_p * BASES[self.base] / LN10

    @property
    def surprisal_bits(self) -> float:
        """-log2 P(word | words before)."""
        return self.surprisal * BASES[self.base] / LN2


VALUES = tuple(name for name in WordSurprisal.__slots__ if name not in ("guesses", "base"))
SPILLED = VALUES[1:]  # all but the position


@dataclass(frozen=True, slots=True, repr=False)
class SentenceSurprisal(Tabular):
    """A line's words, <EOS> last; none for a blank line."""

    _shown = ("text", "line", "surprisal_bits", "log10_p")

    text: str
    line: int  # from 1
    sentence_id: int  # from 1, blank lines left out
    words: tuple[WordSurprisal, ...]  # or tokens, as the level says
    level: str | None = None  # None: each word is a token

    def _rows(self) -> tuple[WordSurprisal, ...]:
        return self.words

    @property
    def log10_p(self) -> float:
        """log10 P(text)."""
        return math.fsum(word.log10_p for word in self.words)

    @property
    def surprisal_bits(self) -> float:
        """-log2 P(text)."""
        return math.fsum(word.surprisal_bits for word in self.words)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; the level where a word may have several tokens."""
        return without(("level",) if self.level is None else (), asdict(self))

    def to_dicts(self, options: SurprisalSettings = DEFAULT) -> list[dict[str, Any]]:
        """One flat record a word, under the names that ``columns`` gives."""
        rows = [{name: getattr(word, name) for name in VALUES} for word in self.words]
        place = {"line": self.line, "sentence_id": self.sentence_id}
        level = {} if self.level is None else {"level": self.level}
        return [
            place
            | row
            | {"base": word.base}
            | level
            | guessed(word)
            | spilled(rows, t, options.spillover)
            for t, (word, row) in enumerate(zip(self.words, rows, strict=True))
        ]


def columns(options: SurprisalSettings, several: bool = False) -> list[str]:
    """The names of a record's values, in order; ``several``: tokens a word may have."""
    values = [name for name in VALUES if options.frequency or name not in FREQUENCY]
    guesses = [f"guess{k}{end}" for k in range(1, options.top + 1) for end in ("", "_p")]
    before = range(1, options.spillover + 1)
    spillover = [f"{name}_prev{k}" for k in before for name in values if name in SPILLED]
    return ["line", "sentence_id", *values, "base", *LEVEL[:several], *guesses, *spillover]


def guessed(word: WordSurprisal) -> dict[str, Any]:
    """A column for each guess and one for its probability."""
    record: dict[str, Any] = {}
    for k, (token, p) in enumerate(word.guesses, 1):
        record |= {f"guess{k}": token, f"guess{k}_p": p}
    return record


def spilled(rows: list[dict[str, Any]], t: int, n: int) -> dict[str, Any]:
    """The values of the n words before word t; None before the first one."""
    return {
        f"{name}_prev{k}": rows[t - k][name] if t >= k else None
        for k in range(1, n + 1)
        for name in SPILLED
    }


def surprisal(
    model: Predictor, text: str, options: SurprisalSettings = DEFAULT
) -> SentenceSurprisal:
    """The words of one sentence. Raises InputError where there is no word in it."""
    result = next(surprisal_lines(model, [text], options))
    if not result.words:
        raise InputError("nothing to score: the sentence is empty")
    return result


def surprisal_lines(
    model: Predictor,
    lines: Iterable[str],
    options: SurprisalSettings = DEFAULT,
    threads: int = 1,
    ahead: Ahead = AHEAD,
) -> Iterator[SentenceSurprisal]:
    """The words of each line, in order; blank lines keep their place.

    At most ``ahead`` lines are asked for before the first is answered, one in document context.
    Raises ConfigError where frequencies are wanted of a model without counts.
    """
    if options.frequency and not model.vocabulary.counts.any():
        message = "the model holds no counts of words, so there are no frequencies"
        ways = f"train it again, or leave them out: {option('frequency', False)}"
        raise ConfigError(f"{message}: {ways}")
    every = (sentence(model.vocabulary, line) for line in lines)
    measure = measured_by(model, options.top)
    with Workers(threads) as workers:
        if options.context == "document":
            read = follow(model, every, measure)
        else:
            read = side_by_side(model, every, measure, workers, ahead)
        yield from numbered(Writer(model, options), read)


def numbered(
    writer: "Writer", read: Iterable[tuple[Sentence, Values]]
) -> Iterator[SentenceSurprisal]:
    """Each line's words with its number and its sentence's."""
    sentence_id = 0
    for line, (one, values) in enumerate(read, 1):
        sentence_id += bool(values)
        words = tuple(writer.rows(one, Reading(*values))) if values else ()
        yield SentenceSurprisal(one.text, line, sentence_id, words, writer.level)


class Reading(NamedTuple):
    """What the model thought before each of T words; natural logarithms."""

    logp: NDArray[np.float64]  # (T,)
    entropy: NDArray[np.float64]  # (T,)
    rank: NDArray[np.int64]  # (T,)
    guesses: NDArray[np.int64]  # (T, k) ids
    guess_logp: NDArray[np.float64]  # (T, k)


class Writer:
    """A model and what is wanted of it: from what was measured to words."""

    def __init__(self, model: Predictor, options: SurprisalSettings) -> None:
        self._options, self._vocabulary = options, model.vocabulary
        self.level = options.level if model.vocabulary.several else None
        counts = model.vocabulary.counts
        with np.errstate(divide="ignore"):
            self._unigram = (
                -np.log(counts / max(1.0, counts.sum(dtype=np.float64))) / BASES[options.base]
            )

    def rows(self, one: Sentence, reading: Reading) -> Iterator[WordSurprisal]:
        """The words of a sentence, or its tokens."""
        tokens = self._tokens(one, reading)
        if one.pieces is None or self.level != LEVELS[0]:
            return tokens
        return as_words(tokens, [*one.words, EOS], one.lengths())

    def _tokens(self, one: Sentence, reading: Reading) -> Iterator[WordSurprisal]:
        verified(reading.logp)
        verified(reading.entropy)
        words, ids = [*one.tokens, EOS], one.ids.tolist()
        unit, vocabulary = BASES[self._options.base], self._vocabulary
        logps, entropies = (reading.logp / unit).tolist(), (reading.entropy / unit).tolist()
        for t, (word, token_id) in enumerate(zip(words, ids, strict=True)):
            last = t == len(ids) - 1
            after = None if last else entropies[t + 1]
            unigram = float(self._unigram[token_id])
            yield WordSurprisal(
                position=t + 1,
                word=word,
                token=vocabulary.tokens[token_id],
                oov=token_id == UNK_ID,
                log_p=logps[t],
                surprisal=-logps[t],
                entropy_before=entropies[t],
                entropy_after=after,
                entropy_reduction=None if after is None else entropies[t] - after,
                rank=int(reading.rank[t]),
                length=0 if last else len(word),
                frequency=int(vocabulary.counts[token_id]),
                unigram_surprisal=unigram if math.isfinite(unigram) else None,
                base=self._options.base,
                guesses=tuple(self._guesses(reading, t)),
            )

    def _guesses(self, reading: Reading, t: int) -> Iterator[Guess]:
        for id_, logp in zip(reading.guesses[t].tolist(), reading.guess_logp[t], strict=True):
            yield Guess(self._vocabulary.tokens[id_], math.exp(logp))


def measured_by(model: Predictor, k: int) -> Measure:
    """(1) and (2), the rank and the k best tokens of each word; the rows of V numbers in parts."""
    size = max(3, LOGITS // model.vocabulary.n_tokens)

    def measure(top: Top, ids: Ids) -> Values:
        return tuple(joined([some(top, ids, part) for part in parts(len(ids), size)]))

    def some(top: Top, ids: Ids, part: slice) -> Reading:
        return measured(model.log_probabilities(rows(top, part)), ids[part], k)

    return measure


@np.errstate(all="ignore")  # whoever uses the numbers checks them
def measured(logp: NDArray[np.float32], ids: Ids, k: int) -> Reading:
    """From ln p of every token, logp (n, V), and the words that came, ids (n,)."""
    n, V = logp.shape
    wanted = logp[np.arange(n), ids]
    ahead = np.count_nonzero(logp > wanted[:, None], axis=1)
    best = np.argpartition(-logp, min(k, V - 1), axis=1)[:, :k] if k else np.zeros((n, 0), int)
    order = np.argsort(-np.take_along_axis(logp, best, 1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, 1)
    terms = np.exp(logp) * logp
    entropy = -np.array([row.sum(dtype=np.float64) for row in terms])  # each row alone
    guess_logp = np.take_along_axis(logp, best, 1).astype(np.float64)
    return Reading(wanted.astype(np.float64), entropy, ahead + 1, best, guess_logp)
