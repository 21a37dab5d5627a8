"""Labels of whole sequences: source -> features -> cells, one way or both -> pool -> output.

top = encode(source)                                                   (1)
v = pool(top over the real steps)                                      (2)
z = v W' + b + sum over the source's n distinct n-grams g of U[g] / sqrt(n)                 (3)
loss = -sum over labels of ln p, p = softmax(z), or sigmoid(z) where there may be several   (4)

The sum in (3) is the wide part (Cheng et al. 2016). It starts from a share of what naive Bayes
makes of the n-grams (Wang & Manning 2012):

    U[g, k] = PRIOR ln p(g | k), less its mean over k; ln p(g | k) - ln p(g | not k) for several (5)
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids, Shapes
from lmtool.data.batch import Batch
from lmtool.data.ragged import Ragged
from lmtool.errors import ConfigError, option
from lmtool.models.encoder import EMBEDDING, encode, encode_backward, read, source_shapes
from lmtool.nn.cells import cell_of, rnn
from lmtool.nn.embedding import BOUND
from lmtool.nn.noise import QUIET, Noise, dropout_mask, weight_masks
from lmtool.nn.outputs import LABELLINGS
from lmtool.nn.parameters import Parameters
from lmtool.nn.pool import POOLS
from lmtool.nn.rowwise import apart
from lmtool.nn.stack import Stack
from lmtool.settings.classifier import NO_CELL, PooledSettings

__all__ = [
    "NGRAMS",
    "TABLES",
    "Sizes",
    "initialise",
    "log_probabilities",
    "loss_and_gradients",
    "naive_bayes",
    "shapes",
    "stack_of",
]

NGRAMS = "ngrams.weight"
PRIOR = 1.0  # over sqrt(n) a fraction of naive Bayes, which counts twice what goes together
TABLES = {EMBEDDING: "source", NGRAMS: "ngrams"}  # matrices with a row an id, fields with such ids


class Sizes(NamedTuple):
    """What follows the data: words or numbers a frame, n-grams, labels."""

    words: int = 0  # V
    features: int = 0  # F
    ngrams: int = 0  # G
    labels: int = 2  # K


def stack_of(settings: PooledSettings) -> Stack:
    """The cells. Raises ConfigError where a size is missing."""
    E, H, none = settings.embed, settings.hidden, settings.cell == NO_CELL
    if not E or not (H or none):
        raise ConfigError(f"the model's sizes are not set: give {option('hidden')}")
    if none:
        return Stack(rnn.CELL, 0, E, E, prefix="encoder")
    kind = settings.activation, settings.both, "encoder"
    return Stack(cell_of(settings), settings.layers, E, H or E, *kind)


def shapes(settings: PooledSettings, sizes: Sizes) -> Shapes:
    """Names and shapes of the weights, in the order of the flat vector: TABLES last."""
    stack, pool = stack_of(settings), POOLS[settings.pool]
    K, D = sizes.labels, stack.outputs
    named = {**stack.shapes(), **pool.shapes(D)}
    named |= {"output.weight": (K, pool.parts * D), "output.bias": (K,)}
    named |= source_shapes(stack.inputs, sizes.words, sizes.features)
    return named | ({NGRAMS: (sizes.ngrams, K)} if sizes.ngrams else {})


def initialise(
    network: Parameters,
    settings: PooledSettings,
    counts: NDArray[np.int64],
    n: int,
    rng: np.random.Generator,
) -> None:
    """Fresh weights: uniform; the bias from counts (K,) of labels in n examples; no n-grams yet."""
    stack = stack_of(settings)
    for name, x in network.items():
        bound = BOUND if name == EMBEDDING else (x.shape[-1] if x.ndim == 2 else 1) ** -0.5
        if ".weight_" in name:
            bound = stack.hidden**-0.5
        zero = x.ndim == 1 or name == NGRAMS
        x[...] = 0 if zero else rng.uniform(-bound, bound, x.shape)
    stack.initialise(network)
    network["output.bias"][...] = LABELLINGS[settings.labelling].bias(counts, n)


def naive_bayes(
    settings: PooledSettings,
    ngrams: Ragged,
    targets: Ragged,
    rows: NDArray[np.intp],
    sizes: Sizes,
) -> Array:
    """(5), from the n-grams and the labels of the examples ``rows``: (G, K)."""
    G, K = sizes.ngrams, sizes.labels
    counted = np.zeros(len(ngrams), np.bool_)
    counted[rows] = True
    of, ids = np.repeat(np.arange(len(ngrams)), ngrams.lengths), ngrams.flat.astype(np.int64)
    some = counted[of]
    of, ids = of[some], ids[some]
    if settings.labelling == "full":
        counts = np.bincount(ids * K + targets.flat[of], minlength=G * K).reshape(G, K)
    else:
        there = targets.flat.reshape(-1, K) == 1
        counts = np.stack([np.bincount(ids[there[of, k]], minlength=G) for k in range(K)], axis=1)
    totals = np.bincount(ids, minlength=G)
    return np.asarray(PRIOR * LABELLINGS[settings.labelling].evidence(counts, totals))


def loss_and_gradients(
    settings: PooledSettings,
    parameters: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    noise: Noise = QUIET,
    smoothing: float = 0.0,
) -> float:
    """The sum of (4) over a batch or a shard of one, in nats.

    ``gradients`` are overwritten with those of the loss divided by ``batch.n``.
    """
    stack, pool = stack_of(settings), POOLS[settings.pool]
    drops = weight_masks(parameters, noise)
    parameters = {**parameters, **{name: parameters[name] * drops[name] for name in drops}}
    encoded = encode(stack, parameters, batch, noise)  # (1)
    pooled, tape = pool.forward(parameters, encoded.top, batch.real())  # (2)
    chosen = ngrams_of(batch, parameters, noise)
    loss, dlogits = LABELLINGS[settings.labelling].loss(
        logits_of(parameters, pooled @ parameters["output.weight"].T, chosen),
        targets_of(settings, batch),
        1 / batch.n,
        smoothing,
    )  # (3), (4), 4'
    np.dot(dlogits.T, pooled, out=gradients["output.weight"])  # 3'
    gradients["output.bias"][...] = dlogits.sum(0)
    ngrams_backward(gradients, chosen, dlogits)
    dpooled = dlogits @ parameters["output.weight"]
    dtop = pool.backward(parameters, gradients, tape, dpooled)  # 2'
    encode_backward(stack, parameters, gradients, batch, encoded, dtop)  # 1'
    for name, drop in drops.items():
        np.multiply(gradients[name], drop, out=gradients[name])
    return loss


def log_probabilities(
    settings: PooledSettings, parameters: Mapping[str, Array], batch: Batch
) -> Array:
    """ln p of each label: (B, K); with several labels each is for itself.

    In numpy; where products keep rows apart, a source has the same bits whatever is beside it.
    """
    top, _, rows = read(stack_of(settings), parameters, batch)
    pooled = rows.by_column(POOLS[settings.pool].read(parameters, top, rows))
    z = apart(pooled, parameters["output.weight"])
    logits = logits_of(parameters, z, ngrams_of(batch, parameters, QUIET))
    return LABELLINGS[settings.labelling].log_probabilities(logits)


class Chosen(NamedTuple):
    """The n-grams of a batch, end to end."""

    ids: Ids  # (M,)
    examples: NDArray[np.intp]  # (M,) ascending
    factors: Array  # (M, 1) the mask over sqrt(n)


def ngrams_of(batch: Batch, parameters: Mapping[str, Array], noise: Noise) -> Chosen | None:
    """Those of a batch that has them; None where the model has no wide part."""
    if NGRAMS not in parameters:
        return None
    if batch.ngrams is None:
        raise ValueError("the batch has no n-grams")
    columns = batch.ngrams.T  # (B, N)
    there = columns >= 0
    examples, places = np.nonzero(there)
    parts = there.sum(1)[examples, None] ** -0.5
    factors = parts.astype(parameters[NGRAMS].dtype)
    mask = dropout_mask(noise.rng, noise.dropout, factors)
    return Chosen(columns[examples, places], examples, factors if mask is None else factors * mask)


def logits_of(parameters: Mapping[str, Array], logits: Array, chosen: Chosen | None) -> Array:
    """(3) in place, from v W' (B, K)."""
    logits += parameters["output.bias"]
    if chosen is not None:
        rows = parameters[NGRAMS][chosen.ids] * chosen.factors
        np.add.at(logits, chosen.examples, rows)
    return logits


def ngrams_backward(gradients: Parameters, chosen: Chosen | None, dlogits: Array) -> None:
    """3' of U."""
    from lmtool.nn import kernels  # only training loads numba

    if chosen is not None:
        gradients[NGRAMS][...] = 0
        rows = dlogits[chosen.examples] * chosen.factors
        kernels.scatter_add(rows, chosen.ids, gradients[NGRAMS])


def targets_of(settings: PooledSettings, batch: Batch) -> Ids:
    """(B,) labels, or (B, K) ones and zeros."""
    return batch.targets[0] if settings.labelling == "full" else batch.targets.T
