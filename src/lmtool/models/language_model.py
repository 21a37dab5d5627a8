"""The language model: one recurrent network, the mean of several, a counted model, or a mixture.

With the networks' p_t^k of ``models.network`` (2), K of them:

    p_t = 1/K sum_k p_t^k                                       (3)
    P(sentence) = prod_t p_t[y_t], the last y being <EOS>       (4)

(3) with equal weights: Zaremba et al. 2014, section 4.1. An n-gram model beside the networks and
other predictors of the same tokens are mixed with (3) by ``models.mixture``; without networks they
are all there is.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.display import Shown, counted
from lmtool.errors import ConfigError
from lmtool.models import network
from lmtool.models.buckets import Buckets
from lmtool.models.members import all_shapes, members
from lmtool.models.mixture import Mixture, Part
from lmtool.models.network import Ids, Network, States, quietly
from lmtool.models.ngram import NgramModel
from lmtool.models.predictor import Predictor, State, Top, forgets
from lmtool.models.tempered import Tempered
from lmtool.models.words import TARGET, WordTable, word_tables
from lmtool.nn.parameters import Parameters
from lmtool.settings import ModelSettings
from lmtool.settings.shared import reader
from lmtool.tensor_file import checksum
from lmtool.text.vocabulary import Vocabulary

__all__ = ["LanguageModel", "initialise", "members", "parameter_shapes"]

STREAMS = 32
NETWORK = "network"  # what the networks are called as one part of a mixture


def parameter_shapes(settings: ModelSettings, n_tokens: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all weights."""
    return all_shapes(network.shapes(settings, n_tokens), settings.members)


def initialise(
    settings: ModelSettings,
    counts: NDArray[np.int64],
    rng: np.random.Generator,
    dtype: type[np.floating] = np.float32,
) -> Parameters:
    """Fresh weights for a vocabulary with these counts (V,)."""
    parameters = Parameters(parameter_shapes(settings, len(counts)), dtype=dtype)
    for member in members(settings, parameters):
        network.initialise(member, settings, counts, rng)
    return parameters


