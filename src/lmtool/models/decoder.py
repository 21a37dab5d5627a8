"""Truncated back-propagation through time for a network that predicts its next input.

x = embedding[inputs] * word mask                           (1)
top = stack(x)                                              (2)
loss = output(top projection', targets)                     (3)
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.models.network import output_weights, stack_of
from lmtool.nn import stack as stacks
from lmtool.nn.embedding import embedding_backward
from lmtool.nn.noise import QUIET, Noise, masked, weight_masks, word_mask
from lmtool.nn.outputs import Output
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States
from lmtool.settings import ModelSettings

__all__ = ["Estimate", "exact", "loss_and_gradients", "output_backward"]

Estimate = Callable[..., tuple[float, Array]]


def loss_and_gradients(
    settings: ModelSettings,
    parameters: Mapping[str, Array],
    gradients: Parameters,
    inputs: Ids,
    targets: Ids,
    state: States,
    estimate: Estimate,
    keep: Array | None = None,
    noise: Noise = QUIET,
) -> tuple[float, States]:
    """The sum of -ln p over a segment (T, B), in nats, and the state after it.

    ``estimate(weights, gradients, x (N, D), targets (N,)) -> (loss, dx)`` is an output's loss with
    its scale and draw; ``gradients`` are overwritten. ``keep`` (T, B): 0 resets a stream's state
    before that step.
    """
    stack, drops = stack_of(settings), weight_masks(parameters, noise)
    parameters = {**parameters, **{name: parameters[name] * drops[name] for name in drops}}
    words = word_mask(parameters["embedding.weight"], noise, inputs)
    x = masked(parameters["embedding.weight"][inputs], words)  # (1)
    top, after, tape = stacks.forward(stack, parameters, x, state, keep, noise)  # (2)
    flat = top.reshape(-1, top.shape[-1])
    loss, dflat = output_backward(parameters, gradients, flat, targets.ravel(), estimate)  # (3), 3'
    dtop = dflat.reshape(top.shape)
    cut = stacks.no_future(after)  # the truncation
    dx, _ = stacks.backward(stack, parameters, gradients, tape, dtop, cut)  # 2'
    if not settings.tie:
        gradients["embedding.weight"][...] = 0
    embedding_backward(gradients["embedding.weight"], inputs, masked(dx, words))  # 1', added
    for name, drop in drops.items():
        np.multiply(gradients[name], drop, out=gradients[name])
    return loss, after


def exact(output: Output, counts: NDArray[np.int64], targets: Ids) -> Estimate:
    """The loss of an output for these targets, unscaled, nothing in it drawn by chance."""
    sampler = output.sampler and output.sampler(counts, 1)
    draw = sampler and sampler.draw(targets.ravel(), np.random.default_rng(0))
    return partial(output.loss, scale=1.0, draw=draw)


def output_backward(
    parameters: Mapping[str, Array],
    gradients: Parameters,
    h: Array,
    targets: Ids,
    estimate: Estimate,
) -> tuple[float, Array]:
    """The loss and the gradient of h (N, H), through the projection where there is one."""
    weights, dweights = output_weights(parameters), output_weights(gradients)
    if "projection.weight" not in parameters:
        return estimate(weights, dweights, h, targets)
    projection = parameters["projection.weight"]
    loss, dx = estimate(weights, dweights, h @ projection.T, targets)  # (3)
    np.dot(dx.T, h, out=gradients["projection.weight"])  # 3'
    return loss, dx @ projection
