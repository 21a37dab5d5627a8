"""The simple recurrent network of the lecture (Elman 1990), as ``torch.nn.RNN``.

Notation: x (B, I) input, h (B, H) state, the lecture's a. With W_a = [weight_hh, weight_ih]:

    h[t] = g(x W' + bias_ih + h[t-1] U' + bias_hh),  g = tanh or ReLU     (1)
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array
from lmtool.nn.cells.base import (
    Cell,
    State,
    Weights,
    factor,
    multiply,
    project,
    weight_gradients,
)

__all__ = ["ACTIVATIONS", "CELL"]


def relu(x: Array) -> Array:
    """max(x, 0)."""
    return np.maximum(x, 0)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {"tanh": np.tanh, "relu": relu}


class Tape(NamedTuple):
    """What the backward pass needs, all (T, B, ...)."""

    x: Array
    keep: Array | None  # (T, B)
    h_in: Array  # h entering each step, after resets
    h: Array
    activation: str


def update(weights: Weights, zx: Array, zh: Array, state: State, activation: str = "tanh") -> State:
    """One step: zx (B, H) = x W' + bias_ih, zh = h U'."""
    return (ACTIVATIONS[activation](zx + zh + weights.bias_hh),)  # (1)


def forward(
    weights: Weights, x: Array, state: State, keep: Array | None, activation: str = "tanh"
) -> tuple[Array, State, Tape]:
    """x (T, B, I) -> h (T, B, H), last state, tape."""
    from lmtool.nn import kernels  # only training loads numba

    activate = kernels.ACTIVATE[activation]
    T, B, _ = x.shape
    H = weights.weight_hh.shape[1]
    h = project(weights, x)  # becomes h in place
    h_in, recurrent = np.empty_like(h), np.empty((B, H), x.dtype)
    U = factor(weights.weight_hh.T)
    (h_last,) = state
    for t in range(T):
        kernels.enter(h_last, kernels.row(keep, t), h_in[t])
        multiply(h_in[t], U, recurrent)
        activate(h[t], recurrent, weights.bias_hh)
        h_last = h[t]
    return h, (h_last.copy(),), Tape(x, keep, h_in, h, activation)


def backward(
    weights: Weights, gradients: Weights, tape: Tape, dh: Array, dstate: State
) -> tuple[Array, State]:
    """dh (T, B, H) -> dx (T, B, I) and the gradient of the first state."""
    from lmtool.nn import kernels

    activate_backward = kernels.ACTIVATE_BACKWARD[tape.activation]
    dz = np.empty_like(tape.h)
    U = factor(weights.weight_hh)
    dh_next = np.array(dstate[0])
    for t in reversed(range(len(dh))):
        activate_backward(tape.h[t], dh[t], dh_next, dz[t])  # 1'
        multiply(dz[t], U, dh_next)
        kernels.enter(dh_next, kernels.row(tape.keep, t), dh_next)
    return weight_gradients(weights, gradients, tape.x, tape.h_in, dz, dz), (dh_next,)


CELL = Cell("rnn", n_gates=1, n_states=1, update=update, forward=forward, backward=backward)
