"""A tag for each word: words, also as spelled -> features -> cells, one way or both -> tagging.

top = encode(source)                                                   (1)
z = top W' + b                                                         (2)
loss = -sum over sequences of ln p(tags), as the tagging has it        (3)
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Shapes
from lmtool.data.batch import Batch
from lmtool.errors import ConfigError, option
from lmtool.models.encoder import (
    CASE,
    EMBEDDING,
    encode,
    encode_backward,
    read,
    source_shapes,
    spelling_shapes,
)
from lmtool.nn import letters
from lmtool.nn.cells import cell_of
from lmtool.nn.embedding import BOUND
from lmtool.nn.noise import QUIET, Noise, weight_masks
from lmtool.nn.outputs import TAGGINGS, Rules
from lmtool.nn.outputs.base import share
from lmtool.nn.parameters import Parameters
from lmtool.nn.rowwise import apart
from lmtool.nn.stack import Stack
from lmtool.settings.tagger import TaggerSettings
from lmtool.text.letters import CASES

__all__ = ["TABLES", "Sizes", "initialise", "loss_and_gradients", "potentials", "shapes"]
__all__ += ["stack_of"]

TABLES = {EMBEDDING: "source"}  # matrices with a row an id, fields with such ids
CASE_BOUND = 0.5  # a case stands beside whole words


class Sizes(NamedTuple):
    """What follows the data."""

    words: int  # V
    letters: int  # A
    tags: int  # K


def stack_of(settings: TaggerSettings) -> Stack:
    """The cells. Raises ConfigError where a size is missing."""
    E, H = settings.embed, settings.hidden
    if not E or not H:
        raise ConfigError(f"the model's sizes are not set: give {option('hidden')}")
    inputs = E + (settings.filters if settings.letters else 0) + settings.case
    kind = settings.activation, settings.both, "encoder"
    return Stack(cell_of(settings), settings.layers, inputs, H, *kind)


def shapes(settings: TaggerSettings, sizes: Sizes) -> Shapes:
    """Names and shapes of the weights, in the order of the flat vector: TABLES last."""
    stack, tagging = stack_of(settings), TAGGINGS[settings.tagging]
    n = tagging.outputs(sizes.tags)
    named = {**stack.shapes(), "output.weight": (n, stack.outputs), "output.bias": (n,)}
    named |= tagging.shapes(sizes.tags)
    C, F = settings.letters, settings.filters
    named |= spelling_shapes(sizes.letters, C, F, len(CASES), settings.case)
    return {**named, **source_shapes(settings.embed or 0, sizes.words, 0)}


def initialise(
    network: Parameters,
    settings: TaggerSettings,
    counts: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    """Fresh weights: uniform; the bias from counts (K,) of tags."""
    stack = stack_of(settings)
    bounds = {EMBEDDING: BOUND, CASE: CASE_BOUND, **letters.bounds(network)}
    for name, x in network.items():
        bound = bounds.get(name, max(1, x.shape[-1]) ** -0.5)
        if ".weight_" in name:
            bound = stack.hidden**-0.5
        zero = x.ndim == 1 or name in TAGGINGS[settings.tagging].shapes(len(counts))
        x[...] = 0 if zero else rng.uniform(-bound, bound, x.shape)
    stack.initialise(network)
    ln = np.log(share(counts))
    network["output.bias"][...] = ln if len(network["output.bias"]) > 1 else ln[1] - ln[0]


def loss_and_gradients(
    settings: TaggerSettings,
    parameters: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    rules: Rules,
    noise: Noise = QUIET,
) -> float:
    """The sum of (3) over a batch or a shard of one, in nats.

    ``gradients`` are overwritten with those of the loss divided by ``batch.n``.
    """
    stack = stack_of(settings)
    drops = weight_masks(parameters, noise)
    parameters = {**parameters, **{name: parameters[name] * drops[name] for name in drops}}
    encoded = encode(stack, parameters, batch, noise)  # (1)
    top = encoded.top.reshape(-1, stack.outputs)
    z = (top @ parameters["output.weight"].T + parameters["output.bias"]).reshape(
        *encoded.top.shape[:2], -1
    )  # (2)
    loss, dz = TAGGINGS[settings.tagging].loss(
        parameters, gradients, z, batch.targets, batch.first(), rules, 1 / batch.n
    )  # (3), 3'
    dz = dz.reshape(len(top), -1)
    np.dot(dz.T, top, out=gradients["output.weight"])  # 2'
    gradients["output.bias"][...] = dz.sum(0)
    dtop = (dz @ parameters["output.weight"]).reshape(encoded.top.shape)
    encode_backward(stack, parameters, gradients, batch, encoded, dtop)  # 1'
    for name, drop in drops.items():
        np.multiply(gradients[name], drop, out=gradients[name])
    return loss


def potentials(settings: TaggerSettings, parameters: Mapping[str, Array], batch: Batch) -> Array:
    """z (S, B, outputs) of (2), 0 at padding: what the tagging makes a chain of.

    In numpy; where products keep rows apart, a source has the same bits whatever is beside it.
    """
    top, _, rows = read(stack_of(settings), parameters, batch)
    z = apart(top, parameters["output.weight"]) + parameters["output.bias"]
    padded = np.zeros((*batch.real().shape, z.shape[1]), z.dtype)
    padded[rows.times, rows.columns] = z
    return padded
