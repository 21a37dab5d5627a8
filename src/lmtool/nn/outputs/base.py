"""What an output layer is: from top vectors to the loss and its gradients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lmtool.nn.parameters import Array

__all__ = ["Draw", "Ids", "Output", "OutputWeights", "Sampler"]

Ids = NDArray[np.int32]


class OutputWeights(NamedTuple):
    """The layer's weights, or their gradients."""

    weight: Array  # (V, D)
    bias: Array  # (V,)


class Draw(NamedTuple):
    """Tokens drawn for a step."""

    ids: NDArray[np.intp]  # (K,) distinct, ascending
    log_expected: Array  # (K,) ln of the probability of being drawn


class Sampler(Protocol):
    """What an output layer draws from."""

    def draw(self, rng: np.random.Generator) -> Draw:
        """The tokens of one step."""
        ...


@dataclass(frozen=True, slots=True)
class Output:
    """An output layer.

    loss(weights, gradients, x (N, D), targets (N,), scale, draw) -> (loss, dx): the sum of -ln p
    in nats; scale times its gradients are ADDED to ``gradients``.
    sampler(counts (V,)) -> what is drawn from; None where the loss needs every token.
    """

    name: str
    loss: Callable[..., tuple[float, Array]]
    sampler: Callable[[NDArray[np.int64]], Sampler] | None = None
