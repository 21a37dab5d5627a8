"""Vectors of words that tell which words stand around each other.

x_b = mean of e_i over the inputs i of b           a word, or those around a word      (1)
loss = -sum_b [sum_t ln s(x_b w_t) + n_b k E_q ln s(-x_b w_v)]                         (2)

s the sigmoid, t the n_b targets of b, q what negatives are drawn from, k NEGATIVES for each
target. E_q is the mean over the negatives that a batch shares, or, where it has none, over all
words. Skip-gram: the inputs are a centre, the targets what is around; CBOW: the reverse
(Mikolov et al. 2013); negatives shared by a batch: Ji et al. 2016.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.data.batch import Batch
from lmtool.data.windows import negatives
from lmtool.display import Shown, counted
from lmtool.models.words import TARGET, WordTable
from lmtool.nn.parameters import Parameters
from lmtool.settings.word_vectors import WordVectorSettings
from lmtool.text.vocabulary import Vocabulary

__all__ = ["PER_TOKEN", "WordEmbedding", "initialise", "loss_and_gradients", "loss_of"]
__all__ += ["shapes"]

PER_TOKEN = ("embedding.weight", "output.weight")  # e, w
NEGATIVES = 5.0  # k
MOST = 30.0  # of x w, beyond which exp says nothing new


def shapes(settings: WordVectorSettings, V: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights."""
    return dict.fromkeys(PER_TOKEN, (V, settings.embed or 1))


def initialise(parameters: Parameters, settings: WordVectorSettings, rng: Any) -> None:
    """Small vectors e, and w = 0."""
    e = parameters["embedding.weight"]
    e[...] = (rng.random(e.shape, np.float32) - 0.5) / e.shape[1]


def loss_and_gradients(
    vocabulary: Vocabulary, weights: Mapping[str, Array], gradients: Parameters, batch: Batch
) -> float:
    """(2) in nats; the gradients of loss / n overwrite ``gradients``."""
    from lmtool.nn import kernels  # only training loads numba

    assert batch.inputs is not None
    e, w = (weights[name] for name in PER_TOKEN)
    de, dw = (gradients[name] for name in PER_TOKEN)
    B, scale = batch.inputs.shape[1], 1 / batch.n
    x, n = np.empty((B, e.shape[1]), e.dtype), np.empty(B, e.dtype)
    kernels.mean_rows(e, batch.inputs, x, n)  # (1)
    drawn, q = shared(vocabulary, batch)
    each = NEGATIVES * (batch.targets >= 0).sum(axis=0)  # n_b k
    some = np.ascontiguousarray(w[drawn])
    loss, far = repelled(x @ some.T, each.astype(e.dtype), q.astype(e.dtype), scale)
    dx = far @ some
    gradients.flat[...] = 0
    kernels.scatter_add(far.T @ x, drawn, dw)
    loss += float(kernels.attract(x, w, batch.targets, scale, dx, dw))
    kernels.spread_rows(dx, batch.inputs, n, de)
    return loss


def loss_of(model: "WordEmbedding", batch: Batch) -> float:
    """(2) in nats, of a batch that has negatives; numpy alone."""
    assert batch.inputs is not None
    e, w = (model.parameters[name] for name in PER_TOKEN)
    there = batch.inputs >= 0
    n = np.maximum(1, there.sum(axis=0))[:, None]
    x = np.einsum("mbe,mb->be", e[batch.inputs], there.astype(e.dtype)) / n  # (1)
    drawn, q = shared(model.vocabulary, batch)
    wanted = np.einsum("be,lbe->lb", x, w[batch.targets]).astype(np.float64)
    near = np.where(batch.targets >= 0, np.logaddexp(0, -wanted), 0.0)
    far = np.logaddexp(0, (x @ w[drawn].T).astype(np.float64)) @ q
    return float(near.sum() + NEGATIVES * (far @ (batch.targets >= 0).sum(axis=0)))


def shared(vocabulary: Vocabulary, batch: Batch) -> tuple[Ids, Array]:
    """The negatives (K,) of a batch and the share of each (K,)."""
    if batch.drawn is not None:
        return batch.drawn, np.full(len(batch.drawn), 1 / len(batch.drawn))
    q = negatives(vocabulary.counts)
    return np.arange(len(q), dtype=np.int32), q


def repelled(logits: Array, each: Array, q: Array, scale: float) -> tuple[float, Array]:
    """The second part of (2) from x w (B, K), which becomes scale times its gradient."""
    np.exp(np.minimum(logits, MOST, out=logits), out=logits)
    above = logits + 1
    logits /= above
    loss = float(each @ (np.log(above, out=above) @ q))
    logits *= q
    logits *= (scale * each)[:, None].astype(logits.dtype)
    return loss, logits


@dataclass(frozen=True, slots=True, repr=False)
class WordEmbedding(Shown):
    """Settings, vocabulary and weights."""

    settings: WordVectorSettings
    vocabulary: Vocabulary
    parameters: Parameters
    provenance: dict[str, Any] = field(default_factory=dict)

    def _parts(self) -> Iterator[str]:
        yield counted(self.vocabulary.n_tokens, "word")
        yield str(self.settings)

    @property
    def parts(self) -> Vocabulary:
        """What its kind calls so."""
        return self.vocabulary

    @property
    def word_tables(self) -> dict[str, WordTable]:
        """The vectors."""
        return {TARGET: WordTable(self.vocabulary, (self.parameters["embedding.weight"],))}
