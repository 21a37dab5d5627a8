"""A conditional model with its sources read: the forward pass again, row by row, in numpy."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array, Ids
from lmtool.data.batch import Batch
from lmtool.inference.reading import read_block
from lmtool.inference.score import measured_logp
from lmtool.models.conditional import loss_and_gradients
from lmtool.models.given import Given, given, keeps_apart
from lmtool.models.members import all_shapes, members
from lmtool.models.predictor import rows
from lmtool.nn.parameters import Parameters
from lmtool.settings import TextSettings
from lmtool.settings.conditional import TranslatorSettings
from lmtool.text.vocabulary import Vocabulary
from tests.models.test_conditional import (
    STARTS,
    TEXTS,
    WORDS,
    alone,
    case,
    cases,
    each,
    estimate,
)

VOCABULARY = Vocabulary.build(["a b c d e"], TextSettings())  # 7 tokens


def sources(batch: Batch) -> list[Array]:
    """Each without its padding."""
    assert batch.source is not None
    if batch.source.ndim == 3:
        return [batch.source[:, b] for b in range(len(TEXTS))]
    return [batch.source[start:, b] for b, start in enumerate(STARTS)]


def predictor(settings: Any, networks: Any, some: list[Array], block: int = 64) -> Given:
    return given(settings, networks, VOCABULARY, block, some)


def followed(model: Given, targets: list[Ids]) -> list[Array]:
    """ln p along texts, the longest first."""
    return [logp for (logp,) in read_block(model, targets, measured_logp(model))]


def shifted_inputs(batch: Batch) -> Batch:
    """The batch as it is when a text is read along itself."""
    inputs = np.zeros_like(batch.targets)
    inputs[1:] = np.maximum(batch.targets[:-1], 0)
    return batch._replace(inputs=inputs)


@each
def test_it_is_the_forward_pass(settings: TranslatorSettings, words: int) -> None:
    parameters, batch = case(settings, words)
    batch = shifted_inputs(batch)
    order = np.argsort(-TEXTS)
    own = sources(batch)
    texts = [batch.targets[: TEXTS[b], b] for b in order]
    logps = followed(predictor(settings, [parameters], [own[b] for b in order]), texts)
    for b, logp in zip(order, logps, strict=True):
        loss = loss_and_gradients(
            settings, parameters, parameters.like(), alone(batch, b), estimate(1)
        )
        assert -logp.sum() == pytest.approx(loss, rel=1e-9)


def small(settings: TranslatorSettings, words: int) -> tuple[list[Parameters], list[Array]]:
    """Two networks in single precision, and sources."""
    parameters, batch = case(settings, words)
    both = Parameters(all_shapes(parameters.shapes, 2), np.tile(parameters.flat, 2))
    both.flat[len(parameters.flat) :] *= -0.7
    single = Parameters(both.shapes, both.flat.astype(np.float32))
    return list(members(replace(settings, members=2), single)), sources(batch)


some = pytest.mark.parametrize(
    ("settings", "words"),
    [one for one in cases() if one[0].cell == "lstm" and one[0].layers == 2],
    ids=str,
)


@some
def test_streams_have_bits_of_their_own(settings: TranslatorSettings, words: int) -> None:
    networks, own = small(settings, words)
    if not keeps_apart(networks[0]):
        pytest.skip("this processor's BLAS does not keep rows apart")
    together, n = predictor(settings, networks, own), len(own)
    state = together.zero_state(n)
    state = rows(state, np.repeat(np.arange(n), 3))
    ids = np.tile(np.array([2, 3, 4], np.int32), n)
    _, state = together.step(ids, state)
    top, _ = together.step(ids[::-1].copy(), state)
    logp = together.log_probabilities(top)
    for b in range(n):
        one = predictor(settings, networks, own[b : b + 1])
        state = one.zero_state(3)
        _, state = one.step(ids[:3], state)
        alone_top, _ = one.step(ids[::-1][3 * b : 3 * b + 3].copy(), state)
        np.testing.assert_array_equal(one.log_probabilities(alone_top), logp[3 * b : 3 * b + 3])


@some
def test_rows_say_where_they_look(settings: TranslatorSettings, words: int) -> None:
    networks, own = small(settings, words)
    model = predictor(settings, networks, own)
    top, _ = model.step(np.zeros(len(own), np.int32), model.zero_state(len(own)))
    looks = model.attention(top)
    if settings.attention == "none" or not words:
        assert looks is None
        return
    assert looks is not None and [len(a) for a in looks] == [len(source) for source in own]
    np.testing.assert_allclose([a.sum() for a in looks], 1, rtol=1e-6)


def test_streams_may_be_dropped_and_exchanged() -> None:
    settings = TranslatorSettings(embed=4, hidden=5)
    networks, own = small(settings, WORDS)
    model = predictor(settings, networks, own)
    state = model.zero_state(3)
    other = rows(state, np.array([2, 0]))
    top, _ = model.step(np.array([3, 4, 5], np.int32), state)
    swapped, _ = model.step(np.array([5, 3], np.int32), other)
    logp, again = model.log_probabilities(top), model.log_probabilities(swapped)
    np.testing.assert_allclose(again, logp[[2, 0]], rtol=1e-6)


def test_reading_is_stepping() -> None:
    settings = TranslatorSettings(embed=4, hidden=5)
    networks, own = small(settings, WORDS)
    model = predictor(settings, networks, own[:1])
    ids = np.array([0, 3, 2], np.int32)
    tops, _ = model.read(ids, model.zero_state())
    state = model.zero_state()
    for t in range(3):
        top, state = model.step(ids[t : t + 1], state)
        np.testing.assert_array_equal(rows(tops, slice(t, t + 1))[0], top[0])
