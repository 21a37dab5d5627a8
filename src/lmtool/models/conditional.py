"""P(text | source): a language model whose state begins with what a source says.

m, last = encode(source), a vector being its own last state          (1)
first = tanh(last W' + b), the states that the decoder begins with   (2)
h = lower(embedding[inputs] * word mask, first)                      (3)
y = attention of h to m, or h itself                                 (4)
top = upper(y, first)                                                (5)
loss = output(top projection', targets)                              (6)

Attention stands after all of the decoder's cells, or between the first and the others. Texts are
padded at their END: their state comes from (2) and must not be reset.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids, Shapes
from lmtool.data.batch import Batch
from lmtool.errors import ConfigError, option
from lmtool.models.decoder import output_backward
from lmtool.models.encoder import (
    EMBEDDING,
    FRAMES,
    Encoded,
    encode,
    encode_backward,
    source_shapes,
)
from lmtool.models.network import PER_TOKEN, output_weights
from lmtool.nn import attention
from lmtool.nn import stack as stacks
from lmtool.nn.cells import cell_of
from lmtool.nn.embedding import BOUND, embedding_backward
from lmtool.nn.noise import QUIET, Noise, masked, weight_masks, word_mask
from lmtool.nn.outputs import SOFTMAXES
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import Stack, States
from lmtool.settings.conditional import ConditionalSettings

__all__ = ["BRIDGE", "SOURCE_TABLE", "TARGET_TABLE", "Graph", "Sizes"]
__all__ += ["bridged", "graph_of", "initialise", "loss_and_gradients", "shapes"]

BRIDGE, BRIDGE_BIAS = "bridge.weight", "bridge.bias"
SOURCE_TABLE, TARGET_TABLE = (EMBEDDING,), PER_TOKEN  # matrices with a row an id

Estimate = Callable[..., tuple[float, Array]]


class Sizes(NamedTuple):
    """What follows the data; a source has words or features, the other is 0."""

    words: int
    features: int
    tokens: int  # V, of what is written


class Graph(NamedTuple):
    """The cells."""

    encoder: Stack  # of a vector without cells
    lower: Stack
    upper: Stack  # often without cells
    attends: bool

    @property
    def last(self) -> int:
        """Numbers that (2) reads."""
        return self.encoder.outputs

    def states(self) -> int:
        """Numbers that it writes."""
        cells = self.lower.layers + self.upper.layers
        return cells * self.lower.cell.n_states * self.lower.hidden


class Run(NamedTuple):
    """What became of a batch, and what the backward pass needs."""

    encoded: Encoded
    last: Array  # what (2) reads
    squashed: Array  # and writes
    words: Array | None  # the word mask of (3)
    seen: attention.Tape | None
    low: stacks.Tape
    up: stacks.Tape
    after: tuple[States, States]  # of the cells below and above, after the last step
    top: Array


def graph_of(settings: ConditionalSettings, sizes: Sizes) -> Graph:
    """What connects to what. Raises ConfigError where a size is missing."""
    E, H = settings.embed, settings.hidden
    if not E or not H:
        both = f"{option('hidden')} and {option('embed')}"
        raise ConfigError(f"the model's sizes are not set: give {both}")
    kind = cell_of(settings), settings.activation
    reading = settings.layers if sizes.words else 0
    encoder = Stack(kind[0], reading, E, H, kind[1], settings.both, "encoder")
    attends = settings.attention != "none" and bool(sizes.words)
    above = settings.layers - 1 if attends and settings.attention == "between" else 0
    lower = Stack(kind[0], settings.layers - above, E, H, kind[1], prefix="decoder")
    upper = Stack(kind[0], above, H if above or not attends else E, H, kind[1], prefix="upper")
    return Graph(encoder, lower, upper, attends)


def shapes(settings: ConditionalSettings, sizes: Sizes) -> Shapes:
    """Names and shapes of the weights, in the order of the flat vector: tables last."""
    graph, V, E = graph_of(settings, sizes), sizes.tokens, settings.embed or 0
    named = {**graph.encoder.shapes(), **graph.lower.shapes(), **graph.upper.shapes()}
    named |= {BRIDGE: (graph.states(), graph.last), BRIDGE_BIAS: (graph.states(),)}
    if graph.attends:
        named |= attention.shapes(graph.lower.hidden, graph.encoder.outputs, graph.upper.inputs)
    D = graph.upper.outputs
    if settings.tie and D != E:
        named["projection.weight"] = (E, D)
    source = source_shapes(E, sizes.words, sizes.features)
    named |= {} if sizes.words else dict(source)  # no table
    named["embedding.weight"] = (V, E)
    if not settings.tie:
        named["output.weight"] = (V, D)
    named["output.bias"] = (V,)
    return {**named, **source}


def initialise(
    network: Parameters,
    settings: ConditionalSettings,
    counts: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    """Fresh weights: uniform; the output's bias from the counts (V,) of tokens."""
    for name, x in network.items():
        bound = BOUND if name in (*TARGET_TABLE, *SOURCE_TABLE) else max(1, x.shape[-1]) ** -0.5
        if ".weight_" in name:
            bound = (settings.hidden or 1) ** -0.5
        x[...] = 0 if x.ndim == 1 else rng.uniform(-bound, bound, x.shape)
    graph = graph_of(settings, sizes_of(network))
    for stack in graph[:3]:
        stack.initialise(network)
    SOFTMAXES["full"].initialise(output_weights(network), counts)


