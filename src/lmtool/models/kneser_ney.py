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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.models.ngram import Keys, NgramModel, Ngrams
from lmtool.models.tally import ROWS, Endings, tallied
from lmtool.text.vocabulary import EOS_ID, Vocabulary

__all__ = ["FALLBACK", "closed_form", "count", "counted", "limits"]

FALLBACK = (0.5, 1.0, 1.5)
SLICE = 1 << 20  # probabilities of which logarithms are taken at once

Floats = NDArray[np.float64]
Discounts = tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """The n-grams of one order in a text, ascending; perhaps without those that occur once."""

    keys: Keys  # (n,)
    n: Ids  # (n,): c; of order 1 without <s>
    a: Ids  # (n,): (1)
    shorter: Ids  # (n,) the number of each without its first token; 0 of order 1
    once: Ids  # of each context, how many n-grams are left out
    n_once: int  # n-grams that are left out


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The n-grams of one order as a tree of endings has them, (n,)."""

    firsts: Ids  # the first token
    lasts: Ids  # the last one
    stops: Ids  # where those one longer end that end so
    contexts: Ids  # without the last token, as this tree has it
    numbers: Ids  # as ascending ones
    n: Ids  # how often, ascending


def count(
    ids: Ids,
    vocabulary: Vocabulary,
    order: int,
    thresholds: Sequence[int] = (),
    rows: int = ROWS,
) -> NgramModel:
    """The model of order N of lines as a corpus has them, ``<EOS>`` after each, (n_tokens,).

    Thresholds are those of orders 1, 2 ..., none of them falling, the first 0; the last repeats.
    Memory follows what is kept, not the text, of which ``rows`` at most are sorted at once.
    Raises OSError where temporary files have no room.
    """
    V, dropped = vocabulary.n_tokens, limits(thresholds, order)
    orders: list[Ngrams] = []
    discounts, lower, kept = [], np.full(1, 1 / V), np.ones(1, np.bool_)
    for one in counted(ids, V, order, dropped, rows):
        limit = dropped[len(orders)]
        D = closed_form(one.a, one.n_once) or FALLBACK
        keep = one.n > limit if limit else np.ones(len(one.n), np.bool_)
        gamma, lower = smoothed(one, V, D, keep, lower)
        if orders:
            orders[-1] = replace(orders[-1], backoff=logs(gamma)[kept])
        keys = renumbered(one, keep, kept, V)
        orders.append(Ngrams(keys, logs(lower)[keep], np.zeros(0, np.float32)))
        discounts.append(D)
        kept = keep
        del one  # before the next order needs memory
    return NgramModel(vocabulary, tuple(orders), tuple(discounts))


def limits(thresholds: Sequence[int], order: int) -> list[int]:
    """The threshold of each order, the last one repeated."""
    return [*thresholds, *[thresholds[-1] if thresholds else 0] * order][:order]


def counted(
    ids: Ids, V: int, order: int, dropped: Sequence[int] = (), rows: int = ROWS
) -> Iterator[Counted]:
    """The n-grams of orders 1 to N; those that occur once only where nothing is dropped."""
    least = [min(limit, 1) for limit in dropped] or [0] * order
    with tallied(ids, V, order, least, rows) as (found, n_once):
        level, one = words(found[0], V)
        levels, stops = [level], np.full(1, V, np.int32)  # of no token at all
        del level
        yield one
        del one  # here, too, memory is for the next order
        for endings, some, few in zip(found[1:], n_once[1:].tolist(), least[1:], strict=True):
            after = levels[0].stops
            one = longer(levels, stops, endings, V, some if few else None)
            stops = after
            yield one
            del one


def words(endings: Endings, V: int) -> tuple[Level, Counted]:
    """Order 1: all V tokens."""
    some, every, none = endings.firsts.take(), np.arange(V, dtype=np.int32), np.zeros(V, np.int32)
    n, a, after = none.copy(), none.copy(), none.copy()
    n[some], a[some] = endings.n.take(), endings.left.take()
    after[some] = np.diff(endings.stops.take(), prepend=np.int32(0))
    stops = np.cumsum(after, dtype=np.int32)
    level = Level(every, every, stops, none, every, n)
    return level, Counted(np.arange(V), n, a, none, np.zeros(1, np.int32), 0)


def longer(
    levels: list[Level], stops: Ids, endings: Endings, V: int, n_once: int | None
) -> Counted:
    """The order after one, whose level is replaced in the list, and whose contexts have ``stops``.

    Without a number of those that are left out, none is.
    """
    from lmtool.models import kernels  # only what counts loads numba

    before, firsts, n = levels.pop(), endings.firsts.take(), endings.n.take()
    shorter, without_last, numbers = (np.empty(len(firsts), np.int32) for _ in range(3))
    kernels.trace(
        firsts, before.stops, before.contexts, stops, before.firsts, shorter, without_last
    )
    lasts, contexts = before.lasts[shorter], before.numbers[without_last]
    shorter = before.numbers[shorter]
    once = np.zeros(len(before.n), np.int32) if n_once is None else left_out(before, contexts, n)
    del before  # its memory is needed
    keys, starts = np.empty(len(firsts), np.int64), np.zeros(len(once) + 1, np.int32)
    kernels.rank(contexts, lasts, V, starts, keys, numbers)
    del starts, contexts
    n, a, shorter = (placed(x, numbers) for x in (n, endings.left.take(), shorter))
    levels.append(Level(firsts, lasts, endings.stops.take(), without_last, numbers, n))
    return Counted(keys, n, a, shorter, once, n_once or 0)


def placed(values: Ids, numbers: Ids) -> Ids:
    """The values of a tree's n-grams, ascending ones."""
    out = np.empty_like(values)
    out[numbers] = values
    return out


