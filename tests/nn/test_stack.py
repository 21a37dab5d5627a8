"""Cells both ways over ragged sequences: gradients, PyTorch, and each sequence as if alone."""

from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array
from lmtool.nn.cells import CELLS
from lmtool.nn.noise import QUIET, Noise
from lmtool.nn.packed import packed
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import Stack, backward, forward, no_future, read

S, B, INPUTS, HIDDEN = 6, 3, 4, 5
LENGTHS = np.array([6, 2, 4])
STARTS = S - LENGTHS
TIME = np.arange(S)[:, None]
KEEP = (STARTS != TIME).astype(np.float64)
REAL = STARTS <= TIME
TURN = np.where(REAL, STARTS + S - 1 - TIME, TIME)
STACKS = [
    Stack(cell, layers, INPUTS, HIDDEN, "tanh", both)
    for cell in (*CELLS.values(), CELLS["window"].wide(1), CELLS["window"].wide(2))
    for layers in (1, 2)
    for both in (False, True)
]


def named(stack: Stack) -> str:
    """What a test is called."""
    return f"{stack.cell.name}-{stack.cell.n_states}-{stack.layers}-{stack.both}"


each = pytest.mark.parametrize("stack", STACKS, ids=named)


def case(stack: Stack) -> tuple[Parameters, Array]:
    """Random weights and sources in double precision; padding is noise that must not be seen."""
    rng = np.random.default_rng(7)
    parameters = Parameters(stack.shapes(), dtype=np.float64)
    parameters.flat[:] = rng.normal(size=parameters.flat.size) * 0.5
    return parameters, rng.normal(size=(S, B, INPUTS))


def run(stack: Stack, parameters: Parameters, x: Array, noise: Noise = QUIET) -> Any:
    """The top, the last states and the tape."""
    return forward(stack, parameters, x, stack.zero_state(B, np.float64), KEEP, noise, TURN)


@each
def test_gradients_equal_finite_differences(stack: Stack) -> None:
    parameters, x = case(stack)
    ask = np.random.default_rng(1).normal(size=(S, B, stack.outputs)) * REAL[..., None]
    gradients = parameters.like()
    gradients.flat[...] = np.nan  # overwritten

    def loss() -> float:
        top, last, _ = run(stack, parameters, x, Noise(0.3, rng=np.random.default_rng(5)))
        return float((top * ask).sum() + sum(part.sum() for one in last for part in one))

    _, last, tape = run(stack, parameters, x, Noise(0.3, rng=np.random.default_rng(5)))
    dlast = tuple(tuple(np.ones_like(part) for part in one) for one in last)
    dx, _ = backward(stack, parameters, gradients, tape, ask, dlast, TURN)
    assert (dx[~REAL] == 0).all()
    for numbers, analytic in ((parameters.flat, gradients.flat), (x.reshape(-1), dx.reshape(-1))):
        for i in np.random.default_rng(2).choice(numbers.size, 30):
            value, step = numbers[i], 1e-5
            numbers[i] = value + step
            above = loss()
            numbers[i] = value - step
            below = loss()
            numbers[i] = value
            assert analytic[i] == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-7)


@each
def test_each_sequence_is_computed_as_if_alone(stack: Stack) -> None:
    parameters, x = case(stack)
    top, last, _ = run(stack, parameters, x)
    for b, start in enumerate(STARTS):
        own = x[start:, b : b + 1]
        turn = np.arange(len(own))[::-1, None]
        zero = stack.zero_state(1, np.float64)
        alone, after, _ = forward(stack, parameters, own, zero, None, QUIET, turn)
        np.testing.assert_allclose(top[start:, b : b + 1], alone, atol=1e-14)
        for one, other in zip(last, after, strict=True):
            np.testing.assert_allclose(one[0][b], other[0][0], atol=1e-14)


@each
def test_reading_is_the_forward_pass(stack: Stack) -> None:
    parameters, x = case(stack)
    top, last, _ = run(stack, parameters, x)
    rows = packed(STARTS, S)
    again, after = read(stack, parameters, x[rows.times, rows.columns], rows)
    np.testing.assert_allclose(again, top[rows.times, rows.columns], atol=1e-12)
    for one, other in zip(after, last, strict=True):
        for part, expected in zip(one, other, strict=True):
            np.testing.assert_allclose(rows.by_column(part), expected, atol=1e-12)


def test_the_second_direction_sees_the_future() -> None:
    one, both = (Stack(CELLS["gru"], 1, INPUTS, HIDDEN, "tanh", ways) for ways in (False, True))
    for stack in (one, both):
        parameters, x = case(stack)
        before = run(stack, parameters, x)[0][0, 0]
        x[-1, 0] += 1
        assert np.array_equal(run(stack, parameters, x)[0][0, 0], before) == (stack is one)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layers", [1, 2])
def test_both_ways_equal_torch(cell: str, layers: int) -> None:
    torch = pytest.importorskip("torch", reason="compared with PyTorch only where it is installed")
    stack = Stack(CELLS[cell], layers, INPUTS, HIDDEN, "tanh", True)
    parameters, x = case(stack)
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
    network = kind(INPUTS, HIDDEN, layers, bidirectional=True).double()
    weights = {name.removeprefix("rnn."): torch.tensor(w) for name, w in parameters.items()}
    left = np.stack([np.roll(x[:, b], -start, 0) for b, start in enumerate(STARTS)], 1)
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(left), LENGTHS, enforce_sorted=False
    )
    network.load_state_dict(weights)
    with torch.no_grad():
        expected, _ = torch.nn.utils.rnn.pad_packed_sequence(network(packed)[0])
    top, _, _ = run(stack, parameters, x)
    for b, start in enumerate(STARTS):
        np.testing.assert_allclose(top[start:, b], expected[: LENGTHS[b], b].numpy(), atol=1e-12)


def test_nothing_comes_after_the_cut() -> None:
    states = STACKS[0].zero_state(2)
    assert all((part == 0).all() for one in no_future(states) for part in one)
