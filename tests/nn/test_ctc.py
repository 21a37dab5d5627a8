"""Labels without times: loss and gradient against all paths, best paths, alignments."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array, Ids
from lmtool.nn.outputs.ctc import (
    BLANK,
    align,
    best_path,
    log_probability,
    loss,
    runs,
    steps_needed,
)

Case = tuple[int, list[int]]
CASES: list[Case] = [  # steps, labels
    (1, []),
    (4, []),
    (1, [1]),
    (3, [2]),
    (4, [1, 2]),
    (5, [1, 1]),
    (3, [2, 2]),
    (6, [1, 2, 2]),
    (6, [2, 1, 2]),
]


def paths(T: int, V: int, labels: list[int]) -> Iterator[Any]:
    """Every way in which T steps say the labels."""
    for path in product(range(V), repeat=T):
        if runs(np.array(path)).ids.tolist() == labels:
            yield np.array(path)


def log_softmax(z: Array) -> Array:
    return np.asarray(z - np.logaddexp.reduce(z, axis=-1, keepdims=True))


def by_enumeration(z: Array, labels: list[int]) -> tuple[float, Array]:
    """(4) and (6) from all paths: z (T, V)."""
    logp = log_softmax(z)
    each = [
        (path, logp[np.arange(len(z)), path].sum()) for path in paths(len(z), z.shape[1], labels)
    ]
    total = np.logaddexp.reduce([p for _, p in each])
    gamma = np.zeros_like(z)
    for path, p in each:
        gamma[np.arange(len(z)), path] += np.exp(p - total)
    return -total, np.exp(logp) - gamma


def batch_of(
    cases: list[Case], rng: np.random.Generator, V: int = 3, dtype: Any = np.float64
) -> tuple[Array, Ids, Ids]:
    """Sequences side by side, padded at the front with numbers that must not matter."""
    S, L = max(T for T, _ in cases), max(len(y) for _, y in cases)
    z = rng.normal(size=(S, len(cases), V)).astype(dtype)
    targets = np.full((L, len(cases)), -1, np.int32)
    for b, (_, labels) in enumerate(cases):
        targets[L - len(labels) :, b] = labels
    return z, targets, np.array([S - T for T, _ in cases], np.int32)


def test_loss_and_gradient_are_those_of_all_paths() -> None:
    z, targets, starts = batch_of(CASES, np.random.default_rng(0))
    total, dz, n_left = loss(z, targets, starts, 0.5)
    expected = [
        by_enumeration(z[t:, b], y) for b, (t, (_, y)) in enumerate(zip(starts, CASES, strict=True))
    ]
    assert n_left == 0
    assert total == pytest.approx(sum(one for one, _ in expected), rel=1e-12)
    for b, (_, d) in enumerate(expected):
        np.testing.assert_allclose(dz[starts[b] :, b], 0.5 * d, atol=1e-13)
        assert not dz[: starts[b], b].any()


def test_a_sequence_has_the_same_bits_beside_any_others() -> None:
    z, targets, starts = batch_of(CASES, np.random.default_rng(1))
    _, dz, _ = loss(z, targets, starts, 1.0)
    for b, t in enumerate(starts):
        _, alone, _ = loss(z[t:, b : b + 1], targets[:, b : b + 1], np.zeros(1, np.int32), 1.0)
        np.testing.assert_array_equal(alone[:, 0], dz[t:, b])


def test_float32_of_any_size_is_safe() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(1, 30, 150).tolist()
    z, targets, starts = batch_of([(600, labels), (400, labels[:80])], rng, 30, np.float32)
    z *= 200  # hundreds of nats a step
    total, dz, n_left = loss(z, targets, starts, 1.0)
    expected = sum(
        log_probability(log_softmax(z[t:, b].astype(np.float64)), targets[targets[:, b] >= 0, b])
        for b, t in enumerate(starts)
    )
    assert n_left == 0
    assert total == pytest.approx(-expected, rel=1e-9)
    assert np.isfinite(dz).all()
    np.testing.assert_allclose(dz.sum(axis=2), 0, atol=1e-5)


@pytest.mark.parametrize(("T", "labels"), [(1, [1, 2]), (2, [1, 1]), (3, [1, 2, 2])])
def test_what_cannot_fit_is_counted_and_moves_nothing(T: int, labels: list[int]) -> None:
    assert steps_needed(labels) == T + 1
    cases = [(T, labels), (T + 1, labels)]
    z, targets, starts = batch_of(cases, np.random.default_rng(3))
    total, dz, n_left = loss(z, targets, starts, 1.0)
    assert n_left == 1
    assert total == pytest.approx(by_enumeration(z[:, 1], labels)[0])
    assert not dz[:, 0].any()
    assert log_probability(log_softmax(z[1:, 0]), labels) == -np.inf
    with pytest.raises(ValueError, match="cannot say"):
        align(log_softmax(z[1:, 0]), labels)


@pytest.mark.parametrize(("T", "labels"), CASES)
def test_probability_and_alignment_are_those_of_all_paths(T: int, labels: list[int]) -> None:
    logp = log_softmax(np.random.default_rng(T).normal(size=(T, 3)))
    assert log_probability(logp, labels) == pytest.approx(-by_enumeration(logp, labels)[0])
    best = max(paths(T, 3, labels), key=lambda path: logp[np.arange(T), path].sum())
    for found, expected in zip(align(logp, labels), runs(best), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_best_path_is_read_without_repeats_and_blanks() -> None:
    said = [BLANK, 2, 2, BLANK, 2, 1, 1, BLANK]
    path = best_path(np.log(np.eye(3)[said] + 1e-9))
    assert path.ids.tolist() == [2, 2, 1]
    assert path.first.tolist() == [1, 4, 5]
    assert path.last.tolist() == [2, 4, 6]
    assert best_path(np.zeros((2, 3))).ids.tolist() == []


def test_as_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    cases = [(30, [1, 1, 3, 4]), (50, [4, 2] * 8), (20, [])]
    z, targets, starts = batch_of(cases, np.random.default_rng(4), 5)
    total, dz, _ = loss(z, targets, starts, 1.0)
    for b, (t, (T, labels)) in enumerate(zip(starts, cases, strict=True)):
        own = torch.tensor(z[t:, b : b + 1], requires_grad=True)
        y = torch.tensor([labels], dtype=torch.long)
        given = own.log_softmax(2), y, torch.tensor([T]), torch.tensor([len(labels)])
        one = torch.nn.functional.ctc_loss(*given, blank=BLANK, reduction="sum")
        one.backward()
        total -= float(one)
        np.testing.assert_allclose(dz[t:, b], own.grad[:, 0].numpy(), atol=1e-10)
    assert total == pytest.approx(0, abs=1e-8)
