"""Minimal pairs: verdicts, groups, intervals."""

import math

import pytest

from lmtool.errors import InputError
from lmtool.inference.pairs import Pair, PairScore, accuracies, score_pairs, wilson
from lmtool.inference.score import score
from lmtool.models.language_model import LanguageModel


def verdict(group: str, right: bool, oov: bool = False, bits: float = 1.0) -> PairScore:
    return PairScore((group,), 1, "a", "b", -1.0, -2.0, bits, right, oov)


def test_a_pair_is_two_scores(model: LanguageModel) -> None:
    pairs = [Pair("Todd met Pete", "Pete Pete met"), Pair("the cat", "cat Zebedee the", ("x",), 7)]
    for pair, result in zip(pairs, score_pairs(model, pairs), strict=True):
        good, bad = score(model, pair.good), score(model, pair.bad)
        assert (result.good_log10_p, result.bad_log10_p) == (good.log10_p, bad.log10_p)
        assert result.right == (good.p > bad.p)
        assert result.difference_bits == pytest.approx(math.log2(good.p / bad.p))
        assert (result.group, result.line) == (pair.group, pair.line)
    assert [result.oov for result in score_pairs(model, pairs, threads=2)] == [False, True]


def test_the_same_sentence_is_not_right(model: LanguageModel) -> None:
    (result,) = score_pairs(model, [Pair("Todd", "Todd")])
    assert not result.right and result.difference_bits == 0


def test_per_word_compares_means(model: LanguageModel) -> None:
    pair = Pair("Todd met Pete", "Todd")
    (result,) = score_pairs(model, [pair], per_word=True)
    good, bad = score(model, pair.good).perplexity, score(model, pair.bad).perplexity
    assert good and bad and result.difference_bits == pytest.approx(math.log2(bad / good))


def test_groups_in_order_and_unknown_words_apart() -> None:
    scores = [
        verdict("b", True), verdict("a", False, bits=-3.0), verdict("b", True, oov=True),
        verdict("b", False, bits=0.0), verdict("c", False, oov=True),
    ]  # fmt: skip
    results = {result.group[0]: result for result in accuracies(scores)}
    assert list(results) == ["b", "a", "c", "all"]
    b = results["b"]
    assert (b.n, b.n_right, b.accuracy, b.n_oov, b.accuracy_oov) == (2, 1, 0.5, 1, 1.0)
    assert (b.low, b.high) == wilson(1, 2) and b.mean_difference_bits == 0.5
    assert (results["c"].n, results["c"].accuracy, results["c"].low) == (0, None, None)
    whole = results["all"]
    assert (whole.n, whole.n_right, whole.n_oov, whole.accuracy_oov) == (3, 1, 2, 0.5)


def test_one_group_has_no_row_of_all() -> None:
    assert [result.group for result in accuracies([verdict("a", True)] * 3)] == [("a",)]


def test_wilson_solves_its_equation() -> None:
    """Both ends satisfy |p - x| = z sqrt(x (1 - x) / n)."""
    for k, n in ((0, 5), (1, 2), (7, 10), (100, 100), (480, 1000)):
        for end in wilson(k, n):
            half = 1.959964 * math.sqrt(end * (1 - end) / n)
            assert abs(k / n - end) == pytest.approx(half, abs=1e-7)


def test_nothing_to_compare(model: LanguageModel) -> None:
    with pytest.raises(InputError, match="no pair"):
        accuracies([])
    with pytest.raises(InputError, match="the bad sentence is empty"):
        list(score_pairs(model, [Pair("Todd", " ")]))
