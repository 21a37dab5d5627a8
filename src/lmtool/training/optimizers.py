"""Optimisers over slices of the flat vector; a new one is one line in OPTIMIZERS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lmtool.nn.parameters import Array

__all__ = ["OPTIMIZERS", "Optimizer"]

DECAYS = (0.9, 0.99)  # of Adam's moments; a short memory of squares suits short budgets


@dataclass(frozen=True, slots=True)
class Optimizer:
    """update(x, gradient, factor, moments, lr, step): x is changed by factor * gradient.

    ``step`` counts from 1; ``moments`` are n_moments vectors like x; lr is the default peak rate.
    """

    name: str
    n_moments: int
    lr: float
    update: Callable[[Array, Array, float, Sequence[Array], float, int], None]


def adam(
    x: Array, gradient: Array, factor: float, moments: Sequence[Array], lr: float, step: int
) -> None:
    """Kingma & Ba 2015, with bias correction."""
    from lmtool.nn import kernels  # only training loads numba

    first, second = (1 - decay**step for decay in DECAYS)
    kernels.adam_step(x, gradient, factor, *moments, lr * second**0.5 / first, DECAYS)


def sgd(
    x: Array, gradient: Array, factor: float, moments: Sequence[Array], lr: float, step: int
) -> None:
    """Plain stochastic gradient descent."""
    from lmtool.nn import kernels

    kernels.sgd_step(x, gradient, lr * factor)


OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.name: optimizer
    for optimizer in (Optimizer("adam", 2, 4e-3, adam), Optimizer("sgd", 0, 2.0, sgd))
}
