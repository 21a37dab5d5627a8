"""Truncated back-propagation through time for a network.

x = embedding[inputs] * word mask * mask                    (1)
x = cell_l(x) * mask_l, for each layer l                    (2)
top = x projection'                                         (3)
loss = output(top, targets)                                 (4)
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.models.network import States, layer_weights, output_weights
from lmtool.nn.cells import CELLS
from lmtool.nn.layers import dropout_mask, embedding_backward, masked
from lmtool.nn.outputs import OUTPUTS, Draw
from lmtool.nn.parameters import Array, Parameters
from lmtool.settings import ModelSettings

__all__ = ["loss_and_gradients"]

Ids = NDArray[np.int32]


class Trace(NamedTuple):
    """What the backward pass needs."""

    masks: list[Array | None]  # after the embedding and after each layer
    tapes: list[Any]  # one a layer
    top: Array  # (T, B, H), before the projection


def loss_and_gradients(
    settings: ModelSettings,
    parameters: Mapping[str, Array],
    gradients: Parameters,
    inputs: Ids,
    targets: Ids,
    state: States,
    keep: Array | None = None,
    *,
    dropout: float = 0.0,
    weight_drop: float = 0.0,
    word_drop: float = 0.0,
    rng: np.random.Generator | None = None,
    output: str = "full",
    draw: Draw | None = None,
    scale: float = 1.0,
) -> tuple[float, States]:
    """The sum of -ln p over a segment (T, B), in nats, and the state after it.

    ``gradients`` are overwritten with ``scale`` times the loss's. ``keep`` (T, B): 0 resets a
    stream's state before that step.
    """
    drops = weight_masks(parameters, weight_drop, rng)
    parameters = {**parameters, **{name: parameters[name] * drops[name] for name in drops}}
    words = word_mask(parameters, word_drop, rng, inputs)
    x = masked(parameters["embedding.weight"][inputs], words)  # (1)
    trace, state = _forward(settings, parameters, x, state, keep, dropout, rng)
    estimate = partial(OUTPUTS[output].loss, scale=scale, draw=draw)
    loss, dtop = _output(parameters, gradients, trace.top, targets.ravel(), estimate)  # (4), 4'
    dx = masked(_backward(settings, parameters, gradients, trace, dtop, state), words)
    if not settings.tie:
        gradients["embedding.weight"][...] = 0
    embedding_backward(gradients["embedding.weight"], inputs, dx)  # 1', added
    for name, drop in drops.items():
        np.multiply(gradients[name], drop, out=gradients[name])
    return loss, state


def weight_masks(
    parameters: Mapping[str, Array], p: float, rng: np.random.Generator | None
) -> dict[str, Array]:
    """A mask for each matrix from state to state (Merity et al. 2018): 0 and 1 / (1 - p)."""
    names = [name for name in parameters if name.startswith("rnn.weight_hh")]
    masks = {name: dropout_mask(rng, p, parameters[name]) for name in names}
    return {name: mask for name, mask in masks.items() if mask is not None}


def word_mask(
    parameters: Mapping[str, Array], p: float, rng: np.random.Generator | None, inputs: Ids
) -> Array | None:
    """A mask for each word of the vocabulary (Gal & Ghahramani 2016), at inputs: (T, B, 1)."""
    mask = dropout_mask(rng, p, parameters["embedding.weight"][:, :1])
    return None if mask is None else mask[inputs]


def _forward(
    settings: ModelSettings,
    parameters: Mapping[str, Array],
    x: Array,
    state: States,
    keep: Array | None,
    dropout: float,
    rng: np.random.Generator | None,
) -> tuple[Trace, States]:
    cell = CELLS[settings.cell]
    masks, tapes, after = [], [], []
    for layer, before in enumerate(state):
        masks.append(dropout_mask(rng, dropout, x[0]))
        x = masked(x, masks[-1])  # (1), (2)
        weights = layer_weights(parameters, layer)
        x, last, tape = cell.forward(weights, x, before, keep, settings.activation)
        tapes.append(tape)
        after.append(last)
    masks.append(dropout_mask(rng, dropout, x[0]))
    return Trace(masks, tapes, masked(x, masks[-1])), tuple(after)


def _backward(
    settings: ModelSettings,
    parameters: Mapping[str, Array],
    gradients: Parameters,
    trace: Trace,
    dx: Array,
    state: States,
) -> Array:
    cell = CELLS[settings.cell]
    for layer in reversed(range(settings.layers)):
        dh = masked(dx, trace.masks[layer + 1])  # 2'
        no_future = tuple(np.zeros_like(part) for part in state[layer])  # the truncation
        weights, dweights = layer_weights(parameters, layer), layer_weights(gradients, layer)
        dx, _ = cell.backward(weights, dweights, trace.tapes[layer], dh, no_future)
    return masked(dx, trace.masks[0])


def _output(
    parameters: Mapping[str, Array],
    gradients: Parameters,
    top: Array,
    targets: Ids,
    estimate: Callable[..., tuple[float, Array]],
) -> tuple[float, Array]:
    """The loss and the gradient of ``top`` (T, B, H), through the projection where there is one."""
    h = top.reshape(-1, top.shape[-1])
    weights, dweights = output_weights(parameters), output_weights(gradients)
    if "projection.weight" not in parameters:
        loss, dh = estimate(weights, dweights, h, targets)
    else:
        projection = parameters["projection.weight"]
        loss, dx = estimate(weights, dweights, h @ projection.T, targets)  # (3)
        np.dot(dx.T, h, out=gradients["projection.weight"])  # 3'
        dh = dx @ projection
    return loss, dh.reshape(top.shape)
