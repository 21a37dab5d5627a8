"""N-gram models: hand-worked examples, the definition as recursion, sums, states, damage."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.arrays import Array, Ids
from lmtool.errors import ConfigError
from lmtool.inference.evaluate import sentence_logp
from lmtool.inference.score import score
from lmtool.models import tally
from lmtool.models.kneser_ney import FALLBACK, closed_form, count, counted
from lmtool.models.ngram import NgramModel, Ngrams, far_from_one
from lmtool.settings import TextSettings
from lmtool.tensor_file import Tensors
from lmtool.text.vocabulary import EOS, EOS_ID, UNK, Vocabulary

TOY = ("a a b a", "b a a b")
OTHER = ("a a b b b b b b b", "c")
words = st.lists(st.sampled_from("abc"), min_size=1, max_size=5)
texts = st.lists(words.map(" ".join), min_size=1, max_size=6)


def ids_of(vocabulary: Vocabulary, lines: Iterable[str]) -> Ids:
    """The lines as a corpus holds them."""
    return np.concatenate([vocabulary.sentence(vocabulary.split(line)) for line in lines])


def counted_in(lines: Sequence[str], order: int, *thresholds: int) -> NgramModel:
    """The model of some lines and their vocabulary."""
    vocabulary = Vocabulary.build(lines, TextSettings())
    return count(ids_of(vocabulary, lines), vocabulary, order, thresholds)


def after(model: NgramModel, context: str) -> Ids:
    """The state after a context; ``<s>`` is the start of a line."""
    named = {"<s>": EOS_ID}
    ids = [named.get(word, model.vocabulary.id(word)) for word in context.split()]
    return model.read(np.array(ids, np.int32), model.zero_state())[1]


def p(model: NgramModel, context: str, word: str) -> float:
    """P(word | context)."""
    ids = np.array([model.vocabulary.id(word)], np.int32)
    return math.exp(model.log_probability(after(model, context), ids)[0])


@pytest.mark.parametrize(
    ("context", "word", "expected"),
    [
        ("", UNK, 0.125),
        ("", "a", 0.3392857),
        ("", "b", 0.2678571),
        ("", EOS, 0.2678571),
        ("<s>", "a", 0.4196429),
        ("<s>", "b", 0.3839286),
        ("a", "a", 0.4196429),
        ("a", "b", 0.2589286),
        ("a", EOS, 0.2589286),
        ("b", "a", 0.5029762),
        ("b", EOS, 0.3005952),
        ("<s> a", "a", 0.7098214),
        ("a a", "b", 0.6294643),
        ("a b", "a", 0.5014881),
        ("a b", EOS, 0.4002976),
        ("b a", "a", 0.4598214),
        ("b a", EOS, 0.3794643),
        ("<s> b", "a", 0.7514881),
        ("a b", "b", 0.25 * 0.2678571),  # backs off twice
        ("a b", UNK, 0.25 * 0.125),
        ("a zork", "a", 0.3392857),
    ],
)
def test_by_hand(context: str, word: str, expected: float) -> None:
    assert p(counted_in(TOY, 3), context, word) == pytest.approx(expected, abs=1e-7)


def test_scores_by_hand() -> None:
    result = score(counted_in(TOY, 3), "a b zork")
    factors = [-0.377120, -0.887850, -1.505150, -0.572097]
    assert [word.log10_p for word in result.words] == pytest.approx(factors, abs=1e-6)
    assert result.log10_p == pytest.approx(-3.342217, abs=2e-6)
    assert result.perplexity == pytest.approx(6.847850, abs=1e-5)


def test_dropped_ones_by_hand() -> None:
    whole = counted_in(OTHER, 3)
    assert p(whole, "b", "b") == pytest.approx(0.4547619)
    assert p(whole, "b b", "b") == pytest.approx(0.7349206)
    assert p(whole, "b b", EOS) == pytest.approx(0.1793651)
    pruned = counted_in(OTHER, 3, 0, 0, 1)
    assert [len(one) for one in pruned.orders] == [5, len(whole.orders[1]), 1]
    assert p(pruned, "b b", "b") == pytest.approx(0.7728175)
    assert p(pruned, "b b", EOS) == pytest.approx(0.1200397)
    assert p(pruned, "a a", "b") == pytest.approx(p(pruned, "a", "b"))  # nothing kept
    assert far_from_one(pruned) == 0


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        ((5, 3, 2, 1), (0.4545455, 1.0909091, 2.0909091)),
        ((10, 4, 2, 1), (0.5555556, 1.1666667, 1.8888889)),
        ((5, 3, 2, 0), (0.4545455, 1.0909091, 3.0)),
        ((4, 1, 3, 1), None),  # the second would be below 0
        ((5, 2, 0, 0), None),
        ((0, 2, 1, 0), None),
    ],
)
def test_discounts(t: tuple[int, ...], expected: tuple[float, ...] | None) -> None:
    a = np.repeat([0, 1, 2, 3, 4, 9], [3, *t, 2])
    found = closed_form(a)
    assert found == (None if expected is None else pytest.approx(expected))
    assert counted_in(TOY, 3).discounts == (FALLBACK,) * 3


class Recursion:
    """The definition, n-gram by n-gram in dictionaries."""

    def __init__(self, lines: Sequence[str], order: int, thresholds: Sequence[int]) -> None:
        self.vocabulary, self.order = Vocabulary.build(lines, TextSettings()), order
        every = [[EOS_ID, *self.vocabulary.encode(line), EOS_ID] for line in lines]
        c: Counter[tuple[int, ...]] = Counter()
        left: dict[tuple[int, ...], set[int]] = {}
        for ids in every:
            for stop in range(2, len(ids) + 1):
                for start in range(max(0, stop - order), stop):
                    gram = tuple(ids[start:stop])
                    c[gram] += 1
                    if start:
                        left.setdefault(gram, set()).add(ids[start - 1])
        self.a = {
            g: n if len(g) == order or (g[0] == EOS_ID and len(g) > 1) else len(left[g])
            for g, n in c.items()
        }
        limits = [*thresholds, *[thresholds[-1] if thresholds else 0] * order]
        self.kept = {g for g, n in c.items() if len(g) == 1 or n > limits[len(g) - 1]}
        self.D = [self.discounts(k) for k in range(1, order + 1)]

    def discounts(self, k: int) -> tuple[float, ...]:
        t = Counter(a for g, a in self.a.items() if len(g) == k)
        if not (t[1] and t[2] and t[3]):
            return FALLBACK
        y = t[1] / (t[1] + 2 * t[2])
        found = tuple(j - (j + 1) * y * t[j + 1] / t[j] for j in (1, 2, 3))
        return found if all(0 < d <= j for j, d in enumerate(found, 1)) else FALLBACK

    def arrays(self) -> Tensors:
        """What a model of the definition holds, to the last bit."""
        V = self.vocabulary.n_tokens
        self.a |= {(word,): 0 for word in range(V) if (word,) not in self.a}
        self.kept |= {(word,) for word in range(V)}
        shorter: dict[tuple[int, ...], float] = {(): 1 / V}
        numbers: dict[tuple[int, ...], int] = {(): 0}
        orders: list[Ngrams] = []
        for k in range(1, self.order + 1):
            grams = sorted(g for g in self.a if len(g) == k)
            gamma, p = self.smoothed(grams, shorter)
            if orders:
                backoff = logs([gamma.get(h, 1.0) for h in numbers])
                orders[-1] = replace(orders[-1], backoff=backoff)
            kept = [g for g in grams if g in self.kept]
            keys = np.array([numbers[g[:-1]] * V + g[-1] for g in kept], np.int64)
            orders.append(Ngrams(keys, logs([p[g] for g in kept]), np.zeros(0, np.float32)))
            shorter, numbers = p, {g: n for n, g in enumerate(kept)}
        return NgramModel(self.vocabulary, tuple(orders), tuple(self.D)).tensors()

    def smoothed(
        self, grams: Sequence[tuple[int, ...]], shorter: dict[tuple[int, ...], float]
    ) -> tuple[dict[tuple[int, ...], float], dict[tuple[int, ...], float]]:
        """(3) of each context and (4) of each n-gram of one order, ascending ones."""
        D = (0.0, *self.D[len(grams[0]) - 1]) if grams else ()
        S: Counter[tuple[int, ...]] = Counter()
        freed: dict[tuple[int, ...], float] = {}
        dropped: Counter[tuple[int, ...]] = Counter()
        for g in grams:
            h, a = g[:-1], self.a[g]
            S[h] += a
            freed[h] = freed.get(h, 0.0) + (D[min(a, 3)] if g in self.kept else 0.0)
            dropped[h] += 0 if g in self.kept else a
        gamma = {h: (freed[h] + dropped[h]) / S[h] for h in S}
        return gamma, {
            g: (self.a[g] - D[min(self.a[g], 3)]) / S[g[:-1]] + gamma[g[:-1]] * shorter[g[1:]]
            for g in grams
        }

    def p(self, context: tuple[int, ...], word: int) -> float:
        """(4) of the module, an unlisted context left out."""
        below = self.p(context[1:], word) if context else 1 / self.vocabulary.n_tokens
        D = (0.0, *self.D[len(context)])
        after = {g: a for g, a in self.a.items() if g[:-1] == context}
        if not after:
            return below
        freed = sum(D[min(a, 3)] if g in self.kept else a for g, a in after.items())
        gram, S = (*context, word), sum(after.values())
        own = after[gram] - D[min(after[gram], 3)] if gram in after and gram in self.kept else 0
        return (own + freed * below) / S


def logs(p: Sequence[float]) -> Array:
    """Natural logarithms."""
    return np.log(np.minimum(np.array(p, np.float64), 1)).astype(np.float32)


@pytest.mark.parametrize("rows", [1, 3, 20, tally.ROWS])
@pytest.mark.parametrize("thresholds", [(), (0, 0, 1), (0, 1, 1, 3), (0, 0, 0, 2)])
@pytest.mark.parametrize("n_words", [2, 3, 30, 5_000])
def test_any_text_in_any_parts(
    rows: int, thresholds: tuple[int, ...], n_words: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng([rows, n_words])
    lengths, order = rng.integers(1, 12, 40), int(rng.integers(1, 7))
    drawn = [(rng.pareto(0.6, n) % n_words).astype(int) for n in lengths]
    lines = [" ".join(f"w{word}" for word in line) for line in drawn]
    for name in ("CHUNK", "SLICE", "IN_MEMORY"):
        monkeypatch.setattr(tally, name, rows + 1)
    vocabulary = Vocabulary.build(lines, TextSettings())
    found = count(ids_of(vocabulary, lines), vocabulary, order, thresholds, rows)
    expected = Recursion(lines, order, thresholds)
    for own, other in zip(found.discounts, expected.D, strict=True):
        assert own == pytest.approx(other)
    expected.D = list(found.discounts)
    arrays = expected.arrays()
    for name, array in found.tensors().items():
        np.testing.assert_array_equal(array, arrays[name], err_msg=name)


@given(texts, st.integers(1, 5), st.sampled_from([(), (0, 0, 1), (0, 1), (0, 0, 0, 2)]))
def test_follows_the_definition(lines: list[str], order: int, thresholds: tuple[int, ...]) -> None:
    model, expected = counted_in(lines, order, *thresholds), Recursion(lines, order, thresholds)
    assert np.array(model.discounts) == pytest.approx(np.array(expected.D))
    contexts = {(EOS_ID,), (2,), (1,), ()} | {g for g in expected.a if EOS_ID not in g[1:]}
    for context in (c for c in contexts if len(c) < order):
        top = model.read(np.array(context, np.int32), model.zero_state())[1]
        found = np.exp(model.log_probabilities(top)[0].astype(np.float64))
        V = model.vocabulary.n_tokens
        assert found == pytest.approx([expected.p(context, word) for word in range(V)], rel=1e-5)
        assert found.sum() == pytest.approx(1, abs=1e-6)


@given(texts, st.integers(1, 5), st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_states(lines: list[str], order: int, history: list[int]) -> None:
    model = counted_in(lines, order)
    ids = np.array(history, np.int32) % model.vocabulary.n_tokens
    tops, last = model.read(ids, model.zero_state())
    state = model.zero_state()
    for t, id_ in enumerate(ids):
        top, state = model.step(np.array([id_], np.int32), state)
        np.testing.assert_array_equal(top[0], tops[t])
    np.testing.assert_array_equal(state, last)
    every = model.log_probabilities(tops)
    assert np.exp(every, dtype=np.float64).sum(axis=1) == pytest.approx(1, abs=1e-6)
    wanted = np.arange(len(ids), dtype=np.int32) % model.vocabulary.n_tokens
    np.testing.assert_array_equal(
        model.log_probability(tops, wanted), every[np.arange(len(ids)), wanted]
    )


def test_lines_do_not_see_each_other() -> None:
    model = counted_in(TOY, 3)
    both = model.read(np.array([EOS_ID, 2, 3, EOS_ID, 2], np.int32), model.zero_state())[0]
    np.testing.assert_array_equal(both[1], both[4])


def test_counts_do_not_depend_on_the_order_of_lines() -> None:
    one, two = (counted_in(lines, 4) for lines in (TOY + OTHER, OTHER + TOY))
    ids = ids_of(one.vocabulary, ["a b", "c a", "zork"])
    assert sentence_logp(one, ids) == sentence_logp(two, ids)


def test_empty_orders() -> None:
    model = counted_in(["a", "b"], 5)
    assert [len(one) for one in model.orders] == [4, 4, 2, 0, 0]
    assert far_from_one(model) == 0


def test_adjusted_counts() -> None:
    vocabulary = Vocabulary.build(TOY, TextSettings())
    text = list(counted(ids_of(vocabulary, TOY), 4, 3))
    named = [dict(zip(one.keys.tolist(), one.a.tolist(), strict=True)) for one in text]
    x, y = vocabulary.id("a"), vocabulary.id("b")
    assert named[0] == {EOS_ID: 2, 1: 0, x: 3, y: 2}
    assert named[1] == {x: 1, y: 1, 4 * x: 1, 5 * x: 2, 4 * x + y: 1, 4 * y: 1, 4 * y + x: 2}


def test_round_trip_through_tensors() -> None:
    model = counted_in(TOY + OTHER, 3)
    tensors = model.tensors()
    again = NgramModel.from_tensors(tensors, model.vocabulary, 3, model.discounts)
    assert not tensors
    assert {k: x.tobytes() for k, x in again.tensors().items()} == {
        k: x.tobytes() for k, x in model.tensors().items()
    }


def damaged(one: Ngrams, how: str) -> Ngrams:
    """With one array that cannot be."""
    keys, logp, backoff = one.keys.copy(), one.logp.copy(), one.backoff.copy()
    if how == "unsorted":
        keys[[0, 1]] = keys[[1, 0]]
    elif how == "twice":
        keys[1] = keys[0]
    elif how == "foreign":
        keys[-1] = 10**9
    elif how == "negative":
        keys[0] = -1
    elif how == "nan":
        logp[0] = np.nan
    elif how == "positive":
        logp[0] = 0.1
    elif how == "infinite":
        backoff[0] = np.inf
    elif how == "short":
        logp = logp[1:]
    elif how == "type":
        return replace(one, keys=keys.astype(np.float64))
    return Ngrams(keys, logp, backoff)


HOW = ("unsorted", "twice", "foreign", "negative", "nan", "positive", "infinite", "short", "type")


@pytest.mark.parametrize("how", HOW)
def test_damage(how: str) -> None:
    model = counted_in(TOY, 3)
    first, second, third = model.orders
    with pytest.raises(ConfigError, match="order 2"):
        NgramModel(model.vocabulary, (first, damaged(second, how), third))


def test_probabilities_that_sum_to_something_else() -> None:
    model = counted_in(TOY, 3)
    tensors = model.tensors()
    tensors["ngram.2.backoff"] = tensors["ngram.2.backoff"] + np.float32(1)
    with pytest.raises(ConfigError, match="sum to 1"):
        NgramModel.from_tensors(tensors, model.vocabulary, 3)
