"""What a cell is: a record of functions over arrays in the layout of ``torch.nn``.

T time, B batch, I inputs, H hidden, G gates. A state is a tuple of (B, H) arrays, h first.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lmtool.arrays import Array
from lmtool.nn.rowwise import apart, product

__all__ = [
    "Cell",
    "Factor",
    "State",
    "Weights",
    "biased",
    "factor",
    "gates",
    "multiply",
    "project",
    "sigmoid",
    "weight_gradients",
]

State = tuple[Array, ...]


class Weights(NamedTuple):
    """One layer's weights, or their gradients."""

    weight_ih: Array  # (G*H, I)
    weight_hh: Array  # (G*H, H)
    bias_ih: Array  # (G*H,)
    bias_hh: Array  # (G*H,)


@dataclass(frozen=True, slots=True)
class Cell:
    """A recurrent cell.

    update(weights, zx (B, G*H), zh (B, G*H), state, activation) -> state: one step, numpy, the
    readable definition; zx = x weight_ih' + bias_ih, zh = h weight_hh'.
    forward(weights, x (T, B, I), state, keep (T, B) | None, activation) -> (h (T, B, H), state,
    tape); keep[t, b] = 0 resets the state of stream b before step t.
    backward(weights, gradients, tape, dh (T, B, H), dstate) -> (dx (T, B, I), dstate);
    ``gradients`` are overwritten.
    initialise(weights): what fresh weights need beside their uniform numbers.
    kept(tape) -> the gate (T, B, H) by which the old state is kept, of cells with one.
    A cell may have an empty weight_hh (0, H), and biases of its first gates alone.
    """

    name: str
    n_gates: int  # G
    n_states: int
    update: Callable[[Weights, Array, Array, State, str], State]
    forward: Callable[[Weights, Array, State, Array | None, str], tuple[Array, State, Any]]
    backward: Callable[[Weights, Weights, Any, Array, State], tuple[Array, State]]
    initialise: Callable[[Weights], None] = lambda weights: None
    kept: Callable[[Any], Array] | None = None

    def wide(self, words: int) -> "Cell":
        """The cell that sees so many words at once; itself where there is but one."""
        return self

    def products(self, inputs: int, hidden: int) -> int:
        """Multiplications of a step: the numbers in its matrices."""
        shapes = self.shapes(inputs, hidden).values()
        return sum(math.prod(shape) for shape in shapes if len(shape) > 1)

    def shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Those of the weights, by their names in Weights."""
        G = self.n_gates
        shapes = ((G * hidden, inputs), (G * hidden, hidden), (G * hidden,), (G * hidden,))
        return dict(zip(Weights._fields, shapes, strict=True))

    def read(
        self, weights: Weights, x: Array, counts: Sequence[int], activation: str
    ) -> tuple[Array, State]:
        """Sequences from zero state, ``counts`` of them at each step: x (N, I) -> h (N, H), state.

        In numpy, and a sequence has bits of its own: see ``lmtool.nn.packed``.
        """
        zx = biased(apart(x, weights.weight_ih), weights.bias_ih)
        h = np.empty((len(x), weights.weight_hh.shape[1]), x.dtype)
        state, start = (h[:0],) * self.n_states, 0
        for n in counts:
            now, state = slice(start, start + n), begun(state, n)
            zh = apart(state[0], weights.weight_hh)
            state = self.update(weights, zx[now], zh, state, activation)
            h[now] = state[0]
            start += n
        return h, state

    def advance(self, weights: Weights, zx: Array, state: State, activation: str) -> State:
        """The state after one step, zx (B, G*H) = x weight_ih' + bias_ih."""
        return self.update(weights, zx, product(state[0], weights.weight_hh), state, activation)

    def step(self, weights: Weights, x: Array, state: State, activation: str = "tanh") -> State:
        """The state after one input x (B, I)."""
        zx = biased(product(x, weights.weight_ih), weights.bias_ih)
        return self.advance(weights, zx, state, activation)


def begun(state: State, n: int) -> State:
    """The state of n streams: others join those that there are, from zero."""
    new = n - len(state[0])
    if not new:
        return state
    return tuple(
        np.concatenate([part, np.zeros_like(part, shape=(new, *part.shape[1:]))]) for part in state
    )


def project(weights: Weights, x: Array) -> Array:
    """x weight_ih' + bias_ih: (..., I) -> (..., G*H), in one product."""
    z = biased(x.reshape(-1, x.shape[-1]) @ weights.weight_ih.T, weights.bias_ih)
    return z.reshape(*x.shape[:-1], -1)


def biased(z: Array, bias: Array) -> Array:
    """z (N, G*H) plus the biases (n,) of its first n columns, in place."""
    z[:, : len(bias)] += bias
    return z


def gates(z: Array, n: int) -> Array:
    """Views of the gates side by side: z (B, n*H) -> (n, B, H)."""
    return z.reshape(len(z), n, -1).swapaxes(0, 1)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow."""
    y = 0.5 * x
    np.tanh(y, out=y)
    y *= 0.5
    y += 0.5
    return y


class Factor(NamedTuple):
    """A matrix (K, N), laid out so that many products with few rows each are fast."""

    strips: Array | None  # (n, K, width), the last one its last columns
    whole: Array  # (K, N)


def factor(x: Array) -> Factor:
    """x (K, N), of which a copy is made: fast for a transposed view, too.

    BLAS copies both matrices of a product into another order first, which costs as much as the
    product where it has few rows; ``lmtool.nn.kernels.products`` takes a copy that is made once.
    """
    from lmtool.nn import kernels  # only training loads numba

    width, N = kernels.strip_width(x.itemsize), x.shape[1]
    if not 0 < width <= N:
        return Factor(None, np.ascontiguousarray(x))
    strips = np.empty((-(-N // width), len(x), width), x.dtype)
    for i, strip in enumerate(strips):
        start = min(i * width, N - width)
        strip[...] = x[:, start : start + width]
    return Factor(strips, x)


def multiply(x: Array, y: Factor, out: Array) -> None:
    """out (M, N) = x (M, K) y."""
    from lmtool.nn import kernels

    if y.strips is None:
        np.matmul(x, y.whole, out=out)
    else:
        kernels.multiply_strips(x, y.strips, out)


def weight_gradients(
    weights: Weights, gradients: Weights, x: Array, h_in: Array, dzx: Array, dzh: Array
) -> Array:
    """Gradients of the weights, all time steps in one product each, and dx (T, B, I).

    dzx, dzh (T, B, G*H): gradients of x weight_ih' + bias_ih and h_in weight_hh' + bias_hh.
    """
    dzx2, dzh2 = dzx.reshape(-1, dzx.shape[2]), dzh.reshape(-1, dzh.shape[2])
    np.dot(dzx2.T, x.reshape(-1, x.shape[2]), out=gradients.weight_ih)
    np.dot(dzh2.T, h_in.reshape(-1, h_in.shape[2]), out=gradients.weight_hh)
    ones = np.ones(len(dzx2), dzx.dtype)
    np.dot(ones, dzx2, out=gradients.bias_ih)
    if dzh is dzx:
        gradients.bias_hh[...] = gradients.bias_ih
    else:
        np.dot(ones, dzh2, out=gradients.bias_hh)
    return (dzx2 @ weights.weight_ih).reshape(x.shape)
