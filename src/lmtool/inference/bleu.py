"""BLEU: how much of a translation stands in a reference, n-gram by n-gram (Papineni et al. 2002).

Of a hypothesis with c words and references, r the length of the one whose length is closest, ties
to the shorter; sums run over all sentences before anything is divided:

matched_n = sum over n-grams g of min(count(g), max over references of count_ref(g))        (1)
p_n = matched_n / counted_n, counted_n = sum over g of count(g) = sum max(0, c - n + 1)     (2)
p_n = 1 / (2^k counted_n) where matched_n is 0, for the k-th time (exp; Chen & Cherry 2014) (3)
BP = min(1, exp(1 - r / c))                                                                 (4)
BLEU-n = BP exp(1/n sum_{i <= n} ln p_i)            BLEU is BLEU-4                          (5)

Without a single match, and where counted_i is 0 for an i <= n, BLEU-n is 0. Of one sentence the
order is effective: n in (5) goes no further than its words. All as sacrebleu (Post 2018) has it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool._version import __version__
from lmtool.display import Listing, Shown, Tabular
from lmtool.errors import InputError
from lmtool.inference.extras import Split, chrf, tokenizer
from lmtool.settings import BleuSettings

__all__ = ["ORDER", "Bleu", "Ngram", "corpus_bleu", "cumulative", "ngrams", "sentence_bleus"]
__all__ += ["signature", "statistics", "words_of"]

ORDER = 4
ORDERS = np.arange(1, ORDER + 1)
# what the statistics are
N, HYPOTHESIS, REFERENCE = range(3)
MATCHED, COUNTED = slice(3, 3 + ORDER), slice(3 + ORDER, 3 + 2 * ORDER)
DEFAULT = BleuSettings()

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class Bleu(Tabular):
    """BLEU of sentences; percentages but for the brevity penalty and the ratio."""

    _shown = ("bleu", "brevity_penalty", "length_ratio", "n_sentences", "signature")

    bleu: float  # BLEU-4
    bleu_1: float
    bleu_2: float
    bleu_3: float
    bleu_4: float
    precisions: tuple[float, ...]  # (3), of 1 to 4 words
    brevity_penalty: float  # 0 .. 1
    length_ratio: float  # words of the hypotheses / of the references; 0 where these have none
    n_hypothesis: int  # words
    n_reference: int  # of the closest references
    matched: tuple[int, ...]  # (1)
    counted: tuple[int, ...]
    n_sentences: int
    signature: str = ""
    chrf: float | None = None  # where it is asked for
    chrf_signature: str | None = None

    @classmethod
    def of(cls, total: Counts, signature: str = "", effective: bool = False) -> "Bleu":
        """BLEU of the sum of ``statistics``; ``effective`` order is for one sentence."""
        scores = (100 * cumulative(total, effective)).tolist()
        c, r = int(total[HYPOTHESIS]), int(total[REFERENCE])
        return cls(
            bleu=scores[3],
            bleu_1=scores[0],
            bleu_2=scores[1],
            bleu_3=scores[2],
            bleu_4=scores[3],
            precisions=tuple((100 * precisions(total)).tolist()),
            brevity_penalty=float(brevity_penalty(total)),
            length_ratio=c / r if r else 0.0,
            n_hypothesis=c,
            n_reference=r,
            matched=tuple(total[MATCHED].tolist()),
            counted=tuple(total[COUNTED].tolist()),
            n_sentences=int(total[N]),
            signature=signature,
        )

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, repr=False)
class Ngram(Shown):
    """An n-gram of a hypothesis, and how often it is where."""

    _shown = ("words", "count", "references", "clipped")

    words: tuple[str, ...]
    count: int
    references: tuple[int, ...]  # in each of them
    clipped: int  # its part of (1)


def statistics(hypothesis: Sequence[str], references: Sequence[Sequence[str]]) -> Counts:
    """The counts of one sentence, words given one by one; those of several are added: (11,)."""
    c = len(hypothesis)
    r = min((abs(len(one) - c), len(one)) for one in references)[1]
    matched = [0] * ORDER
    for n in range(1, ORDER + 1):
        matched[n - 1] = n_matched(hypothesis, references, n)
        if not matched[n - 1]:
            break  # no longer one can match
    return np.array([1, c, r, *matched, *(max(0, c - n) for n in range(ORDER))], np.int64)


def n_matched(hypothesis: Sequence[str], references: Sequence[Sequence[str]], n: int) -> int:
    """(1): n-grams that are common, once each, then what those add that come again."""
    own, others = list(runs(hypothesis, n)), [list(runs(one, n)) for one in references]
    distinct = set(own)
    common = distinct.intersection(chain.from_iterable(others))
    if len(own) == len(distinct) or not common:
        return len(common)
    counts = Counter(own)
    again = [g for g in common if counts[g] > 1]
    known = [Counter(one) for one in others] if again else []
    more = (min(counts[g], max(one[g] for one in known)) - 1 for g in again)
    return len(common) + sum(more)


def runs(words: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    """The n-grams of a sentence, in order."""
    return zip(*[words[i:] for i in range(n)], strict=False)


def ngrams(hypothesis: Sequence[str], references: Sequence[Sequence[str]], n: int) -> list[Ngram]:
    """What (1) is made of, in the order of the hypothesis."""
    known = [Counter(runs(one, n)) for one in references]
    return [
        Ngram(g, count, there := tuple(one[g] for one in known), min(count, max(there)))
        for g, count in Counter(runs(hypothesis, n)).items()
    ]


def precisions(total: Counts) -> Floats:
    """(2) and (3) of sums (..., 11): (..., 4), 0 where nothing is counted or nothing matches."""
    matched, counts = total[..., MATCHED], total[..., COUNTED]
    smoothed = 0.5 ** np.cumsum(matched == 0, axis=-1)
    p = np.where(matched > 0, matched, smoothed) / np.maximum(counts, 1)
    return np.where((counts > 0) & matched.any(axis=-1, keepdims=True), p, 0.0)


def brevity_penalty(total: Counts) -> Floats:
    """(4) of sums (..., 11): (...)."""
    c, r = total[..., HYPOTHESIS], total[..., REFERENCE]
    return np.where(c > 0, np.exp(np.minimum(0, 1 - r / np.maximum(c, 1))), 1.0 * (r == 0))


def cumulative(total: Counts, effective: bool = False) -> Floats:
    """(5) of sums (..., 11): BLEU-1 to BLEU-4, (..., 4), between 0 and 1."""
    with np.errstate(divide="ignore"):
        logp = np.log(precisions(total))
    orders = np.broadcast_to(ORDERS, logp.shape)
    if effective:
        there = total[..., COUNTED] > 0
        orders = np.maximum(1, np.cumsum(there, axis=-1))
        logp = np.where(there | (ORDERS == 1), logp, 0.0)
    means = np.cumsum(logp, axis=-1) / orders
    return np.asarray(brevity_penalty(total)[..., None] * np.exp(means))


def signature(
    n_references: object, settings: BleuSettings = DEFAULT, effective: bool = False
) -> str:
    """All that two values of BLEU must share to be comparable."""
    case, order = "lc" if settings.lower else "mixed", "|eff:yes" * effective
    return (
        f"nrefs:{n_references}|case:{case}{order}|tok:{settings.tokenize}|smooth:exp"
        f"|version:lmtool-{__version__}"
    )


def corpus_bleu(
    hypotheses: Iterable[str],
    references: Iterable[Sequence[str]],
    settings: BleuSettings = DEFAULT,
) -> Bleu:
    """BLEU of texts, each with its references. Raises InputError, ConfigError."""
    texts = Texts.of(hypotheses, references)
    return texts.bleu(texts.table(settings), settings)


def sentence_bleus(
    hypotheses: Iterable[str],
    references: Iterable[Sequence[str]],
    settings: BleuSettings = DEFAULT,
) -> Listing[Bleu]:
    """BLEU of each text by itself, of effective order. Raises InputError, ConfigError."""
    texts = Texts.of(hypotheses, references)
    said = [signature(len(some), settings, effective=True) for some in texts.references]
    rows = zip(texts.table(settings), said, strict=True)
    return Listing(Bleu.of(row, one, effective=True) for row, one in rows)


@dataclass(frozen=True, slots=True)
class Texts:
    """Hypotheses, each with its references."""

    hypotheses: list[str]
    references: list[Sequence[str]]

    @classmethod
    def of(cls, hypotheses: Iterable[str], references: Iterable[Sequence[str]]) -> "Texts":
        """Raises InputError where they do not belong together."""
        texts = cls(list(hypotheses), list(references))
        found, wanted = len(texts.hypotheses), len(texts.references)
        if not found:
            raise InputError("no hypotheses: give one a line, as many as there are references")
        if found != wanted:
            message = f"hypotheses: {found:,}, but references for {wanted:,}"
            raise InputError(f"{message}; each hypothesis needs its own")
        if not all(texts.references):
            place = [not some for some in texts.references].index(True)
            raise InputError(f"references[{place}]: no reference; each hypothesis needs one")
        return texts

    @property
    def n_references(self) -> object:
        """Of each hypothesis; ``var`` where they differ."""
        known = {len(some) for some in self.references}
        return known.pop() if len(known) == 1 else "var"

    def table(self, settings: BleuSettings) -> Counts:
        """The statistics of each: (n, 11)."""
        words = words_of(settings)
        both = zip(self.hypotheses, self.references, strict=True)
        return np.array([statistics(words(text), [*map(words, some)]) for text, some in both])

    def bleu(self, table: Counts, settings: BleuSettings) -> Bleu:
        """That of all, and chrF where it is wanted."""
        result = Bleu.of(table.sum(axis=0), signature(self.n_references, settings))
        if not settings.chrf:
            return result
        value, said = chrf(self.hypotheses, self.references, settings.lower)
        return replace(result, chrf=value, chrf_signature=said)


def words_of(settings: BleuSettings = DEFAULT) -> Split:
    """What makes words of a text. Raises ConfigError without its package."""
    split = tokenizer(settings.tokenize)
    return (lambda text: split(text.lower())) if settings.lower else split
