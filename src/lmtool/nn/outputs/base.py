"""What an output layer is: from top vectors to the loss and its gradients, and to exact scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids

__all__ = [
    "Chain",
    "Draw",
    "Ids",
    "Labelling",
    "Output",
    "OutputWeights",
    "Rules",
    "Sampler",
    "Softmax",
    "Tagging",
    "Weights",
    "apart",
    "log_softmax",
    "obeying",
    "share",
]

Weights = Mapping[str, Array]  # of a network, by name


class OutputWeights(NamedTuple):
    """The layer's weights, or their gradients."""

    weight: Array  # (V, D)
    bias: Array  # (V,)
    class_weight: Array | None = None  # (K, D)
    class_bias: Array | None = None  # (K,)


class Draw(NamedTuple):
    """The tokens that a step's loss needs beside its targets."""

    ids: NDArray[np.intp]  # (K,)
    extra: Any  # what the loss wants to know about them


class Sampler(Protocol):
    """What an output layer draws from."""

    def draw(self, targets: Ids, rng: np.random.Generator) -> Draw:
        """The tokens of a step with these targets."""
        ...


@dataclass(frozen=True, slots=True)
class Output:
    """An output layer.

    loss(weights, gradients, x (N, D), targets (N,), scale, draw) -> (loss, dx): the sum of -ln p
    in nats; ``gradients`` are overwritten with scale times its own.
    sampler(counts (V,), samples) -> what is drawn from, samples times a step; None where the loss
    needs every token.
    softmax: the layer whose exact probabilities a model trained so has, a key of SOFTMAXES.
    finish: the output, a key of OUTPUTS, of which this is an estimate; the last steps may use it.
    takes: settings of a recipe that its loss takes: ``smoothing``, the share of a target that all
    tokens get alike; ``margin``, by how much a target must lead.
    """

    name: str
    loss: Callable[..., tuple[float, Array]]
    sampler: Callable[[NDArray[np.int64], int], Sampler] | None = None
    softmax: str = "full"
    finish: str | None = None
    takes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Softmax:
    """An exactly normalised distribution over V tokens, in numpy.

    log_probabilities(weights, x (N, D)) -> (N, V) ln p of every token.
    log_probability(weights, x (N, D), ids (N,)) -> (N,) ln p of one token each.
    shapes(V, D) -> names and shapes of what it needs beside a weight (V, D) and a bias (V,).
    initialise(weights, counts (V,)): biases that give each token its share of the counts.
    """

    log_probabilities: Callable[[OutputWeights, Array], Array]
    log_probability: Callable[[OutputWeights, Array, Ids], Array]
    shapes: Callable[[int, int], dict[str, tuple[int, ...]]]
    initialise: Callable[["OutputWeights", NDArray[np.int64]], None]


@dataclass(frozen=True, slots=True)
class Labelling:
    """What logits (N, K) say of K labels, in numpy: labels are few.

    loss(logits, targets, scale, smoothing) -> (loss, dlogits): the sum of -ln p in nats and scale
    times its gradient; targets below 0 do not count. ``smoothing`` is the share of each target that
    all labels get alike.
    log_probabilities(logits) -> (N, K) ln p of each label.
    bias(counts (K,), n) -> (K,) logits that give each label its share of n examples.
    evidence(counts (G, K), totals (G,)) -> (G, K) logits that naive Bayes adds for each of G
    features, seen so often with each label and in all.
    """

    name: str
    loss: Callable[[Array, Ids, float, float], tuple[float, Array]]
    log_probabilities: Callable[[Array], Array]
    bias: Callable[[NDArray[np.int64], int], Array]
    evidence: Callable[[NDArray[np.int64], NDArray[np.int64]], Array]


class Rules(NamedTuple):
    """Which of K tags may stand where."""

    first: NDArray[np.bool_]  # (K,) at the beginning of a sequence
    between: NDArray[np.bool_]  # (K, K) [before, after]
    last: NDArray[np.bool_]  # (K,)


class Chain(NamedTuple):
    """What is said of the tags of B sequences, padded at the front: log potentials, float64.

    The score of tags y is first[y_0] + sum of emissions[t, y_t] + sum of between[y_t-1, y_t] +
    last[y_T-1]; -inf where the rules forbid.
    """

    emissions: NDArray[np.float64]  # (S, B, K)
    first: NDArray[np.float64]  # (K,)
    between: NDArray[np.float64]  # (K, K) [before, after]
    last: NDArray[np.float64]  # (K,)


@dataclass(frozen=True, slots=True)
class Tagging:
    """What a network says of K tags at each step: z (S, B, outputs(K)).

    outputs(K) -> columns of z. Raises ValueError for a K that it cannot tell apart.
    shapes(K) -> names and shapes of weights of its own.
    loss(weights, gradients, z, targets (S, B), starts (B,), rules, scale) -> (loss, dz): the sum of
    -ln p in nats and scale times its gradient, 0 at padding, where targets are -1; its own
    ``gradients`` are overwritten with scale times theirs.
    chain(networks, rules) -> what networks, each (weights, z), say together; from here on all
    taggings are alike.
    """

    name: str
    outputs: Callable[[int], int]
    shapes: Callable[[int], dict[str, tuple[int, ...]]]
    loss: Callable[[Weights, Weights, Array, Ids, Ids, Rules, float], tuple[float, Array]]
    chain: Callable[[Sequence[tuple[Weights, Array]], Rules], Chain]


def obeying(potentials: Array, allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The potentials, -inf where something is not allowed."""
    return np.where(allowed, potentials.astype(np.float64), -np.inf)


def apart(logp: Sequence[Array], rules: Rules) -> Chain:
    """The mean of networks' ln p (S, B, K), whose tags know each other by the rules alone."""
    stacked = np.stack([x.astype(np.float64) for x in logp])
    mean = np.logaddexp.reduce(stacked) - np.log(len(stacked))
    return Chain(mean, *(obeying(np.zeros(rule.shape), rule) for rule in rules))


def share(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each token's probability, from its count plus one: (V,), or (V, K) for K texts."""
    p: NDArray[np.float64] = (counts + 1) / (counts + 1).sum(axis=0)
    return p


def log_softmax(logits: Array) -> Array:
    """In place, over the last axis."""
    logits -= logits.max(axis=-1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return logits
