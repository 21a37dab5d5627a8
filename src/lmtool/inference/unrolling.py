"""The gradient of one step's loss with respect to the weights, term by term, as on the slides.

    dL_t/dW_y = a_t' (p_t - onehot(y_t))                                            (1)
    dL_t/dW_a = sum over k of dL_t/dp_t dp_t/da_t da_t/da_k da_k/dW_a = sum of T_k  (2)
    share_k = <T_k, G> / |G|^2,  G the sum                                          (3)

The shares add up to 1, and one below 0 works against the sum. The sum over all weights is compared
with what the backward pass of training gives at once: ``Unrolled.truncated``.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.display import Shown, Tabular
from lmtool.models.network import Network, output_weights
from lmtool.models.unrolled import Seed, Unrolled, joined, unroll
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States

__all__ = ["SHOWN", "Backward", "BackwardTerm", "back"]

SHOWN = 30  # terms, unless all are asked for; the sum is always of all
EXACT, LARGEST = 512, 1024  # numbers of a state up to which a norm is of an SVD, is computed at all
POWERS = 100  # steps of the power method
RADIUS = 1024  # units up to which eigenvalues are computed
TINY = 1e-300


@dataclass(frozen=True, slots=True, repr=False)
class BackwardTerm(Shown):
    """What step k adds to the gradient of L_t."""

    _shown = ("k", "input", "norm", "share")

    k: int
    input: str
    input_id: int
    state_gradient: float  # |dL_t/ds_k|, of all states
    by_part: dict[str, float]  # the same of a, and of c alone
    product_norm: float | None  # |ds_t/ds_k|, the largest gain; None: the state is too large
    norm: float  # |T_k| with respect to W_a
    norm_hh: float  # W_aa
    norm_ih: float  # W_ax
    share: float | None  # None where the sum is 0
    input_gradient: float  # |dL_t/dx_k|
    kept: float | None  # mean product of the gates that keep the state; None without such gates


@dataclass(frozen=True, slots=True, repr=False)
class Backward(Tabular):
    """dL_t/dW: ``terms`` are those that are shown, the last step first, of ``n_terms``."""

    _shown = ("t", "loss", "norm", "largest_difference")

    t: int
    target: str
    loss: float
    n_terms: int
    terms: tuple[BackwardTerm, ...]
    norm: float  # of the sum of terms
    bptt_norm: float  # of what training computes
    largest_difference: float  # of any number of any weight
    n_state: int  # numbers in s_k
    shape: tuple[int, int]  # of W_a in the first layer
    output_shape: tuple[int, int]  # of W_y
    output_norm: float  # |dL_t/dW_y|
    keeps: float | None  # how much of |dL_t/ds| a step back leaves, on average
    recurrence: tuple[dict[str, float], ...]  # of W_aa in each layer of a simple cell

    def _rows(self) -> tuple[BackwardTerm, ...]:
        return self.terms


def back(
    network: Network,
    counts: Array,
    inputs: Ids,
    targets: Ids,
    spelled: Sequence[str],
    whole: bool = False,
) -> Backward:
    """Of the last step of ids that are read (T,) and predicted (T,); ``network`` is in float64."""
    t, wanted = len(inputs), targets.tolist()
    unrolled = unroll(network.settings, network.parameters, counts, inputs)
    seed = unrolled.seed(t, wanted[-1])
    W_y = output_weights(seed.gradients).weight
    output_norm = float(np.linalg.norm(W_y))
    total, cells, states = summed(unrolled, t, seed)
    at_once = unrolled.truncated(t, wanted)
    first, last = length(states[t]), length(states[1])
    return Backward(
        t=t,
        target=spelled[t],
        loss=seed.loss,
        n_terms=t,
        terms=tuple(described(unrolled, t, states, cells, spelled, t if whole else SHOWN)),
        norm=norm_of(cells),
        bptt_norm=norm_of({name: at_once[name] for name in cells}),
        largest_difference=float(np.abs(total.flat - at_once.flat).max()),
        n_state=joined(states[t]).size,
        shape=shape_of(unrolled),
        output_shape=(W_y.shape[1], W_y.shape[0]),
        output_norm=output_norm,
        keeps=(last / first) ** (1 / (t - 1)) if t > 1 and first else None,
        recurrence=tuple(recurrence(unrolled)),
    )


def summed(
    unrolled: Unrolled, t: int, seed: Seed
) -> tuple[Parameters, Parameters, dict[int, States]]:
    """(2) over all weights, in ``seed``; of the cells' alone; and v_k of each step."""
    total, states = seed.gradients, dict[int, States]()
    cells = Parameters(unrolled.stack.shapes(), dtype=np.float64)
    for term in unrolled.terms(t, seed.states):
        cells.flat += term.gradients.flat
        total["embedding.weight"][unrolled.steps[term.k - 1].id] += term.dx
        states[term.k] = term.states
    for name, gradient in cells.items():
        total[name][...] = gradient
    return total, cells, states


