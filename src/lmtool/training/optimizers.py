"""Optimisers, dense and by rows; a new one is one line in OPTIMIZERS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lmtool.arrays import Array

__all__ = ["DECAYS", "OPTIMIZERS", "Optimizer"]

DECAYS = (0.9, 0.99)  # of Adam's moments; a short memory of squares suits short budgets

Rows = Any  # (n,) distinct row numbers
Moments = Sequence[Array]


@dataclass(frozen=True, slots=True)
class Optimizer:
    """x is changed by factor * gradient; ``moments`` are n_moments arrays like x.

    update(x (N,), gradient (N,), factor, moments, lr, step), ``step`` counting from 1.
    update_rows(x (V, D), gradient (n, D), factor, moments, rows (n,), lr, step): rows of x alone.
    catch_up(x, moments, rows, gaps (n,), lr, step): what update would have done to rows in the
    gaps[i] steps up to ``step`` in which their gradient was 0.
    """

    name: str
    n_moments: int
    update: Callable[[Array, Array, float, Moments, float, int], None]
    update_rows: Callable[[Array, Array, float, Moments, Rows, float, int], None]
    catch_up: Callable[[Array, Moments, Rows, Array, float, int], None]


def corrected(lr: float, step: int) -> float:
    """The rate with Adam's bias correction."""
    first, second = (1 - decay**step for decay in DECAYS)
    return float(lr * second**0.5 / first)


def adam(x: Array, gradient: Array, factor: float, moments: Moments, lr: float, step: int) -> None:
    """Kingma & Ba 2015, with bias correction."""
    from lmtool.nn import kernels  # only training loads numba

    kernels.adam_step(x, gradient, factor, *moments, corrected(lr, step), DECAYS)


def adam_rows(
    x: Array, gradient: Array, factor: float, moments: Moments, rows: Rows, lr: float, step: int
) -> None:
    """The same for some rows."""
    from lmtool.nn import kernels

    kernels.adam_rows(x, gradient, factor, *moments, rows, corrected(lr, step), DECAYS)


def adam_catch_up(
    x: Array, moments: Moments, rows: Rows, gaps: Array, lr: float, step: int
) -> None:
    """Momentum goes on where the gradient is 0."""
    from lmtool.nn import kernels

    kernels.adam_catch_up(x, *moments, rows, gaps, corrected(lr, max(1, step)), DECAYS)


def sgd(x: Array, gradient: Array, factor: float, moments: Moments, lr: float, step: int) -> None:
    """Plain stochastic gradient descent."""
    from lmtool.nn import kernels

    kernels.sgd_step(x, gradient, lr * factor)


def sgd_rows(
    x: Array, gradient: Array, factor: float, moments: Moments, rows: Rows, lr: float, step: int
) -> None:
    """The same for some rows."""
    from lmtool.nn import kernels

    kernels.sgd_rows(x, gradient, factor, rows, lr)


def nothing(x: Array, moments: Moments, rows: Rows, gaps: Array, lr: float, step: int) -> None:
    """Without momentum a gradient of 0 changes nothing."""


OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.name: optimizer
    for optimizer in (
        Optimizer("adam", 2, adam, adam_rows, adam_catch_up),
        Optimizer("sgd", 0, sgd, sgd_rows, nothing),
    )
}
