"""How much each part of a mixture counts: from columns of ln p along a text that none has learnt.

A pass over a part of the text finds the temperature of each network, a second one all columns;
what is fitted then takes milliseconds. Weights that follow the context (``models.buckets``) are
taken where they are better than one weight a part on the half of the text that they were not
fitted on, both ways.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids
from lmtool.errors import InputError
from lmtool.inference.evaluate import cut, padded, perplexity, sentences
from lmtool.models.buckets import Buckets, Clue, fit_table, shares
from lmtool.models.language_model import LanguageModel
from lmtool.models.mixture import Mixture, Part, columns_of, fit_weights
from lmtool.models.ngram import NgramModel
from lmtool.models.predictor import Top, rows
from lmtool.models.tempered import Tempered, pieces, tempered
from lmtool.workers import Workers

__all__ = ["Fit", "columns", "fitted", "with_fit"]

STREAMS = 64  # of a document, side by side
TOGETHER = 8  # of them that a thread reads
SOME = 8  # of so many parts of the text, one is for the temperatures
TEMPERATURES = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1)
SWEEPS = 2  # over the parts
LEAST = 2000  # tokens without which weights do not follow the context
BETTER = 1e-3  # nats a token that buckets must gain on the other half, a temperature on its part
KNOWN = (1.0, 2.0, 3.0, 4.0)  # words of the longest listed context
LEFT = (-2.0, -1.0, 0.0)  # ln of the share that it leaves to shorter ones

Floats = NDArray[np.float64]
Columns = NDArray[np.float32]


class Fit(NamedTuple):
    """What a mixture should be, and what it makes of the text that says so."""

    weights: tuple[float, ...]  # of the parts; means where they follow the context
    temperatures: tuple[float, ...]
    buckets: Buckets | None
    loss: float  # nats a token
    alone: tuple[float, ...]  # the same of each part
    n_tokens: int


class Reading(NamedTuple):
    """A part of the text as ``padded`` takes it."""

    places: Ids  # (T, B) of the tokens, -1 is padding
    skip: Ids | int


def fitted(mixture: Mixture, ids: Ids, in_sentences: bool, workers: Workers) -> Fit:
    """The weights, temperatures and buckets that suit ids, (n_tokens,), in a context.

    Raises InputError where there is no text.
    """
    if not len(ids):
        raise InputError("nothing to fit the weights on: there is no word in the text")
    read = readings(len(ids), ids, in_sentences)
    parts = warmed(mixture.parts, temperatures(mixture.parts, ids, read[::SOME], workers))
    clues = clues_of(parts) if len(ids) >= LEAST else ()
    logp, values = columns(parts, clues, ids, read, workers)
    return choose(parts, clues, logp, values)


def choose(parts: tuple[Part, ...], clues: tuple[Clue, ...], logp: Columns, values: Columns) -> Fit:
    """The fit to columns (M, K) and what the clues say (M, F)."""
    weights, found = np.array(fit_weights(logp)), None
    loss, cells = -mean_logp(logp, weights[None]), shares(clues, values)
    if clues and gain_by_halves(logp, cells) > BETTER:
        table = fit_table(logp, cells, weights).astype(np.float32)  # as a file keeps it
        found, each = Buckets(clues, table), cells @ table
        loss, weights = -mean_logp(logp, each), each.mean(axis=0)
    alone = tuple((-logp.mean(axis=0, dtype=np.float64)).tolist())
    weights = weights / weights.sum()
    return Fit(tuple(weights.tolist()), warmth(parts), found, loss, alone, len(logp))


def with_fit(model: LanguageModel, fit: Fit) -> LanguageModel:
    """The model, mixed so."""
    warm = fit.temperatures if set(fit.temperatures) - {1.0} else ()
    return replace(model, weights=fit.weights, temperatures=warm, buckets=fit.buckets)


def mean_logp(logp: Columns, weights: Floats) -> float:
    """Nats a token, of weights (K,) or (M, K)."""
    most = logp.max(axis=1, keepdims=True)
    p = (np.exp(logp - most, dtype=np.float64) * weights).sum(axis=1)
    return float((np.log(p) + most[:, 0]).mean())


def gain_by_halves(logp: Columns, cells: Floats) -> float:
    """Nats a token that buckets gain on each half when they are fitted on the other one."""
    first, gained = np.arange(len(logp)) < len(logp) // 2, 0.0
    for seen in (first, ~first):
        weights = np.array(fit_weights(logp[seen]))
        table = fit_table(logp[seen], cells[seen], weights)
        other = logp[~seen]
        better = mean_logp(other, cells[~seen] @ table) - mean_logp(other, weights[None])
        gained += better * len(other) / len(logp)
    return gained


def clues_of(parts: tuple[Part, ...]) -> tuple[Clue, ...]:
    """How much the first n-gram model knows of the context."""
    counts = [k for k, part in enumerate(parts) if isinstance(part.model, NgramModel)]
    if not counts:
        return ()
    order = untempered(parts[counts[0]]).order
    known = KNOWN[: order - 1]
    found = [Clue("known", counts[0], known)] if len(known) > 1 else []
    return (*found, Clue("freed", counts[0], LEFT)) if order > 1 else ()


def untempered(part: Part) -> Any:
    """The predictor itself."""
    return part.model.model if isinstance(part.model, Tempered) else part.model


def warmth(parts: tuple[Part, ...]) -> tuple[float, ...]:
    """The temperature of each part."""
    each = (part.model for part in parts)
    return tuple(one.temperature if isinstance(one, Tempered) else 1.0 for one in each)


def warmed(parts: tuple[Part, ...], temperatures: tuple[float, ...]) -> tuple[Part, ...]:
    """The parts at these temperatures."""
    own = zip(parts, map(untempered, parts), temperatures, strict=True)
    return tuple(part._replace(model=one if T == 1 else Tempered(one, T)) for part, one, T in own)


def temperatures(
    parts: tuple[Part, ...], ids: Ids, read: list[Reading], workers: Workers
) -> tuple[float, ...]:
    """Those of the networks that make the mixture of all best; of n-gram models 1."""
    learnt = [not isinstance(untempered(part), NgramModel) for part in parts]
    grids = [TEMPERATURES if one else (1.0,) for one in learnt]
    plain = warmed(parts, (1.0,) * len(parts))
    ends = np.cumsum([0, *map(len, grids)])

    def measure(top: Top, wanted: Ids) -> Columns:
        each = zip(plain, top, grids, strict=True)
        return np.concatenate([at_each(part, own, wanted, grid) for part, own, grid in each], 1)

    every = np.concatenate([*workers.map(partial(along, plain, ids, measure), read)])
    chosen = [grid.index(1.0) for grid in grids]
    for _, k in product(range(SWEEPS), np.flatnonzero(learnt).tolist()):
        losses = []
        for t in range(len(grids[k])):
            chosen[k] = t
            logp = every[:, ends[:-1] + chosen]
            losses.append(-mean_logp(logp, np.array(fit_weights(logp))[None]))
        usual, best = grids[k].index(1.0), int(np.argmin(losses))
        chosen[k] = best if losses[best] < losses[usual] - BETTER else usual
    return tuple(grid[t] for grid, t in zip(grids, chosen, strict=True))


def at_each(part: Part, top: Top, ids: Ids, grid: tuple[float, ...]) -> Columns:
    """ln p of one token a row at each temperature, (N, temperatures)."""
    if len(grid) == 1:
        return np.asarray(part.model.log_probability(top, ids)[:, None])
    out = np.empty((len(ids), len(grid)), np.float32)
    for some in pieces(len(ids), part.model.vocabulary.n_tokens):
        logp = part.model.log_probabilities(rows(top, some))
        own = np.arange(len(logp)), ids[some]
        for t, T in enumerate(grid):
            out[some, t] = logp[own] if T == 1 else tempered(logp, T)[own]
    return out


def columns(
    parts: tuple[Part, ...],
    clues: tuple[Clue, ...],
    ids: Ids,
    read: list[Reading],
    workers: Workers,
) -> tuple[Columns, Columns]:
    """ln p of each token as each part has it, and what the clues say, in the text's order."""

    def measure(top: Top, wanted: Ids) -> Columns:
        found = columns_of(parts, clues, top, wanted)
        return np.column_stack([*found.logp, found.values]).astype(np.float32)

    every = np.concatenate([*workers.map(partial(along, parts, ids, measure), read)])
    order = np.argsort(np.concatenate([counted(one) for one in read]))
    return every[order, : len(parts)], every[order, len(parts) :]


