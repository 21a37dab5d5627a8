"""Measures of labels: worked by hand, and beside formulas written in another way."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lmtool.inference.measures import (
    accuracy,
    as_ids,
    calibration_error,
    class_counts,
    confidence,
    confusion,
    decided,
    fit_temperature,
    macro_f1,
    mean_absolute_error,
    micro_f1,
    nats,
    tempered,
)

# true:   a a a b b c      given:  a a b b c b      of four labels; d is nobody's
TRUE = np.array([0, 0, 0, 1, 1, 2], np.int32)
GIVEN = np.array([0, 0, 1, 1, 2, 1], np.int32)
SEVERAL_TRUE = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], np.int32)
SEVERAL_GIVEN = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0]], np.int32)

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)
distributions = st.integers(0, 2**32 - 1).map(
    lambda seed: log_softmax(np.random.default_rng(seed).normal(0, 2, (30, 3)))
)


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(logits - np.log(np.exp(logits).sum(1, keepdims=True)))


def test_by_hand() -> None:
    counts = class_counts(GIVEN, TRUE, 4)
    assert accuracy(GIVEN, TRUE) == 0.5
    assert counts.n.tolist() == [3, 2, 1, 0]
    assert counts.predicted.tolist() == [2, 3, 1, 0]
    assert counts.precision().tolist() == [1, pytest.approx(1 / 3), 0, 0]
    assert counts.recall().tolist() == [pytest.approx(2 / 3), 0.5, 0, 0]
    assert counts.f1().tolist() == pytest.approx([0.8, 0.4, 0, 0])
    assert macro_f1(counts) == pytest.approx(0.3)
    assert micro_f1(counts) == 0.5
    table = [[2, 1, 0, 0], [0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert confusion(GIVEN, TRUE, 4).tolist() == table


def test_several_by_hand() -> None:
    counts = class_counts(SEVERAL_GIVEN, SEVERAL_TRUE, 3)
    assert accuracy(SEVERAL_GIVEN, SEVERAL_TRUE) == 0.5  # all labels of the text right
    assert (counts.n.tolist(), counts.predicted.tolist()) == ([2, 2, 1], [2, 2, 0])
    assert counts.hits.tolist() == [2, 1, 0]
    assert macro_f1(counts) == pytest.approx((1 + 0.5 + 0) / 3)
    assert micro_f1(counts) == pytest.approx(2 * 3 / (4 + 5))


@given(labels)
def test_measures_written_differently(pairs: list[tuple[int, int]]) -> None:
    wanted, chosen = (np.array(side, np.int32) for side in zip(*pairs, strict=True))
    counts, table = class_counts(chosen, wanted, 5), confusion(chosen, wanted, 5)
    assert accuracy(chosen, wanted) == pytest.approx(sum(t == g for t, g in pairs) / len(pairs))
    assert micro_f1(counts) == pytest.approx(accuracy(chosen, wanted))
    f1s = []
    for k in range(5):
        hits = sum(t == k == g for t, g in pairs)
        precision = hits / max(1, sum(g == k for _, g in pairs))
        recall = hits / max(1, sum(t == k for t, _ in pairs))
        both = precision + recall
        f1s.append(2 * precision * recall / both if both else 0.0)
        assert (counts.precision()[k], counts.recall()[k]) == (precision, recall)
    assert counts.f1().tolist() == pytest.approx(f1s)
    assert macro_f1(counts) == pytest.approx(sum(f1s) / 5)
    assert {(i, j): n for (i, j), n in np.ndenumerate(table) if n} == {
        pair: pairs.count(pair) for pair in pairs
    }


def test_several_of_one_label_are_one_label() -> None:
    ones = np.eye(4, dtype=np.int32)
    for single, several in zip(
        class_counts(GIVEN, TRUE, 4), class_counts(ones[GIVEN], ones[TRUE], 4), strict=True
    ):
        assert single.tolist() == several.tolist()
    assert accuracy(ones[GIVEN], ones[TRUE]) == accuracy(GIVEN, TRUE)


def test_decisions() -> None:
    logp = np.log([[0.9, 0.1], [0.3, 0.7], [0.5, 0.5]])
    assert decided(logp).tolist() == [0, 1, 0]
    assert decided(np.log([[0.9, 0.6, 0.5]]), several=True).tolist() == [[1, 1, 0]]
    assert confidence(logp).tolist() == pytest.approx([0.9, 0.7, 0.5])
    sure = confidence(np.log([[0.9, 0.2, 0.5]]), several=True)
    assert sure.tolist() == [pytest.approx([0.9, 0.8, 0.5])]


def test_targets_as_arrays() -> None:
    assert as_ids([np.array([2], np.int32), np.array([0], np.int32)], False).tolist() == [2, 0]
    assert as_ids([np.array([1, 0], np.int32)], True).shape == (1, 2)


def test_errors_of_numbers() -> None:
    assert mean_absolute_error(np.array([4.0, 1.0, 2.0]), np.array([5.0, 1.0, 0.0])) == 1.0


def test_calibration_by_hand() -> None:
    sure, right = np.array([0.9, 0.9, 0.6, 0.6]), np.array([True, True, True, False])
    assert calibration_error(sure, right) == pytest.approx((2 * 0.1 + 2 * 0.1) / 4)
    assert calibration_error(np.array([0.5, 0.5]), np.array([True, False])) == 0.0
    assert calibration_error(np.array([0.95, 0.85]), np.array([True, False]), 1) == (
        pytest.approx(0.4)  # one bin: 0.5 right, 0.9 sure
    )
    assert calibration_error(np.array([1.0, 1.0]), np.array([False, False])) == 1.0


@given(st.lists(st.tuples(st.floats(0.01, 1), st.booleans()), min_size=1, max_size=50))
def test_calibration_bin_by_bin(decisions: list[tuple[float, bool]]) -> None:
    total = 0.0
    for b in range(15):
        inside = [(p, hit) for p, hit in decisions if b < p * 15 <= b + 1]
        if inside:
            hits, sure = (sum(map(float, side)) / len(inside) for side in zip(*inside, strict=True))
            total += len(inside) / len(decisions) * abs(sure - hits)
    p, right = (np.array(side) for side in zip(*decisions, strict=True))
    assert calibration_error(p, right) == pytest.approx(total, abs=1e-9)


def test_nats_by_hand() -> None:
    logp = np.log([[0.5, 0.5], [0.25, 0.75]])
    assert nats(logp, np.array([0, 1], np.int32)) == pytest.approx(-math.log(0.5 * 0.75) / 2)
    both = np.array([[1, 0], [1, 1]], np.int32)
    expected = -math.log(0.5 * 0.5 * 0.25 * 0.75) / 2
    assert nats(logp, both) == pytest.approx(expected)


@pytest.mark.parametrize("share", [0.6, 0.75, 0.9])
@pytest.mark.parametrize("z", [0.5, 2.0, 7.0])
def test_temperature_of_two_labels_is_known(share: float, z: float) -> None:
    """A share a of right decisions, all with logits [z, 0]: p must be a, so T = z / ln(a/(1-a))."""
    n = 20
    targets = np.array([0] * round(share * n) + [1] * round((1 - share) * n), np.int32)
    logits = np.tile([z, 0.0], (n, 1))
    exact = z / math.log(share / (1 - share))
    assert fit_temperature(logits, targets) == pytest.approx(exact, rel=1e-5)
    assert fit_temperature(log_softmax(logits), targets) == pytest.approx(exact, rel=1e-5)
    ones = np.stack([targets == 0, targets == 0], 1).astype(np.int32)  # the same as two yes or no
    logp = -np.log1p(np.exp(-np.tile([z, z], (n, 1))))
    assert fit_temperature(logp, ones) == pytest.approx(exact, rel=1e-5)


def test_temperature_stays_in_its_bounds() -> None:
    logp = log_softmax(np.tile([1.0, 0.0], (5, 1)))
    assert fit_temperature(logp, np.zeros(5, np.int32)) == pytest.approx(math.exp(-3), rel=1e-5)
    assert fit_temperature(logp, np.ones(5, np.int32)) == pytest.approx(math.exp(3), rel=1e-5)
    assert fit_temperature(logp[:0], np.zeros(0, np.int32)) == 1.0


@given(distributions, st.integers(0, 2**32 - 1))
def test_temperature_is_the_best_of_a_grid(logp: NDArray[np.float64], seed: int) -> None:
    targets = np.random.default_rng(seed).integers(0, 3, len(logp)).astype(np.int32)
    best = nats(tempered(logp, fit_temperature(logp, targets)), targets)
    grid = [nats(tempered(logp, math.exp(x)), targets) for x in np.linspace(-3, 3, 61)]
    assert best <= min(grid) + 1e-6  # at a bound it stops just within


@given(distributions, st.floats(0.1, 10))
def test_tempered_and_back(logp: NDArray[np.float64], temperature: float) -> None:
    hot = tempered(logp, temperature)
    assert np.exp(hot).sum(1) == pytest.approx(np.ones(len(hot)))
    assert hot == pytest.approx(log_softmax(logp / temperature))
    assert tempered(hot, 1 / temperature) == pytest.approx(logp, abs=1e-9)
    each = -np.log1p(np.exp(-logp))  # of several labels, the logits being logp
    hot = tempered(each, temperature, several=True)
    assert hot == pytest.approx(-np.log1p(np.exp(-logp / temperature)))


def test_what_rounds_to_certain_has_a_temperature() -> None:
    certain, right = np.array([[0.0, -np.inf]]), np.array([[1, 0]], np.int32)
    assert tempered(certain, 2.0).tolist() == [[0.0, -np.inf]]
    assert tempered(certain, 2.0, several=True).tolist() == [[pytest.approx(0.0), -np.inf]]
    assert nats(certain, right) == 0.0
    wrong = np.log([[1.0, 0.5], [1.0, 0.5]])  # of two that are sure one is wrong
    half = np.array([[1, 1], [0, 0]], np.int32)
    assert fit_temperature(wrong, half) == pytest.approx(math.exp(3), rel=1e-5)


def test_of_nothing() -> None:
    none, no_logp = np.zeros(0, np.int32), np.zeros((0, 2))
    assert math.isnan(accuracy(none, none)) and math.isnan(nats(no_logp, none))
    assert math.isnan(mean_absolute_error(none.astype(float), none.astype(float)))
    assert math.isnan(calibration_error(np.zeros(0), np.zeros(0, bool)))