def described(
    unrolled: Unrolled,
    t: int,
    states: dict[int, States],
    cells: Parameters,
    spelled: Sequence[str],
    most: int,
) -> Iterator[BackwardTerm]:
    """The terms of the last steps, the last one first."""
    whole = norm_of(cells) ** 2
    gains, kept = largest_gains(unrolled, t, states[t]), keeping(unrolled, t)
    for term in islice(unrolled.terms(t, states[t]), most):
        own = unrolled.steps[term.k - 1]
        yield BackwardTerm(
            k=term.k,
            input=spelled[term.k - 1],
            input_id=own.id,
            state_gradient=length(term.states),
            by_part=by_part(term.states),
            product_norm=next(gains),
            norm=norm_of(term.gradients),
            norm_hh=norm_of(term.gradients, "weight_hh"),
            norm_ih=norm_of(term.gradients, "weight_ih"),
            share=inner(term.gradients, cells) / whole if whole else None,
            input_gradient=float(np.linalg.norm(term.dx)),
            kept=next(kept),
        )


def largest_gains(unrolled: Unrolled, t: int, states: States) -> Iterator[float | None]:
    """Spectral norms of the products of Jacobians, None for states that are too large."""
    if joined(states).size > LARGEST:
        return repeat(None)
    return map(largest_gain, unrolled.products(t))


def largest_gain(x: Array) -> float:
    """The largest singular value of x (N, N); of a large one by the power method."""
    if len(x) <= EXACT:
        return float(np.linalg.norm(x, 2))
    v = np.random.default_rng(0).standard_normal(len(x))
    for _ in range(POWERS):
        v = x.T @ (x @ v)
        v /= max(float(np.linalg.norm(v)), TINY)
    return float(np.linalg.norm(x @ v))


def keeping(unrolled: Unrolled, t: int) -> Iterator[float | None]:
    """Mean over units of the product of gates from step k + 1 to t, for k = t, t - 1, ..., 1."""
    kept = unrolled.stack.cell.kept
    if kept is None:
        yield from repeat(None, t)
        return
    product: Array = np.ones(1)
    for step in reversed(unrolled.steps[:t]):
        yield float(product.mean())
        product = product * np.concatenate([kept(tape).ravel() for tape in step.tape.cells])


def recurrence(unrolled: Unrolled) -> Iterator[dict[str, float]]:
    """Spectral radius and norm of W_aa, in each layer of a cell that has no gates."""
    stack = unrolled.stack
    for layer in range(stack.layers):
        W = stack.weights(unrolled.parameters, layer).weight_hh
        if W.shape[0] == W.shape[1] <= RADIUS:
            radius = float(np.abs(np.linalg.eigvals(W)).max())
            yield {"spectral_radius": radius, "spectral_norm": float(np.linalg.norm(W, 2))}


def shape_of(unrolled: Unrolled) -> tuple[int, int]:
    """That of W_a = [W_aa; W_ax] in the first layer."""
    weights = unrolled.stack.weights(unrolled.parameters, 0)
    rows, inputs = weights.weight_ih.shape
    return inputs + unrolled.stack.hidden * bool(len(weights.weight_hh)), rows


def by_part(states: States) -> dict[str, float]:
    """The norms of a, and of an LSTM's c, over all layers; other states count as one."""
    together = [tuple(part for state in states for part in state)]
    parts = [*zip(*states, strict=True)] if len(states[0]) == 2 else together
    return {
        name: math.hypot(*(float(np.linalg.norm(part)) for part in own))
        for name, own in zip(("a", "c"), parts, strict=False)
    }


def length(states: States) -> float:
    """The Euclidean norm of all states."""
    return float(np.linalg.norm(joined(states)))


def norm_of(gradients: Mapping[str, Array], of: str = "weight_") -> float:
    """That of the matrices of all layers; biases are left out."""
    norms = (float(np.linalg.norm(x)) for name, x in gradients.items() if f".{of}" in name)
    return math.hypot(*norms)


def inner(x: Mapping[str, Array], y: Mapping[str, Array]) -> float:
    """The inner product of the matrices of all layers."""
    return math.fsum(float(np.vdot(x[name], y[name])) for name in x if ".weight_" in name)
