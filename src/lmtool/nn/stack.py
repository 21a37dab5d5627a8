"""Cells on top of each other, reading one way or both.

x_0 = x                                                                              (1)
h_l = cell_l(x_l * mask_l), and with both ways h_l = [h_l, turn(cell_l'(turn(x_l * mask_l)))]  (2)
x_{l+1} = h_l;   top = x_L * mask_L                                                  (3)

``turn`` reverses each sequence where it stands: one gather along time, its own inverse and its
own backward pass. Padding lies at the front, before the step at which ``keep`` resets the state.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.nn.cells import Cell, State, Weights
from lmtool.nn.noise import Noise, dropout_mask, masked
from lmtool.nn.packed import Packed

__all__ = ["Stack", "States", "Tape", "backward", "forward", "no_future", "read", "turned"]

States = tuple[State, ...]  # one state a layer and direction
Turn = NDArray[np.int64]  # (T, B)


class Stack(NamedTuple):
    """What connects to what."""

    cell: Cell
    layers: int
    inputs: int
    hidden: int
    activation: str = "tanh"
    both: bool = False
    prefix: str = "rnn"

    @property
    def ways(self) -> tuple[str, ...]:
        """The ends of the weights' names, one a direction."""
        return ("", "_reverse") if self.both else ("",)

    @property
    def outputs(self) -> int:
        """D, the size of the top."""
        return self.hidden * len(self.ways) if self.layers else self.inputs

    def places(self) -> list[tuple[int, str]]:
        """(layer, direction) of each cell, in the order of their states."""
        return [(layer, way) for layer in range(self.layers) for way in self.ways]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the weights, as torch.nn has them."""
        return {
            f"{self.prefix}.{name}_l{layer}{way}": shape
            for layer, way in self.places()
            for name, shape in self.cell.shapes(self._inputs(layer), self.hidden).items()
        }

    def weights(self, parameters: Mapping[str, Array], layer: int, way: str = "") -> Weights:
        """One cell's weights as a record of views."""
        names = (f"{self.prefix}.{name}_l{layer}{way}" for name in Weights._fields)
        return Weights(*(parameters[name] for name in names))

    def initialise(self, parameters: Mapping[str, Array]) -> None:
        """What fresh weights need beside their uniform numbers."""
        for layer, way in self.places():
            self.cell.initialise(self.weights(parameters, layer, way))

    def zero_state(self, B: int, dtype: Any = np.float32) -> States:
        """a_0 = 0 for B streams."""
        n = self.cell.n_states if self.layers else 0
        return tuple(
            tuple(np.zeros((B, self.hidden), dtype) for _ in range(n)) for _ in self.places()
        )

    def _inputs(self, layer: int) -> int:
        return self.outputs if layer else self.inputs


class Tape(NamedTuple):
    """What the backward pass needs."""

    masks: list[Array | None]  # before each layer and after the last
    cells: list[Any]  # one a layer and direction


def turned(x: Array, turn: Turn | None) -> Array:
    """x (T, B, D) with each sequence reversed."""
    return x if turn is None else x[turn, np.arange(x.shape[1])]  # whole vectors at a time


def forward(
    stack: Stack,
    parameters: Mapping[str, Array],
    x: Array,
    state: States,
    keep: Array | None,
    noise: Noise,
    turn: Turn | None = None,
) -> tuple[Array, States, Tape]:
    """x (T, B, I) -> top (T, B, D), the states after it, tape; keep (T, B): 0 resets a stream."""
    cell, tape, after = stack.cell, Tape([], []), []
    states = iter(state)
    for layer in range(stack.layers):
        tape.masks.append(dropout_mask(noise.rng, noise.dropout, x[0]))
        x, tops = masked(x, tape.masks[-1]), []
        for way in stack.ways:
            mirror = turn if way else None
            weights = stack.weights(parameters, layer, way)
            h, last, own = cell.forward(
                weights, turned(x, mirror), next(states), keep, stack.activation
            )
            tops.append(turned(h, mirror))
            tape.cells.append(own)
            after.append(last)
        x = tops[0] if len(tops) == 1 else np.concatenate(tops, axis=2)  # (2)
    tape.masks.append(dropout_mask(noise.rng, noise.dropout, x[0]))
    return masked(x, tape.masks[-1]), tuple(after), tape  # (3)


def backward(
    stack: Stack,
    parameters: Mapping[str, Array],
    gradients: Mapping[str, Array],
    tape: Tape,
    dtop: Array,
    dstate: States,
    turn: Turn | None = None,
) -> tuple[Array, States]:
    """dtop (T, B, D) and the last states' gradients -> dx (T, B, I) and the first states'."""
    cell, n, dfirst = stack.cell, len(stack.ways), list(dstate)
    dx = dtop
    for layer in reversed(range(stack.layers)):
        dh = masked(dx, tape.masks[layer + 1])  # 3'
        below: Any = None
        for k, way in enumerate(stack.ways):
            i, mirror = layer * n + k, turn if way else None
            own = dh if n == 1 else np.ascontiguousarray(turned(np.split(dh, n, 2)[k], mirror))
            weights, dweights = (stack.weights(x, layer, way) for x in (parameters, gradients))
            d, dfirst[i] = cell.backward(weights, dweights, tape.cells[i], own, dstate[i])
            below = turned(d, mirror) if below is None else below + turned(d, mirror)
        dx = below  # 2'
    return masked(dx, tape.masks[0]), tuple(dfirst)


def no_future(state: States) -> States:
    """Zeros like the states: what comes after them is cut off, or does not count."""
    return tuple(tuple(np.zeros_like(part) for part in one) for one in state)


def read(
    stack: Stack,
    parameters: Mapping[str, Array],
    x: Array,
    packed: Packed,
) -> tuple[Array, States]:
    """``forward`` from zero state in numpy: x (N, I) -> top (N, D) and the states, longest first.

    The rows are those of ``packed``, and a sequence has bits of its own.
    """
    after = []
    for layer in range(stack.layers):
        tops = []
        for way in stack.ways:
            rows = packed.turn if way else slice(None)
            weights = stack.weights(parameters, layer, way)
            h, last = stack.cell.read(weights, x[rows], packed.counts, stack.activation)
            tops.append(h[rows])
            after.append(last)
        x = tops[0] if len(tops) == 1 else np.concatenate(tops, axis=1)
    return x, tuple(after)
