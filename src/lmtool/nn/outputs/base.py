"""What an output layer is: from top vectors to the loss and its gradients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.nn.parameters import Array

__all__ = ["Ids", "Output", "OutputWeights", "no_sampler"]

Ids = NDArray[np.int32]


class OutputWeights(NamedTuple):
    """The layer's weights, or their gradients."""

    weight: Array  # (V, D)
    bias: Array  # (V,)


@dataclass(frozen=True, slots=True)
class Output:
    """An output layer.

    loss(weights, gradients, x (N, D), targets (N,), scale, sampler, rng) -> (loss, dx): the sum
    of -ln p in nats; scale times its gradients are ADDED to ``gradients``.
    sampler(counts (V,)) -> what the loss draws from; None where it draws nothing.
    """

    name: str
    loss: Callable[..., tuple[float, Array]]
    sampler: Callable[[NDArray[np.int64]], Any]


def no_sampler(counts: NDArray[np.int64]) -> None:
    """For outputs that draw nothing."""
