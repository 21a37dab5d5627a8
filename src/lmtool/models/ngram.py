"""An n-gram model in back-off form: the next token depends on the N - 1 before it.

    p(w | h) = p*(w | h)              where the n-gram hw is listed                    (1)
             = b(h) p(w | h')         elsewhere; h' is h without its first token       (2)

An unlisted h has b = 1. ``<EOS>`` before the first token of a line is the start of the line, and
nothing is remembered beyond it. The n-grams of order k are ascending keys

    key = number(its first k - 1 tokens) V + its last token                            (3)

and its number is the place of its key; of order 1 the number is the token. So what follows a
context is one run of keys, and the contexts that end at a word follow from those that end at the
word before: their numbers are the state, NONE where one is not listed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.display import Shown, counted
from lmtool.errors import ConfigError
from lmtool.tensor_file import Tensors, checksum
from lmtool.text.vocabulary import EOS_ID, Vocabulary

__all__ = ["MOST_ORDER", "NONE", "Keys", "NgramModel", "Ngrams", "far_from_one", "numbers_of"]

Keys = NDArray[np.int64]
NONE = -1
MOST_ORDER = 20
STREAMS = 1024  # any number would do: every row's bits are its own
MANY = 255  # what the largest byte stands for, or more
PACKED = ("words", "after", "many")  # what a file keeps of keys
SORTED = 256  # keys to look for that are better sorted first
CHECKED = 1 << 20  # probabilities of each order that are added up, of 64 contexts at most
TOLERANCE = 1e-3  # of such a sum


@dataclass(frozen=True, slots=True, eq=False)
class Ngrams:
    """What is listed of one order; natural logarithms."""

    keys: Keys  # (n,), ascending; of order 1 0 .. V - 1
    logp: Array  # (n,), at most 0
    backoff: Array  # (n,) ln b of each as a context; (0,) of the last order

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NgramModel(Shown):
    """(1) and (2); everything that computes is numpy and keeps no state.

    Tops and states are the numbers of the contexts that end here, (B, N - 1), shortest first.
    Raises ConfigError where the arrays cannot be such a model.
    """

    vocabulary: Vocabulary
    orders: tuple[Ngrams, ...]  # N
    discounts: tuple[tuple[float, ...], ...] = ()  # of each order, of counts 1, 2, 3 and more

    def __post_init__(self) -> None:
        if not 1 <= self.order <= MOST_ORDER:
            raise ConfigError(f"n-grams: an order from 1 to {MOST_ORDER} expected")
        n = self.vocabulary.n_tokens
        for k, one in enumerate(self.orders, 1):
            if not whole(one, k, n, self.vocabulary.n_tokens, last=k == self.order):
                raise ConfigError(f"n-grams: those of order {k} are damaged")
            n = len(one)

    def __len__(self) -> int:
        return sum(map(len, self.orders))

    @property
    def order(self) -> int:
        """N"""
        return len(self.orders)

    @property
    def name(self) -> str:
        """``5-gram``"""
        return f"{self.order}-gram"

    @property
    def digest(self) -> str:
        """12 hex digits which change with whatever changes a probability."""
        return checksum(self.tensors(), {"vocabulary": self.vocabulary.digest})[:12]

    @property
    def block(self) -> int:
        """Streams side by side, the bits of each being its own."""
        return STREAMS

    @property
    def forgets(self) -> bool:
        """Nothing before the start of a line counts in it."""
        return True

    def known(self, top: Ids) -> Ids:
        """Words of the longest listed context of each row, (N, order - 1) -> (N,)."""
        return np.asarray(np.count_nonzero(top >= 0, axis=1))

    def freed(self, top: Ids) -> Array:
        """ln b of that context: (N, order - 1) -> (N,); 0 where it is none."""
        found = np.zeros(len(top), np.float32)
        for contexts, one in zip(top.T, self.orders, strict=False):
            found = np.where(contexts >= 0, picked(one.backoff, contexts), found)
        return found

    def _parts(self) -> Iterator[str]:
        yield self.name
        yield counted(self.vocabulary.n_tokens, "output")
        yield counted(len(self), "n-gram")

    def zero_state(self, B: int = 1) -> Ids:
        """Nothing was read."""
        return np.full((B, self.order - 1), NONE, np.int32)

    def step(self, ids: Ids, state: Ids) -> tuple[Ids, Ids]:
        """One word a stream, ids (B,) -> the contexts after it, twice."""
        after = self._after(ids, lambda k, shorter: state[:, k])
        return after, after

    def read(self, ids: Ids, state: Ids) -> tuple[Ids, Ids]:
        """T words of one stream, ids (T,) -> the contexts after each, and after the last."""
        after = self._after(
            ids, lambda k, shorter: np.concatenate([state[:, k], shorter])[: len(ids)]
        )
        return after, np.concatenate([state, after])[-1:]

    def log_probability(self, top: Ids, ids: Ids) -> Array:
        """ln p of one token a row: contexts (N, order - 1), ids (N,) -> (N,)."""
        logp, V = self.orders[0].logp[ids], self.vocabulary.n_tokens
        for contexts, shorter, longer in zip(top.T, self.orders, self.orders[1:], strict=False):
            numbers = numbers_of(longer.keys, contexts, ids, V)
            logp = backed_off(logp, shorter, longer, contexts, numbers)
        return logp

    def stream(self, ids: Ids) -> Array:
        """ln p of each token of whole lines, ids (T,) -> (T,): each n-gram is looked for once."""
        before, V = np.concatenate([[EOS_ID], ids[:-1]]).astype(np.int32), self.vocabulary.n_tokens
        logp, contexts = self.orders[0].logp[ids], before
        for shorter, longer in pairwise(self.orders):
            numbers = numbers_of(longer.keys, contexts, ids, V)
            logp = backed_off(logp, shorter, longer, contexts, numbers)
            contexts = np.concatenate([[NONE], numbers[:-1]]).astype(np.int32)
            contexts[before == EOS_ID] = NONE
        return logp

    def log_probabilities(self, top: Ids) -> Array:
        """ln p of every token: contexts (N, order - 1) -> (N, V)."""
        out = np.tile(self.orders[0].logp, (len(top), 1))
        for row, contexts in zip(out, top.tolist(), strict=True):
            for k, context in enumerate(contexts, 1):
                if context >= 0:
                    row += self.orders[k - 1].backoff[context]
                    words, some = self.following(k, context)
                    row[words] = self.orders[k].logp[some]
        return out

    def following(self, k: int, context: int) -> tuple[Keys, slice]:
        """The tokens listed after a context of k tokens, and the numbers of these n-grams."""
        keys, V = self.orders[k].keys, self.vocabulary.n_tokens
        first, stop = keys.searchsorted((context * V, (context + 1) * V)).tolist()
        return keys[first:stop] - context * V, slice(first, stop)

    def words(self, k: int) -> Ids:
        """The tokens of all n-grams of order k, (n, k)."""
        V, columns, numbers = self.vocabulary.n_tokens, [], self.orders[k - 1].keys
        for order in reversed(self.orders[: k - 1]):
            before, words = np.divmod(numbers, V)
            columns.append(words)
            numbers = order.keys[before]
        return np.stack([numbers, *reversed(columns)], axis=1).astype(np.int32)

    def tensors(self) -> Tensors:
        """What a file holds: ``ngram.1.logp``, ``ngram.2.words`` and so on."""
        found: Tensors = {}
        for k, one in enumerate(self.orders, 1):
            kept = {"logp": one.logp} | ({"backoff": one.backoff} if k < self.order else {})
            if k > 1:
                contexts, words = np.divmod(one.keys, self.vocabulary.n_tokens)
                after = np.bincount(contexts, minlength=len(self.orders[k - 2]))
                few, many = in_bytes(after)
                kept |= {"words": words.astype(np.int32), "after": few, "many": many}
            found |= {f"ngram.{k}.{field}": array for field, array in kept.items()}
        return found

    @classmethod
    def from_tensors(
        cls,
        tensors: Tensors,
        vocabulary: Vocabulary,
        order: int,
        discounts: tuple[tuple[float, ...], ...] = (),
    ) -> "NgramModel":
        """The same again, its tensors taken out. Raises KeyError, ConfigError."""
        orders: list[Ngrams] = []
        for k in range(1, order + 1):
            keys = np.arange(vocabulary.n_tokens)
            if k > 1:
                words, after, many = (tensors.pop(f"ngram.{k}.{field}") for field in PACKED)
                keys = keys_of(words, after, many, len(orders[-1]), vocabulary.n_tokens)
            logp = aligned(tensors.pop(f"ngram.{k}.logp"))
            backoff = tensors.pop(f"ngram.{k}.backoff") if k < order else np.zeros(0, np.float32)
            orders.append(Ngrams(keys, logp, aligned(backoff)))
        model = cls(vocabulary, tuple(orders), discounts)
        if far_from_one(model):
            raise ConfigError("n-grams: probabilities do not sum to 1")
        return model

    def _after(self, ids: Ids, before: Callable[[int, Ids], Ids]) -> Ids:
        """The contexts after ids (n,), from those of k + 1 tokens before them."""
        after = np.empty((len(ids), self.order - 1), np.int32)
        for k in range(self.order - 1):
            if k == 0:
                after[:, k] = ids
                continue
            longer = numbers_of(
                self.orders[k].keys,
                before(k - 1, after[:, k - 1]),
                ids,
                self.vocabulary.n_tokens,
            )
            after[:, k] = np.where(ids == EOS_ID, NONE, longer)
        return after


def numbers_of(keys: Keys, contexts: Ids, words: Ids, V: int) -> Ids:
    """The numbers of contexts, each with a word after it; NONE where it is not listed."""
    found, some = np.full(len(words), NONE, np.int32), np.flatnonzero(contexts >= 0)
    if not len(keys) or not len(some):
        return found
    wanted = contexts[some].astype(np.int64) * V + words[some]
    if len(some) > SORTED:  # what is near in memory is looked for together
        order = np.argsort(wanted)
        some, wanted = some[order], wanted[order]
    places = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
    found[some] = np.where(keys[places] == wanted, places, NONE)
    return found


def backed_off(logp: Array, shorter: Ngrams, longer: Ngrams, contexts: Ids, numbers: Ids) -> Array:
    """(1) where a longer n-gram is listed, (2) with ln p of the shorter one elsewhere."""
    out = logp + picked(shorter.backoff, contexts)
    listed = np.flatnonzero(numbers >= 0)
    out[listed] = longer.logp[numbers[listed]]
    return out


def picked(values: Array, numbers: Ids) -> Array:
    """The values of these numbers; 0 for NONE."""
    if not len(values):
        return np.zeros(len(numbers), np.float32)
    return np.where(numbers >= 0, values[np.maximum(numbers, 0)], np.float32(0))


def in_bytes(counts: Keys) -> tuple[NDArray[np.uint8], Ids]:
    """Counts as bytes, MANY standing for what the other array lists."""
    return np.minimum(counts, MANY).astype(np.uint8), counts[counts >= MANY].astype(np.int32)


def keys_of(words: NDArray[Any], after: NDArray[Any], many: NDArray[Any], n: int, V: int) -> Keys:
    """(3) of an order: the last tokens, and how many stand after each of n contexts."""
    kinds = [x.dtype.str[1:] for x in (words, after, many)] == ["i4", "u1", "i4"]
    flat = words.ndim == many.ndim == 1 and after.shape == (n,)
    if not (kinds and flat and np.count_nonzero(after == MANY) == len(many)):
        raise ConfigError("n-grams: their contexts are damaged")
    counts = after.astype(np.int64)
    counts[after == MANY] = many
    inside = not len(words) or (words.min() >= 0 and words.max() < V)
    if (counts < 0).any() or counts.sum() != len(words) or not inside:
        raise ConfigError("n-grams: their contexts are damaged")
    keys: Keys = np.repeat(np.arange(n), counts) * V + words
    return keys


def aligned(x: NDArray[Any]) -> NDArray[Any]:
    """The same where a search need not copy it."""
    return np.require(x, requirements="A")


def whole(one: Ngrams, k: int, shorter: int, V: int, last: bool) -> bool:
    """Whether the arrays can be what is listed of order k, with so many contexts."""
    keys, n = one.keys, len(one.keys)
    lengths = one.logp.shape == (n,) and one.backoff.shape == ((0,) if last else (n,))
    kinds = keys.dtype == np.int64 and one.logp.dtype == one.backoff.dtype == np.float32
    if not (keys.ndim == 1 and lengths and kinds and n < 2**31 and shorter * V < 2**63):
        return False
    if k == 1 and not np.array_equal(keys, np.arange(V)):
        return False
    ascending = bool((np.diff(keys) > 0).all())
    inside = not n or (keys[0] >= 0 and keys[-1] < shorter * V)
    numbers = bool(np.isfinite(one.logp).all() and np.isfinite(one.backoff).all())
    return ascending and bool(inside) and numbers and not bool((one.logp > 0).any())


def far_from_one(model: NgramModel) -> float:
    """How far probabilities after some contexts of each order are from 1; 0: near enough."""
    furthest, V = 0.0, model.vocabulary.n_tokens
    most = max(2, min(64, CHECKED // V))
    for k in range(1, model.order):
        some = np.unique(np.linspace(0, len(model.orders[k - 1]) - 1, most).astype(np.int64))
        for words in model.words(k)[some] if len(model.orders[k - 1]) else ():
            _, state = model.read(words, model.zero_state())
            with np.errstate(over="ignore"):
                total = np.exp(model.log_probabilities(state)[0], dtype=np.float64).sum()
            furthest = max(furthest, abs(float(total) - 1))
    total = np.exp(model.orders[0].logp, dtype=np.float64).sum()
    furthest = max(furthest, abs(float(total) - 1))
    return furthest if furthest > TOLERANCE else 0.0