@dataclass(frozen=True, slots=True, repr=False)
class LanguageModel(Shown):
    """Settings, vocabulary and weights; everything that computes is numpy and keeps no state.

    Tops and states of several networks lie side by side; those of a mixture are of each part.
    """

    settings: ModelSettings
    vocabulary: Vocabulary
    parameters: Parameters
    provenance: dict[str, Any] = field(default_factory=dict)
    ngram: NgramModel | None = None
    others: tuple[tuple[str, Any], ...] = ()  # more predictors of the same tokens, with their names
    weights: tuple[float, ...] = ()  # of the networks, the n-gram model and the others, if several
    temperatures: tuple[float, ...] = ()  # of the same; none: 1
    buckets: Buckets | None = None  # what the weights follow, whose means they are
    networks: tuple[Network, ...] = field(init=False, compare=False)
    mixture: Mixture | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        parts = members(self.settings, self.parameters)
        object.__setattr__(self, "networks", tuple(Network(self.settings, part) for part in parts))
        mixed = self._mixed()
        object.__setattr__(self, "mixture", mixed)

    def _mixed(self) -> Mixture | None:
        found: list[tuple[str, Predictor]] = []
        if self.ngram is None and not self.others:
            return None
        if self.networks:
            found.append((NETWORK, self.alone))
        if self.ngram is not None:
            found.append((self.ngram.name, self.ngram))
        found += self.others
        K = len(found)
        weights, warmth = self.weights or (1 / K,) * K, self.temperatures or (1.0,) * K
        if not len(weights) == len(warmth) == K:
            raise ConfigError("mixture: a weight for each part expected")
        each = zip(found, weights, warmth, strict=True)
        parts = (Part(name, w, one if T == 1 else Tempered(one, T)) for (name, one), w, T in each)
        return Mixture(tuple(parts), self.buckets)

    @property
    def alone(self) -> "LanguageModel":
        """The networks without all that they are mixed with."""
        nothing: dict[str, Any] = {"ngram": None, "others": (), "buckets": None}
        return replace(self, **nothing, weights=(), temperatures=())

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is mixed: none where there are only networks."""
        return () if self.mixture is None else self.mixture.parts

    @property
    def word_tables(self) -> dict[str, WordTable]:
        """The vectors of its words."""
        networks = [network.parameters for network in self.networks]
        return word_tables(networks, {TARGET: self.vocabulary})

    @property
    def digest(self) -> str:
        """12 hex digits which change with whatever changes a probability."""
        kind = {"cell": self.settings.cell, "activation": self.settings.activation}
        named: dict[str, Any] = kind | {"vocabulary": self.vocabulary.digest}
        tensors: dict[str, NDArray[Any]] = dict(self.parameters.items())
        if self.mixture is not None:
            named |= {"weights": self.weights}
        if self.ngram is not None:
            tensors |= self.ngram.tensors()
        if self.others:
            named |= {"others": [one.digest for _, one in self.others]}
        if set(self.temperatures) - {1.0}:
            named |= {"temperatures": self.temperatures}
        if self.buckets is not None:
            named |= {"clues": [[c.kind, c.part, c.knots] for c in self.buckets.clues]}
            tensors |= {"buckets": self.buckets.table}
        return checksum(tensors, named)[:12]

    def _parts(self) -> Iterator[str]:
        settings, K = self.settings, len(self.networks)
        several = f"mean of {K}: " if K > 1 else ""
        if K:
            yield f"{several}{reader(settings)} {settings.layers} x {settings.hidden}"
        if self.ngram is not None:
            yield self.ngram.name
        yield from (name for name, _ in self.others)
        yield counted(self.vocabulary.n_tokens, "output")
        yield counted(self.parameters.flat.size, "parameter")

    @property
    def block(self) -> int:
        """Streams that ``step`` takes side by side, a stream's bits being its own; 1: none."""
        if self.mixture is not None:
            return self.mixture.block
        return STREAMS if self.networks[0].keeps_streams_apart else 1

    @property
    def forgets(self) -> bool:
        """Whether nothing before a line counts in it."""
        return self.mixture is not None and forgets(self.mixture)

    def stream(self, ids: Ids) -> Array:
        """ln p of each token of whole lines, ids (T,), where ``forgets``."""
        assert self.mixture is not None
        return self.mixture.stream(ids)

    def zero_state(self, B: int = 1) -> State:
        """a_0 = 0 for B streams."""
        if self.mixture is not None:
            return self.mixture.zero_state(B)
        dtype = self.parameters.flat.dtype
        return network.zero_state(self.settings, B, dtype) * len(self.networks)

    def step(self, ids: Ids, state: State) -> tuple[Top, State]:
        """One word a stream, ids (B,) -> top (B, K D) and the states after it."""
        if self.mixture is not None:
            return self.mixture.step(ids, state)
        return self._side_by_side(Network.step, ids, state)

    def read(self, ids: Ids, state: State) -> tuple[Top, State]:
        """T words of one stream, ids (T,) -> top (T, K D) and the state after the last."""
        if self.mixture is not None:
            return self.mixture.read(ids, state)
        return self._side_by_side(Network.read, ids, state)

    def log_probabilities(self, top: Top) -> Array:
        """log p_t, natural, of every token: top (N, K D) -> (N, V)."""
        if self.mixture is not None:
            return self.mixture.log_probabilities(top)
        return self._mean(Network.log_probabilities, top)

    def log_probability(self, top: Top, ids: Ids) -> Array:
        """log p_t, natural, of one token a row: top (N, K D), ids (N,) -> (N,)."""
        if self.mixture is not None:
            return self.mixture.log_probability(top, ids)
        return self._mean(Network.log_probability, top, ids)

    def _side_by_side(
        self,
        advance: Callable[[Network, Ids, States], tuple[Array, States]],
        ids: Ids,
        state: States,
    ) -> tuple[Array, States]:
        L = self.settings.layers
        parts = [
            advance(one, ids, state[k * L : (k + 1) * L]) for k, one in enumerate(self.networks)
        ]
        tops, states = zip(*parts, strict=True)
        return np.concatenate(tops, axis=1), tuple(itertools.chain(*states))

    @quietly
    def _mean(self, logp: Callable[..., Array], top: Array, *ids: Ids) -> Array:
        K = len(self.networks)
        if K == 1:
            return logp(self.networks[0], top, *ids)
        tops = np.split(top, K, axis=1)
        each = (logp(one, part, *ids) for one, part in zip(self.networks, tops, strict=True))
        return reduce(np.logaddexp, each) - math.log(K)  # (3)