def left_out(before: Level, contexts: Ids, n: Ids) -> Ids:
    """How many n-grams after each context are not among those that occur n times: each once."""
    from lmtool.models import kernels

    once = before.n.copy()
    kernels.spend(contexts, n, once)
    if before.firsts is not before.lasts:  # <EOS> alone is the start of a line
        once[before.numbers[before.lasts == EOS_ID]] = 0
    return once


def closed_form(a: Keys | Ids, n_once: int = 0) -> Discounts | None:
    """(2), so many n-grams with a = 1 being left out; None where it gives no discounts."""
    t1, t2, t3, t4 = np.bincount(np.minimum(a, 5), minlength=5)[1:5].tolist()
    t1 += n_once
    if not (t1 and t2 and t3):
        return None
    Y = t1 / (t1 + 2 * t2)
    D = Y, 2 - 3 * Y * t3 / t2, 3 - 4 * Y * t4 / t3
    return D if all(0 < d <= j for j, d in enumerate(D, 1)) else None


def smoothed(
    one: Counted, V: int, discounts: Discounts, keep: NDArray[np.bool_], lower: Floats
) -> tuple[Floats, Floats]:
    """(3) of each context, 1 where nothing follows it; and (4) of each n-gram."""
    from lmtool.models import kernels

    D, gamma, p = np.array([0.0, *discounts]), np.empty(len(lower)), np.empty(len(keep))
    kernels.smooth(one.keys, V, one.a, keep, one.once, D, one.shorter, lower, gamma, p)
    return gamma, p


def logs(p: Floats) -> Array:
    """Natural logarithms, as short numbers."""
    out = np.empty(len(p), np.float32)
    for start in range(0, len(p), SLICE):
        some = slice(start, start + SLICE)
        out[some] = np.log(np.minimum(p[some], 1))
    return out


def renumbered(one: Counted, keep: NDArray[np.bool_], kept: NDArray[np.bool_], V: int) -> Keys:
    """The keys of what is kept, of whose contexts some are kept, too."""
    if keep.all() and kept.all():
        return one.keys
    numbers = np.cumsum(kept, dtype=np.int32) - np.int32(1)
    contexts, lasts = np.divmod(one.keys[keep], V)
    return numbers[contexts] * np.int64(V) + lasts
