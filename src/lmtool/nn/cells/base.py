"""What a cell is: a record of functions over arrays in the layout of ``torch.nn``.

T time, B batch, I inputs, H hidden, G gates. A state is a tuple of (B, H) arrays, h first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lmtool.nn.parameters import Array

__all__ = [
    "Cell",
    "State",
    "Weights",
    "gates",
    "project",
    "sigmoid",
    "transposed",
    "weight_gradients",
]

State = tuple[Array, ...]

STRIP = 32  # rows


class Weights(NamedTuple):
    """One layer's weights, or their gradients."""

    weight_ih: Array  # (G*H, I)
    weight_hh: Array  # (G*H, H)
    bias_ih: Array  # (G*H,)
    bias_hh: Array  # (G*H,)


@dataclass(frozen=True, slots=True)
class Cell:
    """A recurrent cell.

    advance(weights, zx (B, G*H), state, activation) -> state: one step, numpy, the readable
    definition; zx = x weight_ih' + bias_ih.
    forward(weights, x (T, B, I), state, keep (T, B) | None, activation) -> (h (T, B, H), state,
    tape); keep[t, b] = 0 resets the state of stream b before step t.
    backward(weights, gradients, tape, dh (T, B, H), dstate) -> (dx (T, B, I), dstate);
    ``gradients`` are overwritten.
    """

    name: str
    n_gates: int
    n_states: int
    advance: Callable[[Weights, Array, State, str], State]
    forward: Callable[[Weights, Array, State, Array | None, str], tuple[Array, State, Any]]
    backward: Callable[[Weights, Weights, Any, Array, State], tuple[Array, State]]

    def step(self, weights: Weights, x: Array, state: State, activation: str = "tanh") -> State:
        """The state after one input x (B, I)."""
        return self.advance(weights, project(weights, x), state, activation)


def project(weights: Weights, x: Array) -> Array:
    """x weight_ih' + bias_ih: (..., I) -> (..., G*H)."""
    return x @ weights.weight_ih.T + weights.bias_ih


def gates(z: Array, n: int) -> Array:
    """Views of the gates side by side: z (B, n*H) -> (n, B, H)."""
    return z.reshape(len(z), n, -1).swapaxes(0, 1)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


def transposed(x: Array) -> Array:
    """x' in memory of its own: (M, N) -> (N, M); in strips, which is several times faster."""
    out = np.empty(x.shape[::-1], x.dtype)
    for start in range(0, len(x), STRIP):
        out[:, start : start + STRIP] = x[start : start + STRIP].T
    return out


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
    np.dot(ones, dzh2, out=gradients.bias_hh)
    return (dzx2 @ weights.weight_ih).reshape(x.shape)
