"""Ladder 1: every kernel equals its slow numpy twin, in both precisions."""

import inspect
import math
import os
import re
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import lmtool
from lmtool.arrays import Array
from lmtool.nn import kernels
from lmtool.nn.cells import CELLS, Weights
from lmtool.nn.kernels import gates, softmax
from lmtool.training.optimizers import DECAYS, OPTIMIZERS
from tests import reference

B, H, V = 3, 11, 37  # no multiple of any vector's length
PACKAGE = Path(lmtool.__file__).parent
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def near(actual: Array, expected: Array) -> None:
    """Equal to a few units in the last place of float32, or to 1e-12 in double precision."""
    tolerance = 3e-6 if actual.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def normal(*shape: int, dtype: Any, scale: float = 3.0) -> Array:
    """Numbers large enough to saturate some gates."""
    return (np.random.default_rng(sum(shape)).normal(size=shape) * scale).astype(dtype)


@DTYPES
def test_lstm_gates(dtype: Any) -> None:
    z, recurrent = normal(B, 4 * H, dtype=dtype), normal(1, B, 4 * H, dtype=dtype)[0]
    bias, c_in = normal(4 * H, dtype=dtype), normal(B, H, dtype=dtype)
    c, tanh_c, h = (np.empty((B, H), dtype) for _ in range(3))
    expected_h, expected_c = reference.lstm(z + recurrent + bias, c_in)
    kernels.lstm_gates(z, recurrent, bias, c_in, c, tanh_c, h)
    near(h, expected_h)
    near(c, expected_c)
    near(tanh_c, np.tanh(expected_c))


@DTYPES
def test_gru_gates(dtype: Any) -> None:
    z, recurrent = normal(B, 3 * H, dtype=dtype), normal(1, B, 3 * H, dtype=dtype)[0]
    bias, h_in = normal(3 * H, dtype=dtype), normal(B, H, dtype=dtype)
    m, h = (np.empty((B, H), dtype) for _ in range(2))
    expected = reference.gru(z, recurrent + bias, h_in)
    kernels.gru_gates(z, recurrent, bias, h_in, m, h)
    near(h, expected)


@DTYPES
@pytest.mark.parametrize("activation", kernels.ACTIVATE)
def test_rnn_gate(dtype: Any, activation: str) -> None:
    z, recurrent, bias = (
        normal(B, H, dtype=dtype), normal(1, B, H, dtype=dtype)[0], normal(H, dtype=dtype)
    )  # fmt: skip
    total = z + recurrent + bias
    expected = np.tanh(total) if activation == "tanh" else np.maximum(total, 0)
    kernels.ACTIVATE[activation](z, recurrent, bias)
    near(z, expected)


@DTYPES
@pytest.mark.parametrize("n", [1, 7, 8, V])
def test_softmax_cross_entropy(dtype: Any, n: int) -> None:
    logits, bias = normal(B, n, dtype=dtype), normal(n, dtype=dtype)
    targets = np.arange(B) % n
    logp = reference.log_softmax(logits + bias)
    one_hot = np.eye(n)[targets]
    loss = kernels.softmax_cross_entropy(logits, bias, targets, 0.5)
    assert loss == pytest.approx(-logp[np.arange(B), targets].sum(), rel=1e-5)
    near(logits, (0.5 * (np.exp(logp) - one_hot)).astype(dtype))


def test_softmax_does_not_overflow() -> None:
    logits = np.array([[1e4, -1e4, 0.0]], np.float32)
    loss = kernels.softmax_cross_entropy(logits, np.zeros(3, np.float32), np.array([0]), 1.0)
    assert loss == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(logits).all()


@DTYPES
def test_elementary_functions_over_their_range(dtype: Any) -> None:
    """Through the kernels that use them: tanh by the RNN's gate, exp by the softmax."""
    x = np.linspace(-30, 30, 4001).astype(dtype)
    y = x.copy()
    kernels.tanh_gate(y[None], np.zeros_like(x)[None], np.zeros_like(x))
    near(y, np.tanh(x))


@DTYPES
def test_enter_resets_streams(dtype: Any) -> None:
    state, out = normal(B, H, dtype=dtype), np.full((B, H), np.nan, dtype)
    kernels.enter(state, np.array([1, 0, 1], dtype), out)
    np.testing.assert_array_equal(out, state * [[1], [0], [1]])
    kernels.enter(state, None, out)
    np.testing.assert_array_equal(out, state)


@DTYPES
def test_scatter_add_counts_repeated_rows(dtype: Any) -> None:
    rows, ids, out = normal(5, H, dtype=dtype), np.array([2, 0, 2, 2, 1]), np.ones((4, H), dtype)
    expected = out.copy()
    np.add.at(expected, ids, rows)
    kernels.scatter_add(rows, ids, out)
    near(out, expected)


@DTYPES
def test_sums(dtype: Any) -> None:
    x, y = normal(1001, dtype=dtype), normal(1, 1001, dtype=dtype)[0]
    assert kernels.sum_of_squares(x) == pytest.approx((x.astype(float) ** 2).sum(), rel=1e-12)
    expected = x + y
    kernels.add(x, y)
    near(x, expected)


