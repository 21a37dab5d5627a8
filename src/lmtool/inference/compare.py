"""Which of two models is better on a text, and by more than chance?

Perplexities over different vocabularies are different quantities: each word that a model does not
know makes its task easier. With ``spell`` such a word costs its spelling as well,

    P(word) = P(<UNK>) P(spelling)                                                   (1)

so that both models give a probability to the same strings. The spelling is by default uniform over
bytes: 8 bits for each byte of the word and 8 for its end. The end is a byte that no word holds, so
the probabilities of all words add up to sum_n 255^n / 256^(n + 1) = 1. Or it is that of a model of
characters.

The interval is that of a paired bootstrap over the lines.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import tee
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.display import Shown, Tabular
from lmtool.errors import ConfigError, InputError, option
from lmtool.inference.bootstrap import draws, interval, sums
from lmtool.inference.evaluate import signature
from lmtool.inference.reading import Sentence, follow, of_words, read_block, side_by_side
from lmtool.inference.score import LN2, LN10, measured_logp, verified
from lmtool.models.predictor import Predictor
from lmtool.settings import CompareSettings
from lmtool.text.vocabulary import NEVER_WORDS, UNK_ID, Vocabulary
from lmtool.workers import Workers

__all__ = ["Comparison", "Side", "compare", "uniform_bits"]

BYTE = 8.0  # bits
CACHED = 100_000  # spellings
DEFAULT = CompareSettings()

Floats = NDArray[np.float64]
Speller = Callable[[str], float]


@dataclass(frozen=True, slots=True, repr=False)
class Side(Shown):
    """One model on the text."""

    _shown = ("name", "perplexity", "bits_per_word", "bits_per_character", "n_oov")

    name: str
    perplexity: float  # per word, <EOS> included
    bits_per_word: float
    bits_per_character: float
    log10_p: float
    n_oov: int
    spelling_bits: float  # of the unknown words, part of the above
    signature: str


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Tabular):
    """B against A; differences are B - A, so less than 0 where B is better."""

    _shown = ("difference_bits", "low", "high", "b_better", "n_lines", "n_words")

    a: Side
    b: Side
    difference_bits: float  # per word
    low: float | None  # 95 % interval; None where there is one line
    high: float | None
    perplexity_ratio: float  # B / A
    b_better: float | None  # share of the resamples
    n_lines: int
    n_words: int  # without <EOS>: characters where both predict these, else at white space
    n_characters: int  # one for the end of each line included
    context: str
    oov: str
    resamples: int
    seed: int

    def _rows(self) -> tuple[Side, ...]:
        return self.a, self.b

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Lines:
    """A text, line by line: arrays (n,)."""

    bits: tuple[Floats, Floats]  # -log2 P, of A and of B
    words: Floats  # <EOS> included
    characters: int
    n_oov: tuple[int, int]
    spelling: tuple[float, float]


def compare(
    a: Predictor,
    b: Predictor,
    lines: Iterable[str],
    settings: CompareSettings = DEFAULT,
    *,
    names: tuple[str, str] = ("A", "B"),
    speller: Predictor | None = None,
) -> Comparison:
    """Both models on the same lines, and a 95 % interval for the difference.

    Raises ConfigError where the two cannot be compared, InputError where there is no word.
    """
    context, oov = settings.context, settings.oov
    check(a, b, oov, speller)
    cost = spelling_cost(speller) if oov == "spell" else None
    read = read_lines(a, b, lines, context == "document", cost)
    several, rng = len(read.words) > 1, np.random.default_rng(settings.seed)
    drawn = bootstrap(read, settings.resamples, rng) if several else None
    n = float(read.words.sum())
    difference = float((read.bits[1] - read.bits[0]).sum()) / n
    low, high, share = (None, None, None) if drawn is None else judged(drawn)
    rule = {"spell": f"spell-{'chars' if speller else 'bytes'}"}.get(oov, "incl")
    sides = [side(model, names[i], i, read, context, rule) for i, model in enumerate((a, b))]
    return Comparison(
        a=sides[0],
        b=sides[1],
        difference_bits=difference,
        low=low,
        high=high,
        perplexity_ratio=2.0**difference,
        b_better=share,
        n_lines=len(read.words),
        n_words=int(n) - len(read.words),
        n_characters=read.characters,
        **asdict(settings),
    )


def check(a: Predictor, b: Predictor, oov: str, speller: Predictor | None) -> None:
    """Raises ConfigError where a comparison would mean nothing."""
    if speller is not None and speller.vocabulary.settings.tokens != "char":
        message = f"not a model of characters; train one with {option('tokens', 'char')}"
        raise ConfigError(f"{option('speller')}: {message}")
    if speller is not None and speller.vocabulary.settings.lower > a.vocabulary.settings.lower:
        message = "lower-cases words and the models do not; train it without"
        raise ConfigError(f"{option('speller')}: {message}")
    if a.vocabulary.settings.lower != b.vocabulary.settings.lower:
        message = "one of the models lower-cases its text, so they predict different texts"
        raise ConfigError(f"{message}: no comparison means anything; train both alike")
    if oov == "refuse" and a.vocabulary.digest != b.vocabulary.digest:
        message = "the models have different vocabularies, so their perplexities do not compare"
        way = f"{option('oov', 'spell')} prices unknown words by their spelling"
        raise ConfigError(f"{message}: {way}")


def uniform_bits(word: str) -> float:
    """-log2 of the spelling's probability, uniform over bytes."""
    return BYTE * (len(word.encode(errors="surrogatepass")) + 1)


