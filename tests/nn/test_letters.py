"""The convolution over letters: its definition, gradients, PyTorch, and each word as if alone."""

from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array, Ids
from lmtool.nn import letters
from lmtool.nn.parameters import Parameters

A, C, F = 9, 4, 5
WORDS = np.array(
    [[2, 3, 4, 5, 6, 0], [7, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [3, 3, 3, 3, 3, 3]], np.int32
)


def case(dtype: type[np.floating] = np.float64) -> Parameters:
    """Random weights."""
    parameters = Parameters(letters.shapes(A, C, F), dtype=dtype)
    parameters.flat[:] = np.random.default_rng(3).normal(size=parameters.flat.size)
    return parameters


def defined(weights: Parameters, word: Ids) -> Array:
    """v of one word, letter by letter."""
    L, K, b = weights[letters.VECTORS], weights[letters.FILTERS], weights[letters.BIAS]
    n = max(1, int(np.count_nonzero(word)))
    own = [0, *word[:n].tolist(), 0]
    y = [
        sum(K[:, :, k] @ L[own[w + k]] for k in range(letters.WIDTH)) + b for w in range(n)
    ]  # n of (F,)
    return np.asarray(np.max(y, axis=0))


def test_both_ways_to_compute_it_are_the_definition() -> None:
    weights = case()
    expected = [defined(weights, word) for word in WORDS]
    np.testing.assert_allclose(letters.forward(weights, WORDS)[0], expected, atol=1e-12)
    np.testing.assert_allclose(letters.read(weights, WORDS), expected, atol=1e-12)


def test_gradients_equal_finite_differences() -> None:
    weights = case()
    ask = np.random.default_rng(1).normal(size=(len(WORDS), F))
    gradients = weights.like()
    gradients.flat[...] = np.nan  # overwritten
    letters.backward(weights, gradients, letters.forward(weights, WORDS)[1], ask)
    for i in range(weights.flat.size):
        value, step = weights.flat[i], 1e-6
        sums = []
        for moved in (value + step, value - step):
            weights.flat[i] = moved
            sums.append((letters.forward(weights, WORDS)[0] * ask).sum())
        weights.flat[i] = value
        expected = (sums[0] - sums[1]) / (2 * step)
        assert gradients.flat[i] == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_equal_windows_share_nothing_twice() -> None:
    """``oooooo`` has its maximum at several places; one of them learns."""
    weights, gradients = case(), case()
    v, tape = letters.forward(weights, WORDS[3:])
    letters.backward(weights, gradients, tape, np.ones_like(v))
    assert (gradients[letters.BIAS] == 1).all()
    P_sum = gradients[letters.FILTERS].sum(2)  # of a window of equal letters: three times L
    inner = tape.where[0] == 1
    np.testing.assert_allclose(P_sum[inner], 3 * weights[letters.VECTORS][[3] * inner.sum()])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_words_bits_are_its_own(dtype: type[np.floating]) -> None:
    weights = case(dtype)
    many = np.random.default_rng(0).integers(1, A, (50, 12)).astype(np.int32)
    many[np.arange(12) >= np.random.default_rng(1).integers(1, 12, (50, 1))] = 0
    wider = np.pad(many, ((0, 0), (0, 7)))
    for compute in (letters.read, lambda w, x: letters.forward(w, x)[0]):
        v = compute(weights, many)
        assert v.dtype == dtype
        assert np.array_equal(v, compute(weights, wider))
        for n in (1, 2, 7):
            assert np.array_equal(v[3 : 3 + n], compute(weights, many[3 : 3 + n]))
        assert np.array_equal(v[::-1], compute(weights, many[::-1]))


def test_it_equals_torch() -> None:
    torch = pytest.importorskip("torch", reason="compared with PyTorch only where it is installed")
    weights = case()
    leaves: dict[str, Any] = {
        name: torch.tensor(x, requires_grad=True) for name, x in weights.items()
    }
    v, tape = letters.forward(weights, WORDS)
    expected = []
    for word in WORDS:
        own = torch.tensor([0, *word[: max(1, np.count_nonzero(word))].tolist(), 0])
        x = leaves[letters.VECTORS][own].T[None]
        y = torch.nn.functional.conv1d(x, leaves[letters.FILTERS], leaves[letters.BIAS])
        expected.append(y[0].max(1).values)
    np.testing.assert_allclose(v, [x.detach().numpy() for x in expected], atol=1e-12)
    ask = np.random.default_rng(1).normal(size=v.shape)
    (torch.stack(expected[:3]) * torch.tensor(ask[:3])).sum().backward()  # no equal windows
    gradients = weights.like()
    letters.backward(weights, gradients, letters.Tape(WORDS[:3], tape.where[:3]), ask[:3])
    for name, leaf in leaves.items():
        np.testing.assert_allclose(gradients[name], leaf.grad.numpy(), atol=1e-12)
