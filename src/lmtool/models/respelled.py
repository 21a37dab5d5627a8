"""An n-gram model of one vocabulary over the tokens of another.

Words that only the model has: n-grams with them are left out, and what their 1-grams had goes to
``<UNK>``. Words that it lacks share that with ``<UNK>``, evenly. Then each listed context gives
what is left to shorter ones, as for pruned models (Stolcke 1998):

    b(h) = (1 - sum of p(w | h)) / (1 - sum of p(w | h')),  over the w listed after h  (1)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.display import counted
from lmtool.models.ngram import Keys, NgramModel, Ngrams, numbers_of
from lmtool.text.vocabulary import EOS_ID, UNK_ID, Vocabulary

__all__ = ["Match", "over"]

SHOWN = 3  # words
LEAST = 1e-9  # that a context leaves
NOWHERE = -1


class Match(NamedTuple):
    """How the words of two vocabularies fit."""

    absent: list[str]  # words of the text that the model does not know
    left_out: list[str]  # words of the model that the text's vocabulary lacks
    n_dropped: int  # n-grams

    def __str__(self) -> str:
        """``all words match``, ``2 words of the text are not in it (a, b)``."""
        said = []
        if self.absent:
            said.append(f"{some(self.absent)} of the text not in it: rated as <UNK>")
        if self.left_out:
            gone = counted(self.n_dropped, "n-gram")
            said.append(
                f"{some(self.left_out)} of it not in the text's vocabulary: {gone} left out"
            )
        return "; ".join(said) or "all words match"


def some(words: list[str]) -> str:
    """``3 words (a, b, ...)``."""
    shown = ", ".join(words[:SHOWN]) + ", ..." * (len(words) > SHOWN)
    return f"{counted(len(words), 'word')} ({shown})"


def over(model: NgramModel, vocabulary: Vocabulary) -> tuple[NgramModel, Match]:
    """The model over these tokens, and how its words fit; sums stay 1 where they were."""
    old, V = model.vocabulary, vocabulary.n_tokens
    known = {token: id_ for id_, token in enumerate(vocabulary.tokens)}
    new = np.array([known.get(vocabulary.normalise(token), NOWHERE) for token in old.tokens])
    new[[EOS_ID, UNK_ID]] = EOS_ID, UNK_ID
    new[later_twins(new)] = NOWHERE
    absent = np.setdiff1d(np.arange(V), new).astype(np.int32)
    gone = np.flatnonzero(new == NOWHERE)
    whole = not len(absent) and not len(gone)
    orders, n_dropped = [unigrams(model, new, absent, V)], 0
    for k in range(2, model.order + 1):
        ids = new[model.words(k)]
        keep = np.flatnonzero((ids != NOWHERE).all(axis=1)).astype(np.int32)
        n_dropped += len(ids) - len(keep)
        orders.append(linked(model.orders[k - 1], ids, keep, orders, V))
    match = Match([vocabulary.tokens[i] for i in absent], [old.tokens[i] for i in gone], n_dropped)
    found = NgramModel(vocabulary, tuple(orders), model.discounts if whole else ())
    return found if whole else normalised(found), match


def later_twins(new: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where an id stands that stood before: words that differ in case alone."""
    _, first = np.unique(new, return_index=True)
    twins = np.setdiff1d(np.arange(len(new)), first)
    meant: NDArray[np.intp] = twins[new[twins] != NOWHERE]
    return meant


def unigrams(model: NgramModel, new: NDArray[np.int64], absent: Ids, V: int) -> Ngrams:
    """Of all V tokens."""
    one, there = model.orders[0], np.flatnonzero(new != NOWHERE)
    p, backoff = np.zeros(V), np.zeros(V if len(one.backoff) else 0, np.float32)
    p[new[there]] = np.exp(one.logp[there], dtype=np.float64)
    p[UNK_ID] += np.exp(one.logp[new == NOWHERE], dtype=np.float64).sum()
    p[absent] = p[UNK_ID] = p[UNK_ID] / (len(absent) + 1)
    if len(backoff):
        backoff[new[there]] = one.backoff[there]
    logp = np.log(np.clip(p, 1e-38, 1)).astype(np.float32)
    return Ngrams(np.arange(V), logp, backoff)


def linked(one: Ngrams, ids: Ids, keep: Ids, shorter: list[Ngrams], V: int) -> Ngrams:
    """What is kept of an order, its words respelled (n, k), sorted by the new keys."""
    words = ids[keep]
    numbers = words[:, 0].astype(np.int32)
    for column, between in zip(words.T[1:-1], shorter[1:], strict=True):
        numbers = numbers_of(between.keys, numbers, column.astype(np.int32), V)
    keys: Keys = numbers.astype(np.int64) * V + words[:, -1]
    order = np.argsort(keys, kind="stable")
    backoff = one.backoff[keep][order] if len(one.backoff) else one.backoff
    return Ngrams(keys[order], one.logp[keep][order], backoff)


def normalised(model: NgramModel) -> NgramModel:
    """The same with (1), shorter contexts first."""
    orders = list(model.orders)
    for k in range(1, model.order):
        shorter = NgramModel(model.vocabulary, tuple([*orders[: k - 1], last(orders[k - 1])]))
        orders[k - 1] = with_backoff(orders[k - 1], orders[k], model.words(k + 1), shorter)
    return NgramModel(model.vocabulary, tuple(orders), ())


def last(one: Ngrams) -> Ngrams:
    """An order that no longer one follows."""
    return Ngrams(one.keys, one.logp, np.zeros(0, np.float32))


def with_backoff(one: Ngrams, longer: Ngrams, words: Ids, shorter: NgramModel) -> Ngrams:
    """(1) for the contexts of one order, from what is listed after them."""
    contexts, n = longer.keys // shorter.vocabulary.n_tokens, len(one)
    own = np.bincount(contexts, np.exp(longer.logp, dtype=np.float64), n)
    lower = np.exp(logp_without_first(words, shorter), dtype=np.float64)
    left = np.clip(1 - own, LEAST, 1) / np.clip(1 - np.bincount(contexts, lower, n), LEAST, None)
    backoff: Array = np.log(left).astype(np.float32)
    return Ngrams(one.keys, one.logp, backoff)


def logp_without_first(words: Ids, shorter: NgramModel) -> Array:
    """ln p of the last word of each n-gram (n, k) after all but the first of the others."""
    state = shorter.zero_state(len(words))
    for column in words.T[1:-1]:
        _, state = shorter.step(column, state)
    return shorter.log_probability(state, words[:, -1])
