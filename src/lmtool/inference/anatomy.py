"""Every product of one step with its shapes: the lecture's check of dimensions.

Vectors are rows, as on the slides, so that a weight of ``torch.nn`` stands transposed:
W_ax = weight_ih' (I, G H), W_aa = weight_hh' (H, G H), W_a = [W_aa; W_ax]. The two forms

    [a_{t-1}, x_t] W_a  =  a_{t-1} W_aa + x_t W_ax

are both computed, and their largest difference is told. A cell's own lines are in ``LINES``.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from lmtool.arrays import Array
from lmtool.display import Shown
from lmtool.nn.cells import State, Weights
from lmtool.nn.cells.base import gates, sigmoid
from lmtool.nn.cells.rnn import ACTIVATIONS

__all__ = ["LINES", "Layer", "Line", "line", "product"]

GATES: dict[str, tuple[str, Callable[[Array], Array]]] = {  # of an LSTM, in torch's order
    "i": ("s", sigmoid),
    "f": ("s", sigmoid),
    "g": ("tanh", np.tanh),
    "o": ("s", sigmoid),
}


@dataclass(frozen=True, slots=True, repr=False)
class Line(Shown):
    """A row of a step: a product, or what is made of products."""

    _shown = ("name", "shapes")

    name: str  # ``a_2 W_aa``
    factors: tuple[tuple[int, int], ...]  # shapes that are multiplied; () where nothing is
    shape: tuple[int, int]
    values: tuple[float, ...]  # () where there are V of them
    equals: str = ""  # the other way to the same numbers
    difference: float | None = None  # the largest, from those

    @property
    def shapes(self) -> str:
        """``1 x 4 . 4 x 277 = 1 x 277``"""
        factors = " . ".join(f"{m} x {n}" for m, n in self.factors)
        whole = f"{self.shape[0]} x {self.shape[1]}"
        return f"{factors} = {whole}" if factors else whole

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


class Layer(NamedTuple):
    """A cell at step t."""

    weights: Weights
    activation: str
    xs: Array  # (t, I) what it has read, x_t last
    before: State  # (1, H) each
    after: State

    @property
    def t(self) -> int:
        """The step, from 1."""
        return len(self.xs)

    @property
    def x(self) -> Array:
        """(1, I)"""
        return self.xs[-1:]


def line(name: str, values: Array) -> Line:
    """What is no product: values (1, n)."""
    return Line(name, (), (1, values.size), tuple(values.ravel().tolist()))


def product(name: str, x: Array, W: Array, equals: str = "", other: Array | None = None) -> Line:
    """x (1, K) W (K, N), and how far it is from the ``other`` way to it."""
    (m, k), (_, n), xW = x.shape, W.shape, x @ W
    difference = None if other is None else float(np.abs(xW - other).max())
    return Line(name, ((m, k), (k, n)), (m, n), tuple(xW.ravel().tolist()), equals, difference)


def simple(layer: Layer) -> Iterator[Line]:
    """tanh or ReLU of a sum."""
    t, weights = layer.t, layer.weights
    yield from summed(layer)
    z = pre_activation(layer)
    yield line(f"z_{t}, their sum", z)
    yield activated(layer, z)
    yield stacked(layer, weights.weight_hh.T, weights.weight_ih.T)


def lstm(layer: Layer) -> Iterator[Line]:
    """Gates i, f, o and the candidate g."""
    t, weights = layer.t, layer.weights
    yield from summed(layer)
    z = pre_activation(layer)
    yield line(f"z_{t}, their sum", z)
    for (name, (spelled, function)), value in zip(GATES.items(), gates(z, 4), strict=True):
        yield line(f"{name}_{t} = {spelled}(z_{name})", function(value))
    a, c = layer.after
    yield line(f"c_{t} = f_{t} * c_{t - 1} + i_{t} * g_{t}", c)
    yield line(f"a_{t} = o_{t} * tanh(c_{t})", a)
    yield stacked(layer, weights.weight_hh.T, weights.weight_ih.T)


def gru(layer: Layer) -> Iterator[Line]:
    """Gates r and u, the candidate n; only of r and u are both products one sum."""
    t, weights, H = layer.t, layer.weights, layer.before[0].shape[1]
    yield from summed(layer)
    zx = layer.x @ weights.weight_ih.T + weights.bias_ih
    zh = layer.before[0] @ weights.weight_hh.T + weights.bias_hh
    r, u = gates(sigmoid(zx + zh)[:, : 2 * H], 2)
    n = np.tanh(zx[:, 2 * H :] + r * zh[:, 2 * H :])
    yield line(f"r_{t} = s(z_r)", r)
    yield line(f"u_{t} = s(z_u)", u)
    yield line(f"n_{t} = tanh(x part + r_{t} * a part)", n)
    yield line(f"a_{t} = (1 - u_{t}) * n_{t} + u_{t} * a_{t - 1}", layer.after[0])
    yield stacked(
        layer, weights.weight_hh.T[:, : 2 * H], weights.weight_ih.T[:, : 2 * H], " of r, u"
    )


def window(layer: Layer) -> Iterator[Line]:
    """A block of the matrix for each word; nothing of a_{t-1} is read."""
    t, N = layer.t, len(layer.before)
    W = [block.T for block in np.split(layer.weights.weight_ih, N)]
    xs = [layer.xs[t - 1 - k][None] if k < t else np.zeros_like(layer.x) for k in range(N)]
    for k, (x, block) in enumerate(zip(xs, W, strict=True)):
        yield product(f"x_{t - k} W_{k}", x, block)
    yield line("d", layer.weights.bias_ih)
    total = np.sum([x @ block for x, block in zip(xs, W, strict=True)], axis=0)
    z = total + layer.weights.bias_ih
    yield line(f"z_{t}, their sum", z)
    yield activated(layer, z)
    side_by_side, whole = np.concatenate(xs, axis=1), np.concatenate(W)
    yield product(f"[x_{t} .. x_{t - N + 1}] W", side_by_side, whole, "= the sum of x W", total)


LINES: dict[str, Callable[[Layer], Iterator[Line]]] = {
    "rnn": simple,
    "lstm": lstm,
    "gru": gru,
    "window": window,
}


def summed(layer: Layer) -> Iterator[Line]:
    """What the argument of the activation is the sum of."""
    t, weights = layer.t, layer.weights
    yield product(f"x_{t} W_ax", layer.x, weights.weight_ih.T)
    yield product(f"a_{t - 1} W_aa", layer.before[0], weights.weight_hh.T)
    yield line("b_a", weights.bias_ih + weights.bias_hh)


def pre_activation(layer: Layer) -> Array:
    """z_t: (1, G H)."""
    weights = layer.weights
    z = layer.x @ weights.weight_ih.T + layer.before[0] @ weights.weight_hh.T
    return np.asarray(z + weights.bias_ih + weights.bias_hh)


def activated(layer: Layer, z: Array) -> Line:
    """a_t of z_t."""
    t, name = layer.t, layer.activation
    return line(f"a_{t} = {name}(z_{t})", ACTIVATIONS[name](z))


def stacked(layer: Layer, W_aa: Array, W_ax: Array, of: str = "") -> Line:
    """[a_{t-1}, x_t] W_a, and how far it is from the sum of the two products."""
    t, a = layer.t, layer.before[0]
    row, W_a = np.concatenate([a, layer.x], axis=1), np.concatenate([W_aa, W_ax])
    other = a @ W_aa + layer.x @ W_ax
    return product(f"[a_{t - 1} x_{t}] W_a{of}", row, W_a, f"= a_{t - 1} W_aa + x_{t} W_ax", other)
