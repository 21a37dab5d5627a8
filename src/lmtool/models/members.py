"""Several networks in one flat vector of weights: ``0.`` and so on stands before their names."""

import itertools
from typing import Any

from lmtool.arrays import Shapes
from lmtool.nn.parameters import Parameters

__all__ = ["all_shapes", "members"]


def all_shapes(one: Shapes, K: int | None) -> dict[str, tuple[int, ...]]:
    """Names and shapes of K networks' weights, from those of one."""
    if (K or 1) == 1:
        return dict(one)
    return {f"{k}.{name}": shape for k in range(K or 1) for name, shape in one.items()}


def members(settings: Any, parameters: Parameters) -> tuple[Parameters, ...]:
    """Each network's part, as views under the names that a single one has."""
    K = settings.members or 1
    if not len(parameters):
        return ()
    if K == 1:
        return (parameters,)
    named = itertools.islice(parameters.shapes.items(), len(parameters) // K)
    shapes = {name.removeprefix("0."): shape for name, shape in named}
    return tuple(Parameters(shapes, flat) for flat in parameters.flat.reshape(K, -1))