def sizes_of(parameters: Mapping[str, Array]) -> Sizes:
    """Those of weights."""
    words = len(parameters[EMBEDDING]) if EMBEDDING in parameters else 0
    features = 0 if words else parameters[FRAMES].shape[1]
    return Sizes(words, features, len(parameters["output.bias"]))


def loss_and_gradients(
    settings: ConditionalSettings,
    parameters: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    estimate: Estimate,
    noise: Noise = QUIET,
) -> float:
    """The sum of -ln p over the texts of a batch or of a shard of one, in nats.

    ``estimate(weights, gradients, x (N, D), targets (N,)) -> (loss, dx)`` is an output's loss with
    its scale and draw; ``gradients`` are overwritten.
    """
    graph, drops = graph_of(settings, sizes_of(parameters)), weight_masks(parameters, noise)
    parameters = {**parameters, **{name: parameters[name] * drops[name] for name in drops}}
    inputs, targets = texts_of(batch)
    run = followed(graph, parameters, batch, inputs, noise)  # (1) to (5)
    loss, dtop = loss_of(parameters, gradients, run.top, targets, estimate)  # (6), 6'
    if not settings.tie:
        gradients["embedding.weight"][...] = 0
    followed_backward(graph, parameters, gradients, batch, inputs, run, dtop)  # 5' to 1'
    for name, drop in drops.items():
        np.multiply(gradients[name], drop, out=gradients[name])
    return loss


def followed(
    graph: Graph, parameters: Mapping[str, Array], batch: Batch, inputs: Ids, noise: Noise
) -> Run:
    """(1) to (5), inputs (T, B)."""
    encoded = encode(graph.encoder, parameters, batch, noise)  # (1)
    last = last_of(graph, encoded)
    first, squashed = bridged(graph, parameters, last)  # (2)
    words = word_mask(parameters["embedding.weight"], noise, inputs)
    x = masked(parameters["embedding.weight"][inputs], words)
    n, seen = len(graph.lower.places()), None
    y, below, low = stacks.forward(graph.lower, parameters, x, first[:n], None, noise)  # (3)
    if graph.attends:
        y, seen = attention.forward(parameters, y, encoded.top, batch.real())  # (4)
    top, above, up = stacks.forward(graph.upper, parameters, y, first[n:], None, noise)  # (5)
    return Run(encoded, last, squashed, words, seen, low, up, (below, above), top)


