"""Gated recurrent unit (Cho et al. 2014), in the form of ``torch.nn.GRU``.

Notation: x (B, I) input, h (B, H) state, s the logistic function, * element by element.
W = weight_ih, U = weight_hh, rows in torch's order r, u, n.

    r = s(x W_r' + h[t-1] U_r' + b_r)                           (1)
    u = s(x W_u' + h[t-1] U_u' + b_u)                           (2)
    m = h[t-1] U_n' + bias_hh_n                                 (3)
    n = tanh(x W_n' + bias_ih_n + r * m)                        (4)
    h[t] = (1 - u) * n + u * h[t-1]                             (5)
"""

from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array
from lmtool.nn.cells.base import (
    Cell,
    State,
    Weights,
    factor,
    gates,
    multiply,
    project,
    sigmoid,
    weight_gradients,
)

__all__ = ["CELL"]


class Tape(NamedTuple):
    """What the backward pass needs, all (T, B, ...)."""

    x: Array
    keep: Array | None  # (T, B)
    h_in: Array  # h entering each step, after resets
    gates: Array  # r, u, n: (T, B, 3H)
    m: Array


def update(weights: Weights, zx: Array, zh: Array, state: State, activation: str = "tanh") -> State:
    """One step: zx (B, 3H) = x W' + bias_ih, zh = h U'."""
    (h,) = state
    both, zh = slice(2 * h.shape[1]), zh + weights.bias_hh
    r, u = gates(sigmoid(zx[:, both] + zh[:, both]), 2)  # (1), (2)
    m = zh[:, both.stop :]  # (3)
    n = np.tanh(zx[:, both.stop :] + r * m)  # (4)
    return ((1 - u) * n + u * h,)  # (5)


def forward(
    weights: Weights, x: Array, state: State, keep: Array | None, activation: str = "tanh"
) -> tuple[Array, State, Tape]:
    """x (T, B, I) -> h (T, B, H), last state, tape."""
    from lmtool.nn import kernels  # only training loads numba

    T, B, _ = x.shape
    H = weights.weight_hh.shape[1]
    z = project(weights, x)
    h, h_in, m = (np.empty((T, B, H), x.dtype) for _ in range(3))
    recurrent = np.empty((B, 3 * H), x.dtype)
    U = factor(weights.weight_hh.T)
    (h_last,) = state
    for t in range(T):
        kernels.enter(h_last, kernels.row(keep, t), h_in[t])
        multiply(h_in[t], U, recurrent)
        kernels.gru_gates(z[t], recurrent, weights.bias_hh, h_in[t], m[t], h[t])
        h_last = h[t]
    return h, (h_last.copy(),), Tape(x, keep, h_in, z, m)


def backward(
    weights: Weights, gradients: Weights, tape: Tape, dh: Array, dstate: State
) -> tuple[Array, State]:
    """dh (T, B, H) -> dx (T, B, I) and the gradient of the first state."""
    from lmtool.nn import kernels

    dzx, dzh = np.empty_like(tape.gates), np.empty_like(tape.gates)
    U = factor(weights.weight_hh)
    dh_next = np.array(dstate[0])
    recurrent = np.empty_like(dh_next)
    for t in reversed(range(len(dh))):
        kernels.gru_gates_backward(
            tape.gates[t], tape.m[t], tape.h_in[t], dh[t], dh_next, dzx[t], dzh[t]
        )  # 5', 4', 2', 1'; leaves dh * u in dh_next
        multiply(dzh[t], U, recurrent)  # 3', 2', 1'
        dh_next += recurrent
        kernels.enter(dh_next, kernels.row(tape.keep, t), dh_next)
    return weight_gradients(weights, gradients, tape.x, tape.h_in, dzx, dzh), (dh_next,)


def kept(tape: Tape) -> Array:
    """u (T, B, H), the share of h[t-1] in h[t]."""
    H = tape.h_in.shape[2]
    return tape.gates[:, :, H : 2 * H]


CELL = Cell("gru", 3, 1, update, forward, backward, kept=kept)
