"""Counting: the n-gram model of a text with interpolated modified Kneser-Ney smoothing.

With c(g) how often g occurs in lines that begin with <s>, of n-grams of order k <= N:

    a(g)     = c(g) where k = N or g begins with <s>                                   (1)
             = the number of tokens that stand before g, elsewhere
    t_j      = the number of n-grams of order k with a = j;  Y = t_1 / (t_1 + 2 t_2)   (2)
    D_j      = j - (j + 1) Y t_{j+1} / t_j, for j = 1, 2, and 3 for all above
    S(h)     = sum_w a(hw)
    gamma(h) = (sum of D over what is kept after h + sum of a over what is not) / S(h) (3)
    p(w | h) = (a(hw) - D) / S(h) + gamma(h) p(w | h'),  at the end gamma / V          (4)

Chen and Goodman 1998, as KenLM's lmplz computes it (Heafield et al. 2013): where (2) gives no
discounts, those of FALLBACK are taken for this order; an n-gram is dropped where c is no more than
its order's threshold, and leaves all of a to (3). The V tokens are those of the vocabulary,
``<UNK>`` and ``<EOS>`` among them, <s> not; a ``<UNK>`` in the text is counted as a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids
from lmtool.models.ngram import NONE, Keys, NgramModel, Ngrams
from lmtool.text.vocabulary import EOS_ID, Vocabulary

__all__ = ["FALLBACK", "closed_form", "count"]

FALLBACK = (0.5, 1.0, 1.5)

Floats = NDArray[np.float64]
Discounts = tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """The n-grams of one order in a text."""

    keys: Keys  # (n,), ascending
    n: Keys | Ids  # (n,): c; of order 1 without <s>
    shorter: Ids  # (n,) the number of each without its first token; 0 of order 1
    contexts: Ids  # (n,) the number of each without its last one; 0 of order 1


def count(
    ids: Ids, vocabulary: Vocabulary, order: int, thresholds: Sequence[int] = ()
) -> NgramModel:
    """The model of order N of lines as a corpus has them, ``<EOS>`` after each, (n_tokens,).

    Thresholds are those of orders 1, 2 ..., none of them falling, the first 0; the last repeats.
    """
    text = counted(ids, vocabulary.n_tokens, order)
    limits = [*thresholds, *[thresholds[-1] if thresholds else 0] * order][:order]
    kept, logps, backoffs, discounts = [], [], [], []
    lower = np.full(1, 1 / vocabulary.n_tokens)
    for one, a, limit in zip(text, adjusted(text), limits, strict=True):
        D, keep = closed_form(a) or FALLBACK, one.n > limit if limit else np.ones(len(a), bool)
        gamma, lower = smoothed(one, a, D, keep, lower)
        kept.append(keep)
        logps.append(np.log(np.minimum(lower, 1)).astype(np.float32))
        backoffs.append(np.log(gamma).astype(np.float32))
        discounts.append(D)
    backoffs = [*backoffs[1:], np.zeros(0, np.float32)]
    orders = zip(renumbered(text, kept, vocabulary.n_tokens), logps, backoffs, kept, strict=True)
    return NgramModel(
        vocabulary,
        tuple(Ngrams(keys, p[some], b[some[: len(b)]]) for keys, p, b, some in orders),
        tuple(discounts),
    )


def counted(ids: Ids, V: int, order: int) -> list[Counted]:
    """The n-grams of orders 1 to N; numbers of the k - 1 before a place make those of k."""
    words, depth = np.asarray(ids, np.int32), depths(ids, order)
    before = moved(words, EOS_ID)  # <EOS> ends a line and begins the next
    numbers, none = words, np.zeros(V, np.int32)
    found = [Counted(np.arange(V), np.bincount(words, minlength=V), none, none)]
    for k in range(2, order + 1):
        places = np.flatnonzero(depth >= k - 1)
        keys, inverse, counts = distinct(before[places].astype(np.int64) * V + words[places])
        shorter = np.empty(len(keys), np.int32)
        shorter[inverse] = numbers[places]
        found.append(Counted(keys, counts, shorter, (keys // V).astype(np.int32)))
        numbers = np.full(len(words), NONE, np.int32)
        numbers[places] = inverse
        before = moved(numbers, NONE)
    return found


def depths(ids: Ids, order: int) -> NDArray[np.int8]:
    """How many words before each place count, the start of the line among them; N at most."""
    depth = np.ones(len(ids), np.int8)
    starts = moved(np.asarray(ids, np.int32), EOS_ID) == EOS_ID
    for _ in range(order - 1):
        longer = moved(depth, 0) + 1
        depth = np.where(starts, 1, np.minimum(longer, order)).astype(np.int8)
    return depth


def moved(values: NDArray[Any], first: int) -> NDArray[Any]:
    """What stands before each place: ``first``, and all but the last."""
    out = np.empty_like(values)
    out[:1], out[1:] = first, values[:-1]
    return out


def distinct(keys: Keys) -> tuple[Keys, Ids, Ids]:
    """The keys once, ascending; which of them each is; how often each occurs."""
    order = np.argsort(keys)
    keys = keys[order]
    new = np.empty(len(keys), np.bool_)
    new[:1], new[1:] = True, keys[1:] != keys[:-1]
    inverse = np.empty(len(keys), np.int32)
    inverse[order] = np.cumsum(new, dtype=np.int32) - 1
    del order
    first = np.flatnonzero(new)
    counts = np.diff(first, append=len(keys)).astype(np.int32)
    return keys[first], inverse, counts


def adjusted(text: Sequence[Counted]) -> list[Keys | Ids]:
    """(1) of each order."""
    found, starts = [], np.zeros(0, bool)
    for k, (one, longer) in enumerate(pairwise(text)):
        a = np.bincount(longer.shorter, minlength=len(one.keys))
        if k:
            starts = one.contexts == EOS_ID if k == 1 else starts[one.contexts]
            a = np.where(starts, one.n, a)
        found.append(a)
    return [*found, text[-1].n]


def closed_form(a: Keys | Ids) -> Discounts | None:
    """(2); None where it gives no discounts."""
    t1, t2, t3, t4 = np.bincount(np.minimum(a, 5), minlength=5)[1:5].tolist()
    if not (t1 and t2 and t3):
        return None
    Y = t1 / (t1 + 2 * t2)
    D = Y, 2 - 3 * Y * t3 / t2, 3 - 4 * Y * t4 / t3
    return D if all(0 < d <= j for j, d in enumerate(D, 1)) else None


def smoothed(
    one: Counted, a: Keys | Ids, discounts: Discounts, keep: NDArray[np.bool_], lower: Floats
) -> tuple[Floats, Floats]:
    """(3) of each context, 1 where nothing follows it; and (4) of each n-gram."""
    n = len(lower)
    D = np.array([0.0, *discounts])[np.minimum(a, 3)]
    S = np.bincount(one.contexts, a, n)
    freed = np.bincount(one.contexts, np.where(keep, D, a), n)
    gamma = np.divide(freed, S, out=np.ones(n), where=S > 0)
    return gamma, (a - D) / S[one.contexts] + gamma[one.contexts] * lower[one.shorter]


def renumbered(text: Sequence[Counted], kept: Sequence[NDArray[np.bool_]], V: int) -> list[Keys]:
    """The keys of what is kept, whose contexts are kept, too."""
    found, numbers = [text[0].keys], np.arange(V)
    for one, keep in zip(text[1:], kept[1:], strict=True):
        found.append(numbers[one.contexts[keep]].astype(np.int64) * V + one.keys[keep] % V)
        numbers = np.cumsum(keep) - 1
    return found