def followed_backward(
    graph: Graph,
    parameters: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    inputs: Ids,
    run: Run,
    dtop: Array,
) -> None:
    """5' to 1'; the gradient of word vectors is added, as they may be the output's, too."""
    below, above = map(stacks.no_future, run.after)
    dh, dabove = stacks.backward(graph.upper, parameters, gradients, run.up, dtop, above)  # 5'
    dm = np.zeros_like(run.encoded.top)
    if run.seen is not None:
        dh, dm = attention.backward(parameters, gradients, run.seen, dh)  # 4'
    dx, dbelow = stacks.backward(graph.lower, parameters, gradients, run.low, dh, below)  # 3'
    embedding_backward(gradients["embedding.weight"], inputs, masked(dx, run.words))
    dfirst = *dbelow, *dabove
    dlast = bridge_backward(parameters, gradients, run.last, run.squashed, dfirst)  # 2'
    dm, dstates = to_last(graph, run.encoded, dm, dlast)
    encode_backward(graph.encoder, parameters, gradients, batch, run.encoded, dm, dstates)  # 1'


def texts_of(batch: Batch) -> tuple[Ids, Ids]:
    """Inputs and targets (T, B). Raises ValueError without them."""
    if batch.inputs is None:
        raise ValueError("the batch has no texts")
    return batch.inputs, batch.targets


def last_of(graph: Graph, encoded: Encoded) -> Array:
    """(B, D): the states of the top cells after the last step, or the vector itself."""
    if not graph.encoder.layers:
        vector: Array = encoded.top[-1]
        return vector
    ways = len(graph.encoder.ways)
    return np.concatenate([state[0] for state in encoded.last[-ways:]], axis=1)


def to_last(graph: Graph, encoded: Encoded, dm: Array, dlast: Array) -> tuple[Array, States | None]:
    """``last_of`` backwards: gradients of the tops, with dm (S, B, D), and of the last states."""
    if not graph.encoder.layers:
        dm[-1] += dlast
        return dm, None
    dstates = stacks.no_future(encoded.last)
    ways = len(graph.encoder.ways)
    for state, d in zip(dstates[-ways:], np.split(dlast, ways, axis=1), strict=True):
        state[0][...] = d
    return dm, dstates


def bridged(graph: Graph, parameters: Mapping[str, Array], last: Array) -> tuple[States, Array]:
    """(2): (B, D) -> the decoder's first states, and all of them side by side."""
    z = np.tanh(last @ parameters[BRIDGE].T + parameters[BRIDGE_BIAS])
    return states_from(graph, z), z


def states_from(graph: Graph, z: Array) -> States:
    """Numbers side by side (B, n H) as the states of the decoder's cells."""
    n = graph.lower.cell.n_states
    parts = np.split(z, z.shape[1] // graph.lower.hidden, axis=1)
    each = [np.ascontiguousarray(part) for part in parts]
    return tuple(tuple(each[i : i + n]) for i in range(0, len(each), n))


def bridge_backward(
    parameters: Mapping[str, Array], gradients: Parameters, last: Array, z: Array, dfirst: States
) -> Array:
    """2': -> dlast (B, D)."""
    dz = np.concatenate([part for state in dfirst for part in state], axis=1) * (1 - z * z)
    np.dot(dz.T, last, out=gradients[BRIDGE])
    gradients[BRIDGE_BIAS][...] = dz.sum(0)
    return np.asarray(dz @ parameters[BRIDGE])


def loss_of(
    parameters: Mapping[str, Array],
    gradients: Parameters,
    top: Array,
    targets: Ids,
    estimate: Estimate,
) -> tuple[float, Array]:
    """(6) and 6' at the real targets alone: dtop (T, B, D) is 0 at padding."""
    flat = top.reshape(-1, top.shape[2])
    real = np.flatnonzero(targets.ravel() >= 0)
    dtop = np.zeros_like(flat)
    loss, dtop[real] = output_backward(
        parameters, gradients, flat[real], targets.ravel()[real], estimate
    )
    return loss, dtop.reshape(top.shape)
