"""A conditional language model with its sources read: a Predictor, in numpy, without state.

The equations are those of ``models.conditional``. A stream's state says which source it writes
about, so streams may be dropped, repeated and reordered like rows of any array.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.data.batch import unlabelled
from lmtool.data.ragged import Ragged
from lmtool.models.conditional import BRIDGE, BRIDGE_BIAS, Graph, graph_of, sizes_of, states_from
from lmtool.models.encoder import read as read_source
from lmtool.models.network import output_weights, quietly
from lmtool.nn import attention
from lmtool.nn.attention import Memory
from lmtool.nn.cells.base import biased
from lmtool.nn.outputs import SOFTMAXES
from lmtool.nn.parameters import Parameters
from lmtool.nn.rowwise import apart, passed, product
from lmtool.nn.stack import Stack, States
from lmtool.text.vocabulary import Vocabulary

__all__ = ["Given", "given", "keeps_apart"]

SOFTMAX = SOFTMAXES["full"]

Top = tuple[Array, ...]  # (B, K D); with attention (B, S) and (B,), the steps of its own source
State = tuple[Any, ...]  # which source (B,), then those of the networks' cells


class Source(NamedTuple):
    """What one network knows of all sources."""

    network: Parameters
    graph: Graph
    memories: tuple[Memory, ...]  # of all sources; () without attention
    first: States  # of all sources
    lengths: Array  # (n,) steps of each


@dataclass(frozen=True, slots=True)
class Given:
    """P(text | source) of n sources: stream b of ``zero_state(n)`` writes about source b."""

    vocabulary: Vocabulary
    block: int
    sources: tuple[Source, ...]  # one a network
    n: int

    def zero_state(self, B: int = 1) -> State:
        """Of B = n streams, or of B streams about the only source."""
        which = np.arange(B) if self.n == B else np.zeros(B, np.intp)
        layers = itertools.chain(*(source.first for source in self.sources))
        return which, *(tuple(x[which] for x in state) for state in layers)

    @quietly
    def step(self, ids: Ids, state: State) -> tuple[Top, State]:
        """One token a stream, ids (B,) -> B rows and the states after them."""
        which, layers = state[0], iter(state[1:])
        tops, after, looks = [], [], list[Array]()
        for source in self.sources:
            n = len(source.first)
            top, own, a = stepped(source, ids, which, tuple(itertools.islice(layers, n)))
            tops.append(top)
            after.extend(own)
            looks.extend(() if a is None else (a,))
        seen: tuple[Array, ...] = ()
        if looks:
            seen = reduce(np.add, looks) / len(looks), self.sources[0].lengths[which]
        return (np.concatenate(tops, axis=1), *seen), (which, *after)

    def read(self, ids: Ids, state: State) -> tuple[Top, State]:
        """T tokens of one stream, ids (T,) -> T rows and the state after the last."""
        parts = []
        for one in ids:
            top, state = self.step(np.array([one], np.int32), state)
            parts.append(top)
        return tuple(np.concatenate(rows) for rows in zip(*parts, strict=True)), state

    def log_probabilities(self, top: Top) -> Array:
        """ln p of every token: N rows -> (N, V)."""
        return self._mean(SOFTMAX.log_probabilities, top)

    def log_probability(self, top: Top, ids: Ids) -> Array:
        """ln p of one token a row: N rows, ids (N,) -> (N,)."""
        return self._mean(SOFTMAX.log_probability, top, ids)

    def attention(self, top: Top) -> list[Array] | None:
        """Where each row looked, (S,) of its own source; None without attention."""
        return [a[:n] for a, n in zip(*top[1:], strict=True)] if top[1:] else None

    @quietly
    def _mean(self, logp: Callable[..., Array], top: Top, *ids: Ids) -> Array:
        """The networks' mean probability."""
        tops = np.split(top[0], len(self.sources), axis=1)
        each = [
            logp(output_weights(source.network), own, *ids)
            for source, own in zip(self.sources, tops, strict=True)
        ]
        return each[0] if len(each) == 1 else reduce(np.logaddexp, each) - math.log(len(each))


@quietly
def given(
    settings: Any,
    networks: Sequence[Parameters],
    vocabulary: Vocabulary,
    block: int,
    sources: Sequence[Array],
) -> Given:
    """The predictor of some sources: ids (S,), S > 0, or vectors (1, F)."""
    ragged = Ragged.of(sources)
    read = tuple(source_of(settings, network, ragged) for network in networks)
    return Given(vocabulary, block, read, len(ragged))


def source_of(settings: Any, network: Parameters, sources: Ragged) -> Source:
    """Memories and first states of sources, each with bits of its own."""
    graph, batch = graph_of(settings, sizes_of(network)), unlabelled(sources)
    top, states, rows = read_source(graph.encoder, network, batch)
    if graph.encoder.layers:
        ways = len(graph.encoder.ways)
        last = rows.by_column(np.concatenate([state[0] for state in states[-ways:]], axis=1))
    else:
        last = np.stack([own[-1] for own in rows.split(top)])
    z = np.tanh(apart(last, network[BRIDGE]) + network[BRIDGE_BIAS])
    own = rows.split(top)
    memories = attention.memories_of(network, own) if graph.attends else ()
    return Source(network, graph, memories, states_from(graph, z), np.array(list(map(len, own))))


def stepped(
    source: Source, ids: Ids, which: Array, state: States
) -> tuple[Array, list[tuple[Array, ...]], Array | None]:
    """One network's step: tops (B, D), the states after it, where each stream looked."""
    weights, graph, a = source.network, source.graph, None
    n = len(graph.lower.places())
    first = entered(graph.lower, weights, ids, state[0])
    x, after = climbed(graph.lower, weights, first[0], state[1:n], 1)
    if graph.attends:
        c, a = attention.look(x, which, source.memories)
        x = attention.mixed(weights, x, c)
    x, above = climbed(graph.upper, weights, x, state[n:], 0)
    if "projection.weight" in weights:
        x = product(x, weights["projection.weight"])
    return x, [first, *after, *above], a


def entered(
    stack: Stack, weights: Mapping[str, Array], ids: Ids, state: tuple[Array, ...]
) -> tuple[Array, ...]:
    """The first cell's step; tokens that several streams read are multiplied once."""
    own, (distinct, places) = stack.weights(weights, 0), np.unique(ids, return_inverse=True)
    zx = biased(apart(weights["embedding.weight"][distinct], own.weight_ih), own.bias_ih)
    return stack.cell.advance(own, zx[places], state, stack.activation)


def climbed(
    stack: Stack, weights: Mapping[str, Array], x: Array, state: States, first: int
) -> tuple[Array, list[tuple[Array, ...]]]:
    """One step of cells on top of each other, from the first of these layers on."""
    after = []
    for layer, before in enumerate(state, first):
        own = stack.weights(weights, layer)
        after.append(stack.cell.step(own, x, before, stack.activation))
        x = after[-1][0]
    return x, after


def keeps_apart(network: Parameters) -> bool:
    """Whether a source and a stream have the same bits beside others; tried on this processor."""
    dtype = network.flat.dtype.char
    widths = {x.shape[1] for x in network.values() if x.ndim == 2}
    alone = attention.KEY not in network
    return passed(widths, dtype) and (alone or attention.keeps_apart(network))
