"""The cell with a window against its definition: the last N vectors side by side, one product."""

from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array
from lmtool.nn.cells import CELLS, Cell, Weights, cell_of
from lmtool.settings import ModelSettings

T, B, INPUTS, H = 9, 4, 3, 5
WIDTHS = pytest.mark.parametrize("N", [1, 2, 3, 5, T + 2])
ACTIVATIONS: dict[str, Any] = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}


def case(N: int) -> tuple[Cell, Weights, Array, Array]:
    """The cell, random weights, inputs and resets in double precision."""
    rng, cell = np.random.default_rng(N), cell_of(ModelSettings("window", window=N))
    weights = Weights(*(rng.normal(0, 0.5, shape) for shape in cell.shapes(INPUTS, H).values()))
    keep = (rng.random((T, B)) > 0.25).astype(float)
    return cell, weights, rng.normal(size=(T, B, INPUTS)), keep


def defined(weights: Weights, x: Array, keep: Array, N: int, activation: str) -> Array:
    """h (T, B, H) by (1), a word at a time: zeros stand for what is before a reset."""
    matrix = np.concatenate(np.split(weights.weight_ih, N), axis=1)  # (H, N I)
    h = np.empty((T, B, H))
    for t, b in np.ndindex(T, B):
        start = max((u for u in range(t + 1) if keep[u, b] == 0), default=0)
        seen = [x[u, b] if u >= start else np.zeros(INPUTS) for u in range(t, t - N, -1)]
        h[t, b] = ACTIVATIONS[activation](matrix @ np.concatenate(seen) + weights.bias_ih)
    return h


def zero(cell: Cell) -> tuple[Array, ...]:
    """The state before the first word."""
    return tuple(np.zeros((B, H)) for _ in range(cell.n_states))


@WIDTHS
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_definition(N: int, activation: str) -> None:
    cell, weights, x, keep = case(N)
    h, state, _ = cell.forward(weights, x, zero(cell), keep, activation)
    np.testing.assert_allclose(h, defined(weights, x, keep, N, activation), atol=1e-14)
    np.testing.assert_array_equal(state[0], h[-1])


@WIDTHS
def test_steps_are_the_forward_pass(N: int) -> None:
    cell, weights, x, _ = case(N)
    h, last, _ = cell.forward(weights, x, zero(cell), None, "tanh")
    state = zero(cell)
    for t in range(T):
        state = cell.step(weights, x[t], state)
        np.testing.assert_allclose(state[0], h[t], atol=1e-14)
    for part, expected in zip(state, last, strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-14)


@WIDTHS
def test_the_gradient_of_the_first_state(N: int) -> None:
    cell, weights, x, keep = case(N)
    rng = np.random.default_rng(0)
    state = tuple(rng.normal(size=(B, H)) for _ in range(N))
    dh, dlast = rng.normal(size=(T, B, H)), tuple(rng.normal(size=(B, H)) for _ in range(N))

    def loss() -> float:
        h, last, _ = cell.forward(weights, x, state, keep, "tanh")
        return float((h * dh).sum() + sum((a * b).sum() for a, b in zip(last, dlast, strict=True)))

    gradients = Weights(*(np.full_like(array, np.nan) for array in weights))
    _, _, tape = cell.forward(weights, x, state, keep, "tanh")
    _, dfirst = cell.backward(weights, gradients, tape, dh, dlast)
    for part, analytic in zip(state, dfirst, strict=True):
        for at in [(b, (3 * b + N) % H) for b in range(B)]:
            value = part[at]
            part[at] = value + 1e-5
            above = loss()
            part[at] = value - 1e-5
            slope = (above - loss()) / 2e-5
            part[at] = value
            assert analytic[at] == pytest.approx(slope, rel=1e-5, abs=1e-7)


def test_what_is_seen_ends_with_the_window() -> None:
    cell, weights, x, _ = case(3)
    before = cell.forward(weights, x, zero(cell), None, "tanh")[0]
    x[2] += 1
    after = cell.forward(weights, x, zero(cell), None, "tanh")[0]
    changed = (before != after).any((1, 2))
    np.testing.assert_array_equal(np.flatnonzero(changed), [2, 3, 4])


def test_nothing_leads_from_state_to_state() -> None:
    shapes = CELLS["window"].wide(4).shapes(INPUTS, H)
    assert shapes == {
        "weight_ih": (4 * H, INPUTS),
        "weight_hh": (0, H),
        "bias_ih": (H,),
        "bias_hh": (0,),
    }
    assert CELLS["lstm"].wide(4) is CELLS["lstm"]
