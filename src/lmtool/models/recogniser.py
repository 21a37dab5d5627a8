"""What is said, from frames: frames -> cells, one way or both -> labels without times.

top = encode(source)                                      (1)
z = top W' + b, a column for each token and for the blank (2)
loss = -sum over utterances of ln P(tokens), as nn/outputs/ctc.py has it   (3)
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array, Shapes
from lmtool.data.batch import Batch
from lmtool.errors import ConfigError, option
from lmtool.models.encoder import encode, encode_backward, read, source_shapes
from lmtool.nn.cells import cell_of
from lmtool.nn.noise import QUIET, Noise, weight_masks
from lmtool.nn.outputs import ctc
from lmtool.nn.outputs.base import log_softmax
from lmtool.nn.parameters import Parameters
from lmtool.nn.rowwise import apart
from lmtool.nn.stack import Stack
from lmtool.settings.recogniser import RecogniserSettings

__all__ = ["Sizes", "initialise", "log_probabilities", "loss_and_gradients", "shapes", "stack_of"]

WEIGHT, BIAS = "output.weight", "output.bias"


class Sizes(NamedTuple):
    """What follows the data."""

    features: int  # of a step
    tokens: int  # V, the blank among them


def stack_of(settings: RecogniserSettings) -> Stack:
    """The cells. Raises ConfigError where a size is missing."""
    E, H = settings.embed, settings.hidden
    if not E or not H:
        raise ConfigError(f"the model's sizes are not set: give {option('hidden')}")
    kind = settings.activation, settings.both, "encoder"
    return Stack(cell_of(settings), settings.layers, E, H, *kind)


def shapes(settings: RecogniserSettings, sizes: Sizes) -> Shapes:
    """Names and shapes of the weights, in the order of the flat vector."""
    stack, V = stack_of(settings), sizes.tokens
    own = {WEIGHT: (V, stack.outputs), BIAS: (V,)}
    return {**stack.shapes(), **own, **source_shapes(settings.embed or 0, 0, sizes.features)}


def initialise(network: Parameters, settings: RecogniserSettings, rng: np.random.Generator) -> None:
    """Fresh weights: uniform; no token and no blank is likelier than others."""
    stack = stack_of(settings)
    for name, x in network.items():
        bound = stack.hidden**-0.5 if ".weight_" in name else max(1, x.shape[-1]) ** -0.5
        x[...] = 0 if x.ndim == 1 else rng.uniform(-bound, bound, x.shape)
    stack.initialise(network)


def loss_and_gradients(
    settings: RecogniserSettings,
    parameters: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    noise: Noise = QUIET,
) -> float:
    """The sum of (3) over a batch or a shard of one, in nats; what cannot fit adds nothing.

    ``gradients`` are overwritten with those of the loss divided by ``batch.n``.
    """
    stack = stack_of(settings)
    drops = weight_masks(parameters, noise)
    parameters = {**parameters, **{name: parameters[name] * drops[name] for name in drops}}
    encoded = encode(stack, parameters, batch, noise)  # (1)
    top = encoded.top.reshape(-1, stack.outputs)
    z = (top @ parameters[WEIGHT].T + parameters[BIAS]).reshape(*encoded.top.shape[:2], -1)  # (2)
    loss, dz, _ = ctc.loss(z, batch.targets, batch.first(), 1 / batch.n)  # (3), 3'
    dz = dz.reshape(len(top), -1)
    np.dot(dz.T, top, out=gradients[WEIGHT])  # 2'
    gradients[BIAS][...] = dz.sum(0)
    dtop = (dz @ parameters[WEIGHT]).reshape(encoded.top.shape)
    encode_backward(stack, parameters, gradients, batch, encoded, dtop)  # 1'
    for name, drop in drops.items():
        np.multiply(gradients[name], drop, out=gradients[name])
    return loss


def log_probabilities(
    settings: RecogniserSettings, parameters: Mapping[str, Array], batch: Batch
) -> list[Array]:
    """ln softmax of (2) of each source: (T, V) each.

    In numpy; where products keep rows apart, a source has the same bits whatever is beside it.
    """
    top, _, rows = read(stack_of(settings), parameters, batch)
    z = apart(top, parameters[WEIGHT]) + parameters[BIAS]
    return rows.split(log_softmax(z))
