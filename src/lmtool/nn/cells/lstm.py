"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

Notation: x (B, I) input, h, c (B, H) state, s the logistic function, * element by element.
W = weight_ih, U = weight_hh, rows in torch's order i, f, g, o.

    z = x W' + h[t-1] U' + b                                    (1)
    i = s(z_i)   f = s(z_f)   g = tanh(z_g)   o = s(z_o)        (2)
    c[t] = f * c[t-1] + i * g                                   (3)
    h[t] = o * tanh(c[t])                                       (4)
"""

from functools import cache
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
    weight_gradients,
)

__all__ = ["CELL"]


class Tape(NamedTuple):
    """What the backward pass needs, all (T, B, ...)."""

    x: Array
    keep: Array | None  # (T, B)
    h_in: Array  # h entering each step, after resets
    c_in: Array
    gates: Array  # i, f, g, o: (T, B, 4H)
    tanh_c: Array


def update(weights: Weights, zx: Array, zh: Array, state: State, activation: str = "tanh") -> State:
    """One step: zx (B, 4H) = x W' + bias_ih, zh = h U'."""
    z = zx + zh
    z += weights.bias_hh  # (1)
    i, f, g, o = gates(squashed(z), 4)
    c = f * state[1] + i * g  # (3)
    return o * np.tanh(c), c  # (4)


def squashed(z: Array) -> Array:
    """(2) in place, all gates at once: s(x) = tanh(x / 2) / 2 + 1 / 2."""
    scale, shift = slopes(z.shape[1] // 4, z.dtype.char)
    z *= scale
    np.tanh(z, out=z)
    z *= scale
    z += shift
    return z


@cache
def slopes(H: int, dtype: str) -> tuple[Array, Array]:
    """1/2 and 1/2 for i, f and o; 1 and 0 for g: (4H,) each."""
    scale = np.repeat(np.array([0.5, 0.5, 1, 0.5], dtype), H)
    return scale, 1 - scale


def forward(
    weights: Weights, x: Array, state: State, keep: Array | None, activation: str = "tanh"
) -> tuple[Array, State, Tape]:
    """x (T, B, I) -> h (T, B, H), last state, tape."""
    from lmtool.nn import kernels  # only training loads numba

    T, B, _ = x.shape
    H = weights.weight_hh.shape[1]
    z = project(weights, x)  # the input's part of (1), all steps at once
    h, h_in, c_in, tanh_c = (np.empty((T, B, H), x.dtype) for _ in range(4))
    recurrent = np.empty((B, 4 * H), x.dtype)
    U = factor(weights.weight_hh.T)
    h_last, c_last = state
    c = np.empty((B, H), x.dtype)
    for t in range(T):
        kernels.enter(h_last, kernels.row(keep, t), h_in[t])
        kernels.enter(c_last, kernels.row(keep, t), c_in[t])
        multiply(h_in[t], U, recurrent)
        kernels.lstm_gates(z[t], recurrent, weights.bias_hh, c_in[t], c, tanh_c[t], h[t])
        h_last, c_last = h[t], c
    return h, (h_last.copy(), c_last.copy()), Tape(x, keep, h_in, c_in, z, tanh_c)


def backward(
    weights: Weights, gradients: Weights, tape: Tape, dh: Array, dstate: State
) -> tuple[Array, State]:
    """dh (T, B, H) -> dx (T, B, I) and the gradient of the first state."""
    from lmtool.nn import kernels

    dz = np.empty_like(tape.gates)
    U = factor(weights.weight_hh)
    dh_next, dc = (np.ascontiguousarray(d).copy() for d in dstate)
    for t in reversed(range(len(dh))):
        kernels.lstm_gates_backward(
            tape.gates[t], tape.tanh_c[t], tape.c_in[t], dh[t], dh_next, dc, dz[t]
        )  # 4', 3', 2'
        multiply(dz[t], U, dh_next)  # 1'
        kernels.enter(dh_next, kernels.row(tape.keep, t), dh_next)
        kernels.enter(dc, kernels.row(tape.keep, t), dc)
    return weight_gradients(weights, gradients, tape.x, tape.h_in, dz, dz), (dh_next, dc)


def open_forget_gates(weights: Weights) -> None:
    """What is remembered at first is kept (Jozefowicz et al. 2015): b_f = 1."""
    H = weights.weight_hh.shape[1]
    weights.bias_ih[H : 2 * H] = 1


def kept(tape: Tape) -> Array:
    """f (T, B, H), the share of c[t-1] in c[t]."""
    H = tape.h_in.shape[2]
    return tape.gates[:, :, H : 2 * H]


CELL = Cell("lstm", 4, 2, update, forward, backward, initialise=open_forget_gates, kept=kept)