@DTYPES
def test_adam_equals_the_paper(dtype: Any) -> None:
    x = normal(V, dtype=dtype)
    gradients = [normal(V, 1, k, dtype=dtype)[:, 0, 0] for k in (1, 2, 3)]
    expected = reference.adam(x.astype(float), [g / 2 for g in gradients], 0.1, DECAYS)
    moments = [np.zeros_like(x) for _ in range(2)]
    for step, gradient in enumerate(gradients, 1):
        OPTIMIZERS["adam"].update(x, gradient, 0.5, moments, 0.1, step)
    np.testing.assert_allclose(x, expected, rtol=1e-5, atol=1e-5)


@DTYPES
def test_sgd(dtype: Any) -> None:
    x, gradient = normal(V, dtype=dtype), normal(1, V, dtype=dtype)[0]
    expected = x - 0.05 * gradient
    OPTIMIZERS["sgd"].update(x, gradient, 0.5, [], 0.1, 1)
    near(x, expected)


@pytest.mark.parametrize("name", CELLS)
def test_a_sequence_in_two_pieces_is_the_whole(name: str) -> None:
    """Forward and backward: the state and its gradient are all that passes between pieces."""
    cell, T = CELLS[name], 6
    rng = np.random.default_rng(4)
    weights = Weights(*(rng.normal(0, 0.5, shape) for shape in cell.shapes(5, H).values()))
    x, dh = normal(T, B, 5, dtype=float), normal(T, B, H, dtype=float)
    keep = (np.random.default_rng(0).random((T, B)) > 0.3).astype(float)
    zero = tuple(np.zeros((B, H)) for _ in range(cell.n_states))

    def gradients() -> Weights:
        return Weights(*map(np.zeros_like, weights))

    whole, first, second = gradients(), gradients(), gradients()
    h, _, tape = cell.forward(weights, x, zero, keep, "tanh")
    dx, _ = cell.backward(weights, whole, tape, dh, zero)
    h1, middle, tape1 = cell.forward(weights, x[:4], zero, keep[:4], "tanh")
    h2, _, tape2 = cell.forward(weights, x[4:], middle, keep[4:], "tanh")
    dx2, dmiddle = cell.backward(weights, second, tape2, dh[4:], zero)
    dx1, _ = cell.backward(weights, first, tape1, dh[:4], dmiddle)
    near(np.concatenate([h1, h2]), h)
    near(np.concatenate([dx1, dx2]), dx)
    for total, part, other in zip(whole, first, second, strict=True):
        near(part + other, total)


def test_a_file_of_kernels_calls_no_other_files() -> None:
    """numba's cache would not notice edits there."""
    sources = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]
    sources = [source for source in sources if "= compiler(__file__)" in source]
    assert len(sources) > 3
    for source in sources:
        imported = re.findall(r"^ *(?:from|import) lmtool[. ](\S*)", source, re.MULTILINE)
        assert set(imported) <= {"arrays", "kernel_cache"}


@pytest.mark.parametrize("name", ["_exp", "_bitcast", "_exp32", "_exp_by_type"])
def test_what_two_files_of_kernels_hold_is_the_same(name: str) -> None:
    twins = [getattr(module, name) for module in (gates, softmax)]
    first, second = (inspect.getsource(getattr(twin, "py_func", twin)) for twin in twins)
    assert first == second


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="guards compiled speed")
def test_the_gates_are_vectorised() -> None:
    """Five sigmoids and tanhs cost less than one scalar tanh each; a wide margin."""
    rows, width = 64, 256
    z, out = normal(rows, 4 * width, dtype=np.float32), np.empty((3, rows, width), np.float32)
    zeros = np.zeros((rows, 4 * width), np.float32)
    vectorize: Any = numba.vectorize
    scalar = vectorize(["float32(float32)"])(lambda x: math.tanh(x))

    def gates() -> None:
        kernels.lstm_gates(z.copy(), zeros, zeros[0], zeros[:, :width], *out)

    assert fastest(gates) < fastest(lambda: scalar(z))


def fastest(function: Any) -> float:
    """Seconds of the quickest of many calls."""
    times = []
    for _ in range(50):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


@DTYPES
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_rows_updated_when_needed_end_where_dense_updates_end(dtype: Any, name: str) -> None:
    """Catching up on missed steps is what steps with gradient 0 would have done."""
    optimizer, steps, rng = OPTIMIZERS[name], 30, np.random.default_rng(4)
    dense = normal(6, 3, dtype=dtype)
    lazy, seen = dense.copy(), np.zeros(6, np.int64)
    moments = [np.zeros_like(dense) for _ in range(optimizer.n_moments)]
    lazy_moments = [np.zeros_like(dense) for _ in range(optimizer.n_moments)]
    for step in range(500, 500 + steps):  # past the bias correction's first steps
        rows = np.flatnonzero(rng.random(6) < 0.3)
        small = rng.normal(size=(len(rows), 3)).astype(dtype)
        gradient = np.zeros_like(dense)
        gradient[rows] = small
        for i in range(6):
            optimizer.update(dense[i], gradient[i], 1.0, [m[i] for m in moments], 0.01, step + 1)
        gaps = np.minimum(step - seen[rows], step - 500)
        optimizer.catch_up(lazy, lazy_moments, rows, gaps, 0.01, step)
        optimizer.update_rows(lazy, small, 1.0, lazy_moments, rows, 0.01, step + 1)
        seen[rows] = step + 1
    every = np.arange(6)
    gaps = np.minimum(500 + steps - seen, steps)
    optimizer.catch_up(lazy, lazy_moments, every, gaps, 0.01, 500 + steps)
    np.testing.assert_allclose(lazy, dense, rtol=1e-4, atol=1e-4)
