"""A fixed window of words: the feed-forward language model of Bengio et al. (2003) as a cell.

Notation: x (B, I) input, N words of the window, the present one among them. W = weight_ih holds
the blocks W_0 .. W_{N-1} of rows; d = bias_ih, of W_0 alone; weight_hh and bias_hh are empty.

    h[t] = g(d + W_0 x[t] + W_1 x[t-1] + ... + W_{N-1} x[t-N+1]),  g = tanh or ReLU   (1)

A shift register of partial sums is a state, so that no word is read twice:

    z_k = x W_k',  z_0 = x W_0' + d                             (2)
    s_k[t] = z_k + s_{k+1}[t-1],  s_N = 0,  k = 0 .. N-1        (3)
    h[t] = g(s_0[t])                                            (4)

The state is h, s_1, .., s_{N-1}; of h nothing is read. Before a stream's first word are zeros.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array
from lmtool.nn.cells.base import Cell, State, Weights, gates, project
from lmtool.nn.cells.rnn import ACTIVATIONS

__all__ = ["CELL"]

WORDS = 5  # N, where nothing else is said

SLOPES: dict[str, Callable[[Array], Array]] = {  # of ACTIVATIONS, by what they give
    "tanh": lambda h: 1 - h * h,
    "relu": lambda h: np.sign(h),
}


class Tape(NamedTuple):
    """What the backward pass needs, all (T, B, ...)."""

    x: Array
    keep: Array | None  # (T, B)
    h: Array
    activation: str


@dataclass(frozen=True, slots=True)
class Window(Cell):
    """A cell with a block of rows and a part of the state for each word."""

    def wide(self, words: int) -> Cell:
        """For so many words."""
        return replace(self, n_gates=words, n_states=words)

    def shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Those of the weights; nothing leads from h to h."""
        shapes = ((self.n_gates * hidden, inputs), (0, hidden), (hidden,), (0,))
        return dict(zip(Weights._fields, shapes, strict=True))


def update(weights: Weights, zx: Array, zh: Array, state: State, activation: str = "tanh") -> State:
    """One step: zx (B, N*H) = (2) side by side, zh empty."""
    z = gates(zx, len(state))
    s = [own + before for own, before in zip(z, (*state[1:], 0), strict=True)]  # (3)
    return (ACTIVATIONS[activation](s[0]), *s[1:])  # (4)


def forward(
    weights: Weights, x: Array, state: State, keep: Array | None, activation: str = "tanh"
) -> tuple[Array, State, Tape]:
    """x (T, B, I) -> h (T, B, H), last state, tape."""
    from lmtool.nn import kernels  # only training loads numba

    H = weights.weight_hh.shape[1]
    s = project(weights, x)  # (2); becomes the sums in place
    before = np.concatenate(state, axis=1)  # in place of s_0, which is not read again, h
    s_in = np.empty_like(before)
    for t in range(len(s)):
        kernels.enter(before, kernels.row(keep, t), s_in)
        s[t, :, :-H] += s_in[:, H:]  # (3)
        before = s[t]
    h = ACTIVATIONS[activation](s[:, :, :H])  # (4)
    return h, (h[-1].copy(), *apart(before, H)[1:]), Tape(x, keep, h, activation)


def backward(
    weights: Weights, gradients: Weights, tape: Tape, dh: Array, dstate: State
) -> tuple[Array, State]:
    """dh (T, B, H) -> dx (T, B, I) and the gradient of the first state."""
    from lmtool.nn import kernels

    T, B, H = dh.shape
    dz = np.empty((T, B, H * len(dstate)), dh.dtype)
    slope = SLOPES[tape.activation](tape.h)
    np.multiply(dh, slope, out=dz[:, :, :H])  # 4'
    dz[-1, :, :H] += dstate[0] * slope[-1]
    d = np.concatenate(dstate, axis=1)  # of the state after a step, the place of h unused
    for t in reversed(range(T)):
        dz[t, :, H:] = d[:, H:]
        d[:, H:] = dz[t, :, :-H]  # 3'
        kernels.enter(d, kernels.row(tape.keep, t), d)
    d[:, :H] = 0
    return weight_gradients(weights, gradients, tape.x, dz), apart(d, H)


def weight_gradients(weights: Weights, gradients: Weights, x: Array, dz: Array) -> Array:
    """2': gradients of the weights, all time steps in one product each, and dx (T, B, I)."""
    dz2, H = dz.reshape(-1, dz.shape[2]), len(gradients.bias_ih)
    np.dot(dz2.T, x.reshape(-1, x.shape[2]), out=gradients.weight_ih)
    gradients.bias_ih[...] = np.ones(len(dz2), dz.dtype) @ dz2[:, :H]
    return (dz2 @ weights.weight_ih).reshape(x.shape)


def apart(side_by_side: Array, H: int) -> State:
    """The parts of a state (B, N*H), each in memory of its own."""
    return tuple(part.copy() for part in gates(side_by_side, side_by_side.shape[1] // H))


CELL = Window("window", WORDS, WORDS, update, forward, backward)
