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
from lmtool.inference.score import LN2, LN10, read_in_chunks, verified
from lmtool.models.language_model import LanguageModel
from lmtool.models.network import States
from lmtool.settings import BASES, SurprisalSettings
from lmtool.text.vocabulary import EOS, EOS_ID, UNK_ID
from lmtool.workers import Workers

__all__ = [
    "Guess",
    "SentenceSurprisal",
    "WordSurprisal",
    "columns",
    "surprisal",
    "surprisal_lines",
]

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
    words: tuple[WordSurprisal, ...]

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
        """The same as plain values."""
        return asdict(self)

    def to_dicts(self, options: SurprisalSettings = DEFAULT) -> list[dict[str, Any]]:
        """One flat record a word, under the names that ``columns`` gives."""
        rows = [{name: getattr(word, name) for name in VALUES} for word in self.words]
        place = {"line": self.line, "sentence_id": self.sentence_id}
        return [
            place | row | {"base": word.base} | guessed(word) | spilled(rows, t, options.spillover)
            for t, (word, row) in enumerate(zip(self.words, rows, strict=True))
        ]


def columns(options: SurprisalSettings) -> list[str]:
    """The names of a record's values, in order."""
    values = [name for name in VALUES if options.frequency or name not in FREQUENCY]
    guesses = [f"guess{k}{end}" for k in range(1, options.top + 1) for end in ("", "_p")]
    before = range(1, options.spillover + 1)
    spillover = [f"{name}_prev{k}" for k in before for name in values if name in SPILLED]
    return ["line", "sentence_id", *values, "base", *guesses, *spillover]


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
    model: LanguageModel, text: str, options: SurprisalSettings = DEFAULT
) -> SentenceSurprisal:
    """The words of one sentence. Raises InputError where there is no word in it."""
    result = next(surprisal_lines(model, [text], options))
    if not result.words:
        raise InputError("nothing to score: the sentence is empty")
    return result


def surprisal_lines(
    model: LanguageModel,
    lines: Iterable[str],
    options: SurprisalSettings = DEFAULT,
    threads: int = 1,
) -> Iterator[SentenceSurprisal]:
    """The words of each line, in order; blank lines keep their place.

    Raises ConfigError where frequencies are wanted of a model without counts.
    """
    if options.frequency and not model.vocabulary.counts.any():
        message = "the model holds no counts of words, so there are no frequencies"
        ways = f"train it again, or leave them out: {option('frequency', False)}"
        raise ConfigError(f"{message}: {ways}")
    carried = options.context == "document"
    with Workers(1 if carried else threads) as workers:
        yield from numbered(Reader(model, options), carried, workers, lines)


def numbered(
    reader: "Reader", carried: bool, workers: Workers, lines: Iterable[str]
) -> Iterator[SentenceSurprisal]:
    """Each line's words with its number and its sentence's."""
    read = reader.follow if carried else reader.alone
    sentence_id = 0
    for line, (text, words) in enumerate(workers.stream(read, lines), 1):
        sentence_id += bool(words)
        yield SentenceSurprisal(text, line, sentence_id, words)


class Reading(NamedTuple):
    """What the model thought before each of T words; natural logarithms."""

    logp: NDArray[np.float64]  # (T,)
    entropy: NDArray[np.float64]  # (T,)
    rank: NDArray[np.int64]  # (T,)
    guesses: NDArray[np.int64]  # (T, k) ids
    guess_logp: NDArray[np.float64]  # (T, k)


class Reader:
    """A model, what is wanted of it, and for a document the state so far."""

    def __init__(self, model: LanguageModel, options: SurprisalSettings) -> None:
        self._model, self._options = model, options
        self._state = model.zero_state()
        counts = model.vocabulary.counts
        with np.errstate(divide="ignore"):
            self._unigram = (
                -np.log(counts / max(1.0, counts.sum(dtype=np.float64))) / BASES[options.base]
            )

    def alone(self, text: str) -> tuple[str, tuple[WordSurprisal, ...]]:
        """The text's words, from zero state."""
        return text, self._read(text, self._model.zero_state())[0]

    def follow(self, text: str) -> tuple[str, tuple[WordSurprisal, ...]]:
        """The text's words, from the state that the text before left."""
        words, self._state = self._read(text, self._state)
        return text, words

    def _read(self, text: str, state: States) -> tuple[tuple[WordSurprisal, ...], States]:
        words = self._model.vocabulary.split(text)
        if not words:
            return (), state
        ids = np.array([*self._model.vocabulary.ids(words), EOS_ID], np.int32)
        reading, state = read(self._model, ids, state, self._options.top)
        return tuple(self._rows([*words, EOS], ids.tolist(), reading)), state

    def _rows(self, words: list[str], ids: list[int], reading: Reading) -> Iterator[WordSurprisal]:
        unit, vocabulary = BASES[self._options.base], self._model.vocabulary
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
            yield Guess(self._model.vocabulary.tokens[id_], math.exp(logp))


def read(model: LanguageModel, ids: Ids, state: States, k: int) -> tuple[Reading, States]:
    """(1) and (2) for each of ids (T,), and the state before the last."""
    parts = []
    rows = max(1, LOGITS // model.vocabulary.n_tokens)
    for top, wanted, after in read_in_chunks(model, ids, state):
        state = after
        for start in range(0, len(wanted), rows):
            some = slice(start, start + rows)
            parts.append(measured(verified(model.log_probabilities(top[some])), wanted[some], k))
    return Reading(*map(np.concatenate, zip(*parts, strict=True))), state


def measured(logp: NDArray[np.float32], ids: Ids, k: int) -> Reading:
    """From ln p of every token, logp (n, V), and the words that came, ids (n,)."""
    n, V = logp.shape
    wanted = logp[np.arange(n), ids]
    ahead = np.count_nonzero(logp > wanted[:, None], axis=1)
    best = np.argpartition(-logp, min(k, V - 1), axis=1)[:, :k] if k else np.zeros((n, 0), int)
    order = np.argsort(-np.take_along_axis(logp, best, 1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, 1)
    entropy = -(np.exp(logp) * logp).sum(axis=1, dtype=np.float64)
    guess_logp = np.take_along_axis(logp, best, 1).astype(np.float64)
    return Reading(wanted.astype(np.float64), entropy, ahead + 1, best, guess_logp)
