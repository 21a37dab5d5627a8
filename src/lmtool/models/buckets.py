"""Weights of a mixture that follow what is known before the word comes.

    w_k(h) = sum_c phi_c(h) W_ck,   phi_c >= 0,   sum_c phi_c = 1                      (1)

A clue is a number that a part tells of its context, never of the word to come. A cell c is a knot
of each clue, and phi_c the product of its hats, which are 1 at their own knot, 0 at all others and
linear between: no weight jumps. From columns of p_t^k, ln p of the text's tokens, by expectation
maximisation, as ``mixture`` (2), with ``PRIOR`` tokens of the weights w that all cells begin with:

    W_ck <- (PRIOR w_k + sum_t phi_c(h_t) W_ck p_t^k / p_t) / (the same, summed over k)  (2)

Weights by buckets of the context: Jelinek and Mercer 1980.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.errors import ConfigError

__all__ = ["CLUES", "MOST_CELLS", "Buckets", "Clue", "fit_table", "shares"]

PRIOR = 20.0  # tokens
MOST_ROUNDS = 100
ENOUGH = 1e-7  # nats a token that a round of (2) must gain
MOST_CELLS = 256
EXACT = 1e-6  # how near to 1 weights add up

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clue:
    """A number of each context, told by a part; beyond the knots it counts as the nearest."""

    kind: str  # a key of CLUES
    part: int
    knots: tuple[float, ...]  # ascending, two at least


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """(1). Raises ConfigError for clues that no part tells, or weights that do not sum to 1."""

    clues: tuple[Clue, ...]
    table: Array  # W (C, K); the cells in the order of the clues' knots, the last clue's fastest

    def __post_init__(self) -> None:
        sizes = [len(clue.knots) for clue in self.clues]
        if not self.clues or not 1 < np.prod(sizes, dtype=float) <= MOST_CELLS:
            raise ConfigError("mixture: buckets need clues with some knots")
        W, C = self.table, int(np.prod(sizes))
        if not all(map(ascending, self.clues)) or W.ndim != 2 or len(W) != C:
            raise ConfigError("mixture: the clues of its buckets are damaged")
        if not ((W >= 0).all() and (abs(W.sum(axis=1) - 1) < EXACT).all()):
            raise ConfigError("mixture: weights of at least 0 that sum to 1 expected")
        if not all(0 <= clue.part < W.shape[1] and clue.kind in CLUES for clue in self.clues):
            raise ConfigError("mixture: its buckets want clues that no part tells")

    def weights(self, values: Array) -> Array:
        """(1): what the clues say, (N, F) -> (N, K)."""
        return (shares(self.clues, values) @ self.table).astype(np.float32)


def ascending(clue: Clue) -> bool:
    """Whether its knots rise."""
    knots = np.array(clue.knots)
    return len(knots) > 1 and bool(np.isfinite(knots).all() and (np.diff(knots) > 0).all())


def shares(clues: tuple[Clue, ...], values: Array) -> Floats:
    """phi: what the clues say, (N, F) -> (N, C)."""
    cells = np.ones((len(values), 1))
    for clue, value in zip(clues, values.T, strict=True):
        own = hats(np.array(clue.knots), value)
        cells = (cells[:, :, None] * own[:, None, :]).reshape(len(values), -1)
    return cells


def hats(knots: Floats, value: Array) -> Floats:
    """How near each value is to each knot: (N,) -> (N, knots)."""
    x = np.clip(np.nan_to_num(value.astype(np.float64), nan=knots[0]), knots[0], knots[-1])
    left = np.clip(knots.searchsorted(x, side="right") - 1, 0, len(knots) - 2)
    right = (x - knots[left]) / (knots[left + 1] - knots[left])
    out, every = np.zeros((len(x), len(knots))), np.arange(len(x))
    out[every, left], out[every, left + 1] = 1 - right, right
    return out


def fit_table(columns: NDArray[np.floating[Any]], cells: Floats, weights: Floats) -> Floats:
    """(2): ln p (M, K), phi (M, C), the weights that all cells begin with (K,) -> W (C, K)."""
    p = np.exp(columns - columns.max(axis=1, keepdims=True), dtype=np.float64)
    table, before = np.tile(weights, (cells.shape[1], 1)), -np.inf
    for _ in range(MOST_ROUNDS):
        total = ((cells @ table) * p).sum(axis=1)
        gained = float(np.log(total).mean())
        if gained - before < ENOUGH:
            break
        table = table * (cells.T @ (p / total[:, None])) + PRIOR * weights
        table /= table.sum(axis=1, keepdims=True)
        before = gained
    return table


def known(model: Any, top: Any) -> Array:
    """Words of the longest listed context."""
    return np.asarray(model.known(top), np.float32)


def freed(model: Any, top: Any) -> Array:
    """ln of the share that it leaves to shorter ones: little where the text says much of it."""
    return np.asarray(model.freed(top), np.float32)


# what an n-gram model tells of contexts: (model, tops) -> (N,)
CLUES: dict[str, Callable[[Any, Any], Array]] = {"known": known, "freed": freed}