def spelling_cost(speller: Predictor | None) -> Speller:
    """-log2 P(spelling) by a model of characters, or uniform."""
    if speller is None:
        return uniform_bits

    @lru_cache(CACHED)
    def bits(word: str) -> float:
        ids = speller.vocabulary.sentence(word)
        (logps,) = read_block(speller, [ids], measured_logp(speller))[0]
        strange = (uniform_bits(word[i]) for i in np.flatnonzero(ids == UNK_ID))
        return -math.fsum(verified(logps)) / LN2 + math.fsum(strange)

    return bits


def read_lines(
    a: Predictor,
    b: Predictor,
    lines: Iterable[str],
    carried: bool,
    cost: Speller | None,
) -> Lines:
    """Both models along the text."""
    same = a.vocabulary.settings.tokens == b.vocabulary.settings.tokens
    texts, *copies = tee(spoken(a.vocabulary, lines, same), 3)
    readers = [Reader(model, carried, cost) for model in (a, b)]
    with Workers(1) as workers:
        bits = [reader.bits(copy, workers) for reader, copy in zip(readers, copies, strict=True)]
        rows = [
            (*both, text.n_words, text.characters) for text, *both in zip(texts, *bits, strict=True)
        ]
    if not rows:
        raise InputError("nothing to compare: there is no word in the text")
    columns = np.array(rows, np.float64).T
    return Lines(
        bits=(columns[0], columns[1]),
        words=columns[2],
        characters=int(columns[3].sum()),
        n_oov=(readers[0].n_oov, readers[1].n_oov),
        spelling=(readers[0].spelling, readers[1].spelling),
    )


class Text(NamedTuple):
    """A line that is not blank, as both models can tell it from others."""

    text: str
    n_words: int  # <EOS> included
    characters: int  # its end included


def spoken(vocabulary: Vocabulary, lines: Iterable[str], same: bool) -> Iterator[Text]:
    """The lines; where the models are not of the ``same`` tokens, words stand between blanks."""
    for line in lines:
        text = line if same else " ".join(line.split())
        words = vocabulary.words(text) if same else text.split()
        if words:
            joined = vocabulary.tokenizer.separator.join(words) if same else text
            yield Text(text, len(words) + 1, len(joined) + 1)


class Reader:
    """One model along a text."""

    def __init__(self, model: Predictor, carried: bool, cost: Speller | None) -> None:
        self._model, self._carried, self._cost = model, carried, cost
        self.n_oov, self.spelling = 0, 0.0

    def bits(self, texts: Iterable[Text], workers: Workers) -> Iterator[float]:
        """-log2 P(line) of each, spelling included."""
        sentences, measure = map(self._sentence, texts), measured_logp(self._model)
        if self._carried:
            read = follow(self._model, sentences, measure)
        else:
            read = side_by_side(self._model, sentences, measure, workers)
        for one, values in read:
            yield -math.fsum(verified(values[0])) / LN2 + self._spelled(one)

    def _sentence(self, text: Text) -> Sentence:
        vocabulary = self._model.vocabulary
        return of_words(vocabulary, text.text, vocabulary.words(text.text))

    def _spelled(self, one: Sentence) -> float:
        tokens = one.tokens
        unknown = [tokens[i] for i in np.flatnonzero(one.ids == UNK_ID)]
        normalise = self._model.vocabulary.normalise
        spelled = (normalise(word) for word in unknown if word not in NEVER_WORDS)
        spelling = math.fsum(map(self._cost, spelled)) if self._cost else 0.0
        self.n_oov += int(one.oov().sum())
        self.spelling += spelling
        return spelling


def bootstrap(read: Lines, resamples: int, rng: np.random.Generator) -> Floats:
    """The difference in bits per word, B - A, of each resample: (resamples,)."""
    differences, words = sums(read.bits[1] - read.bits[0]), sums(read.words)
    some = draws(len(words), resamples, rng)
    return np.concatenate([differences[i].sum(axis=1) / words[i].sum(axis=1) for i in some])


def judged(drawn: Floats) -> tuple[float, float, float]:
    """The 95 % interval, and the share in which B is better; ties count half."""
    return *interval(drawn), float((drawn < 0).mean() + (drawn == 0).mean() / 2)


def side(model: Predictor, name: str, i: int, read: Lines, context: str, rule: str) -> Side:
    """One model's numbers; the signature says what became of unknown words."""
    bits = math.fsum(read.bits[i])
    per_word = bits / float(read.words.sum())
    return Side(
        name=name,
        perplexity=2.0 ** min(1000.0, per_word),
        bits_per_word=per_word,
        bits_per_character=bits / read.characters,
        log10_p=-bits * LN2 / LN10,
        n_oov=read.n_oov[i],
        spelling_bits=read.spelling[i],
        signature=signature(model, context).replace("|oov:incl|", f"|oov:{rule}|"),
    )
