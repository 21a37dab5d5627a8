"""Dynamic evaluation: networks go on learning from the text that they predict.

The text is read in segments of T words. Each is predicted with the weights that the segments before
it left, and only then learnt from: with g the gradient of the segment's mean -ln p, and theta_0 the
trained weights (Krause et al. 2018),

    theta <- theta - eta g / (RMS + epsilon) + min(1, lambda RMS / mean RMS) (theta_0 - theta)  (1)
    RMS = sqrt(mean of g^2)                                                                     (2)

(2) is over segments of a text as the model would write it, with theta_0. Of several networks each
follows its own gradient. With eta = lambda = 0 they stay as trained.
"""

import math
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.errors import ConfigError, option
from lmtool.models.decoder import loss_and_gradients
from lmtool.models.language_model import LanguageModel, members
from lmtool.models.network import States
from lmtool.models.predictor import State, Top, joined, rows
from lmtool.nn.outputs import OUTPUTS, Draw, Output
from lmtool.nn.parameters import Parameters
from lmtool.text.vocabulary import EOS_ID, Vocabulary

__all__ = ["Adaptive", "drawn", "root_mean_squares"]

EPSILON = 1.0  # of the mean RMS
STREAMS = 16  # of a text that is drawn


class Moved(NamedTuple):
    """Where B streams are, and what they have learnt; axis 0 the stream."""

    weights: Array  # (B, P) theta
    state: States  # after the last word
    first: States  # before the segment
    inputs: Ids  # (B, T) the segment as far as it was read
    n: Ids  # (B,) so many words


@dataclass(frozen=True, slots=True)
class Adaptive:
    """(1): networks whose weights follow the text; tops are ln p (M, V) and the networks' (M, D).

    The first read of a segment's end imports numba.
    """

    model: LanguageModel  # as trained
    rms: Array  # (P,)
    rate: float  # eta
    decay: float  # lambda
    segment: int = 20  # T

    @property
    def vocabulary(self) -> Vocabulary:
        """That of the networks."""
        return self.model.vocabulary

    @property
    def block(self) -> int:
        """Each stream has weights of its own."""
        return 1

    def zero_state(self, B: int = 1) -> Moved:
        """The weights as trained."""
        weights, state = self.model.parameters.flat, self.model.zero_state(B)
        segment = np.zeros((B, self.segment), np.int32)
        every = np.broadcast_to(weights, (B, len(weights)))
        return Moved(every, state, state, segment, np.zeros(B, np.int32))

    def step(self, ids: Ids, state: State) -> tuple[Top, State]:
        """One word a stream, each stream apart."""
        each = [self.read(ids[[b]], rows(state, slice(b, b + 1))) for b in range(len(ids))]
        tops, states = zip(*each, strict=True)
        return joined(tops), joined(states)

    def read(self, ids: Ids, state: State) -> tuple[Top, State]:
        """T words of one stream, ids (T,) -> T rows; the weights move where segments end."""
        moved, tops = Moved(*state), []
        while len(ids):
            if moved.n[0] == self.segment:
                moved = self._learnt(moved, ids[0])
            some = ids[: self.segment - moved.n[0]]
            top, moved = self._along(moved, some)
            tops.append(top)
            ids = ids[len(some) :]
        return joined(tops), tuple(moved)

    def log_probabilities(self, top: Top) -> Array:
        """ln p of every token: M rows -> (M, V)."""
        logp: Array = top[0].copy()
        return logp

    def log_probability(self, top: Top, ids: Ids) -> Array:
        """ln p of one token a row: M rows, ids (M,) -> (M,)."""
        logp: Array = top[0][np.arange(len(ids)), ids]
        return logp

    def _along(self, moved: Moved, ids: Ids) -> tuple[Top, Moved]:
        """Some words of a segment, predicted with the weights of now."""
        model = self._now(moved)
        top, after = model.read(ids, moved.state)
        inputs, n = moved.inputs.copy(), moved.n[0]
        inputs[0, n : n + len(ids)] = ids
        left = moved._replace(state=after, inputs=inputs, n=moved.n + np.int32(len(ids)))
        return (model.log_probabilities(top), top), left

    def _learnt(self, moved: Moved, following: int) -> Moved:
        """(1), as soon as the word is known that follows the segment."""
        from lmtool.nn import kernels  # only what learns loads numba

        targets = np.append(moved.inputs[0, 1:], np.int32(following))
        loss, gradient = gradients(self._now(moved), moved.first, moved.inputs[0], targets)
        if not math.isfinite(loss):
            message = "the weights blew up while they followed the text"
            raise ConfigError(f"{message}: try a smaller {option('adapt_rate')}")
        weights, mean = moved.weights[0].copy(), float(self.rms.mean())
        start, factors = self.model.parameters.flat, (self.rate, self.decay / mean, EPSILON * mean)
        kernels.dynamic_step(weights, gradient.flat, start, self.rms, *factors)
        return moved._replace(weights=weights[None], first=moved.state, n=np.zeros(1, np.int32))

    def _now(self, moved: Moved) -> LanguageModel:
        shapes = self.model.parameters.shapes
        return replace(self.model, parameters=Parameters(shapes, moved.weights[0]))


def gradients(
    model: LanguageModel, state: States, inputs: Ids, targets: Ids
) -> tuple[float, Parameters]:
    """Each network's gradient of the mean -ln p of a segment (T,), and the sum of these means."""
    gradient, L = model.parameters.like(), model.settings.layers
    output, V = OUTPUTS[model.settings.softmax], model.vocabulary.n_tokens
    estimate = partial(output.loss, scale=1 / len(inputs), draw=every_token(output, V))
    total = 0.0
    with np.errstate(all="ignore"):  # users check the loss
        for k, own in enumerate(members(model.settings, gradient)):
            loss, _ = loss_and_gradients(
                model.settings,
                model.networks[k].parameters,
                own,
                inputs[:, None],
                targets[:, None],
                state[k * L : (k + 1) * L],
                estimate,
            )
            total += loss / len(inputs)
    return total, gradient


@cache
def every_token(output: Output, V: int) -> Draw | None:
    """The draw of an output that is asked for all V tokens; None where it draws none."""
    if output.sampler is None:
        return None
    everything = np.arange(V, dtype=np.int32)
    return output.sampler(np.ones(V, np.int64), 1).draw(everything, np.random.default_rng(0))


def root_mean_squares(model: LanguageModel, ids: Ids, segment: int = 20) -> Array:
    """(2) over a stream's whole segments, ids (N,): (P,)."""
    state, total = model.zero_state(), np.zeros_like(model.parameters.flat)
    n = (len(ids) - 1) // segment
    for start in range(0, n * segment, segment):
        inputs, targets = ids[start : start + segment], ids[start + 1 : start + segment + 1]
        _, gradient = gradients(model, state, inputs, targets)
        total += np.square(gradient.flat, out=gradient.flat)
        _, state = model.read(inputs, state)
    return np.sqrt(total / max(1, n))


def drawn(model: LanguageModel, n: int, seed: int = 0) -> Ids:
    """A text of n words as the networks would write it, <EOS> first: (n,)."""
    rng, state = np.random.default_rng(seed), model.zero_state(STREAMS)
    ids = np.full((STREAMS, -(-n // STREAMS)), EOS_ID, np.int32)
    for t in range(1, ids.shape[1]):
        top, state = model.step(ids[:, t - 1], state)
        logp = model.log_probabilities(top)
        ids[:, t] = np.argmax(logp + rng.gumbel(size=logp.shape), axis=1)
    return ids.ravel()[:n]
