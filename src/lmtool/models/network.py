"""A recurrent network: embedding -> cells -> (projection) -> softmax.

With x_1 = <EOS>, x_{t+1} = y_t and a_0 = 0:

    a_t = cells(embedding[x_t], a_{t-1})                        (1)
    p_t = softmax(top(a_t) W_y' + b_y)                          (2)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.display import Shown, counted
from lmtool.errors import ConfigError, option
from lmtool.nn.cells import State, Weights, cell_of
from lmtool.nn.cells.base import project
from lmtool.nn.embedding import BOUND
from lmtool.nn.outputs import SOFTMAXES, OutputWeights, Softmax
from lmtool.nn.parameters import Parameters
from lmtool.nn.rowwise import passed, product
from lmtool.nn.stack import Stack, States
from lmtool.settings import ModelSettings
from lmtool.settings.shared import reader

__all__ = [
    "PER_TOKEN",
    "Ids",
    "Network",
    "States",
    "initialise",
    "output_weights",
    "quietly",
    "shapes",
    "stack_of",
    "zero_state",
]

PER_TOKEN = ("embedding.weight", "output.weight", "output.bias")  # a row for each token
quietly = np.errstate(over="ignore", invalid="ignore", divide="ignore")  # users check the numbers


def stack_of(settings: ModelSettings) -> Stack:
    """The cells. Raises ConfigError where a size is missing."""
    E, H = sizes(settings)
    return Stack(cell_of(settings), settings.layers, E, H, settings.activation)


def shapes(settings: ModelSettings, n_tokens: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights, in the order of the flat vector: PER_TOKEN ones last."""
    (E, H), V = sizes(settings), n_tokens
    named = stack_of(settings).shapes()
    if settings.tie and E != H:
        named["projection.weight"] = (E, H)
    named |= SOFTMAXES[settings.softmax].shapes(V, E if settings.tie else H)
    named["embedding.weight"] = (V, E)
    if not settings.tie:
        named["output.weight"] = (V, H)
    return named | {"output.bias": (V,)}


def sizes(settings: ModelSettings) -> tuple[int, int]:
    """E, H; raises ConfigError where a size is missing."""
    if not settings.embed or not settings.hidden:
        both = f"{option('hidden')} and {option('embed')}"
        raise ConfigError(f"the model's sizes are not set: give {both}")
    return settings.embed, settings.hidden


def initialise(
    network: Parameters,
    settings: ModelSettings,
    counts: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    """Fresh weights: uniform, and what cells and softmax want; counts (V,) are the unigrams'."""
    bounds = dict.fromkeys(PER_TOKEN, BOUND)
    for name, array in network.items():
        bound = bounds.get(name, sizes(settings)[1] ** -0.5)
        array[...] = 0 if array.ndim == 1 else rng.uniform(-bound, bound, array.shape)
    stack_of(settings).initialise(network)
    SOFTMAXES[settings.softmax].initialise(output_weights(network), counts)


def output_weights(parameters: Mapping[str, Array]) -> OutputWeights:
    """The output layer's weights: its own, or the embedding's where they are tied."""
    own = "output.weight" if "output.weight" in parameters else "embedding.weight"
    classes = (parameters.get("output.class_weight"), parameters.get("output.class_bias"))
    return OutputWeights(parameters[own], parameters["output.bias"], *classes)


def zero_state(settings: ModelSettings, B: int, dtype: Any = np.float32) -> States:
    """a_0 = 0 for B streams."""
    return stack_of(settings).zero_state(B, dtype)


@dataclass(frozen=True, slots=True, repr=False)
class Network(Shown):
    """Settings and weights; everything that computes is numpy and keeps no state."""

    settings: ModelSettings
    parameters: Parameters

    def _parts(self) -> Iterator[str]:
        yield f"{reader(self.settings)} {self.settings.layers} x {self.settings.hidden}"
        yield counted(self.parameters.flat.size, "parameter")

    @quietly
    def step(self, ids: Ids, state: States) -> tuple[Array, States]:
        """One word a stream, ids (B,) -> top (B, D) and the states after it."""
        top, states = self.parameters["embedding.weight"][ids], []
        stack = stack_of(self.settings)
        for layer, before in enumerate(state):
            weights = stack.weights(self.parameters, layer)
            states.append(stack.cell.step(weights, top, before, self.settings.activation))
            top = states[-1][0]
        return self._project(top), tuple(states)

    @quietly
    def read(self, ids: Ids, state: States) -> tuple[Array, States]:
        """T words of one stream, ids (T,) -> top (T, D) and the state after the last."""
        x, states = self.parameters["embedding.weight"][ids], []
        for layer, before in enumerate(state):
            weights = stack_of(self.settings).weights(self.parameters, layer)
            x, after = self._read_layer(weights, x, before)
            states.append(after)
        return self._project(x), tuple(states)

    def _read_layer(self, weights: Weights, x: Array, state: State) -> tuple[Array, State]:
        advance = cell_of(self.settings).advance
        zx = project(weights, x)  # (T, G*H)
        h = np.empty((len(x), weights.weight_hh.shape[1]), x.dtype)
        for t in range(len(x)):
            state = advance(weights, zx[t : t + 1], state, self.settings.activation)
            h[t] = state[0][0]
        return h, state

    def _project(self, top: Array) -> Array:
        if "projection.weight" in self.parameters:
            return product(top, self.parameters["projection.weight"])
        return top

    @quietly
    def log_probabilities(self, top: Array) -> Array:
        """log p_t, natural, of every token: top (N, D) -> (N, V)."""
        return self._softmax.log_probabilities(output_weights(self.parameters), top)

    @quietly
    def log_probability(self, top: Array, ids: Ids) -> Array:
        """log p_t, natural, of one token a row: top (N, D), ids (N,) -> (N,)."""
        return self._softmax.log_probability(output_weights(self.parameters), top, ids)

    @property
    def keeps_streams_apart(self) -> bool:
        """Whether ``step`` gives a stream the same bits beside others; tried on this processor."""
        widths = {x.shape[1] for x in self.parameters.values() if x.ndim == 2}  # all that multiply
        return passed(widths, self.parameters.flat.dtype.char)

    @property
    def _softmax(self) -> Softmax:
        return SOFTMAXES[self.settings.softmax]