def along(
    parts: tuple[Part, ...], ids: Ids, measure: Callable[[Top, Ids], Columns], read: Reading
) -> Columns:
    """What is measured of the tokens of a part of the text."""
    texts = np.where(read.places >= 0, ids[read.places], np.int32(-1))
    return np.concatenate(padded(Mixture(parts), texts, read.skip, measure))


def counted(read: Reading) -> Ids:
    """The places of the tokens that ``padded`` measures, in its order."""
    late = np.arange(len(read.places))[:, None] >= read.skip
    places = np.where(late, read.places, -1).ravel()
    return np.asarray(places[places >= 0])


def readings(n: int, ids: Ids, in_sentences: bool) -> list[Reading]:
    """The whole text in parts, each line from zero state or in streams side by side."""
    return [*(by_sentences(ids) if in_sentences else by_streams(n))]


def by_streams(n: int) -> Iterator[Reading]:
    """The state carried."""
    places, skip = cut(np.arange(n, dtype=np.int32), max(1, min(STREAMS, n // 500)))
    for first in range(0, len(skip), TOGETHER):
        some = slice(first, first + TOGETHER)
        yield Reading(places[:, some], skip[some])


def by_sentences(ids: Ids) -> Iterator[Reading]:
    """Each line by itself."""
    for places in sentences(ids, np.arange(len(ids), dtype=np.int32)):
        yield Reading(places, 0)


def perplexities(fit: Fit, per_word: float = 1.0) -> tuple[float, tuple[float, ...]]:
    """Of the mixture, and of each part: from nats a token, and tokens a word."""
    each = tuple(perplexity(-loss * per_word, 1) for loss in fit.alone)
    return perplexity(-fit.loss * per_word, 1), each
