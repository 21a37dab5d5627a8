"""What is read of a source is its own: company, order and padding change no bit."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmtool.arrays import Array
from lmtool.data.batch import Batch
from lmtool.models.classifier import Sizes, log_probabilities, shapes, stack_of
from lmtool.models.encoder import encode, keeps_apart, read
from lmtool.nn.cells import CELLS
from lmtool.nn.noise import QUIET
from lmtool.nn.outputs import LABELLINGS
from lmtool.nn.parameters import Parameters
from lmtool.nn.pool import POOLS
from lmtool.settings.classifier import NO_CELL, ClassifierSettings
from lmtool.workers import single_threaded_blas
from tests import blas

V, F, G, K = 9, 5, 12, 3

cached: dict[Any, Parameters] = {}


@st.composite
def models(draw: st.DrawFn) -> tuple[ClassifierSettings, Sizes, Parameters]:
    """Random weights, of words or frames, in single or double precision."""
    network = ClassifierSettings(
        cell=draw(st.sampled_from([*CELLS, NO_CELL])),
        layers=draw(st.integers(1, 2)),
        both=draw(st.booleans()),
        embed=draw(st.sampled_from([1, 3, 8])),
        hidden=draw(st.sampled_from([1, 5, 40])),
        pool=draw(st.sampled_from(sorted(POOLS))),
        labelling=draw(st.sampled_from(sorted(LABELLINGS))),
    )
    sizes = draw(
        st.sampled_from(
            [Sizes(V, 0, 0, K), Sizes(V, 0, G, K), Sizes(0, F, 0, K), Sizes(0, 1, 0, 2)]
        )
    )
    key = replace(network, ngrams=2 if sizes.ngrams else 0), sizes, draw(st.sampled_from("fd"))
    if key not in cached:
        parameters = Parameters(shapes(*key[:2]), dtype=np.dtype(key[2]).type)
        parameters.flat[:] = np.random.default_rng(0).normal(0, 0.5, parameters.flat.size)
        cached[key] = parameters
    return *key[:2], cached[key]


def sources(sizes: Sizes, lengths: list[int], seed: int) -> Iterator[tuple[Array, Array]]:
    """Words or frames with some n-grams."""
    rng = np.random.default_rng(seed)
    for n in lengths:
        words = rng.integers(0, V, n).astype(np.int32)
        frames = rng.standard_normal((n, sizes.features)).astype(np.float32)
        wide = np.sort(rng.choice(G, rng.integers(1, 7), replace=False)).astype(np.int32)
        yield (words if sizes.words else frames), wide


def batch(some: list[tuple[Array, Array]], more: int, sizes: Sizes) -> Batch:
    """Side by side, with padding in front that must not be seen."""
    S = max(len(one) for one, _ in some) + more
    fill = np.int32(1) if sizes.words else np.float32(np.inf)
    source = np.full((S, len(some), *some[0][0].shape[1:]), fill)
    ngrams = np.full((9, len(some)), -1, np.int32)
    for b, (one, wide) in enumerate(some):
        source[S - len(one) :, b] = one
        ngrams[: len(wide), b] = wide
    starts = np.array([S - len(one) for one, _ in some], np.int32)
    return Batch(source, starts, None, np.zeros((0, len(some)), np.int32), 0, ngrams=ngrams)


def apart(parameters: Parameters, network: ClassifierSettings) -> bool:
    with single_threaded_blas():
        return keeps_apart(stack_of(network), parameters)


@settings(max_examples=150)
@given(
    models(),
    st.lists(st.integers(1, 12), min_size=1, max_size=40),
    st.integers(0, 99),
    st.data(),
)
def test_company_changes_no_bit(
    model: tuple[ClassifierSettings, Sizes, Parameters],
    lengths: list[int],
    seed: int,
    data: st.DataObject,
) -> None:
    network, sizes, parameters = model
    some = list(sources(sizes, lengths, seed))
    chosen = data.draw(st.lists(st.sampled_from(range(len(some))), min_size=1, max_size=4))
    stack = stack_of(network)
    if not apart(parameters, network):
        chosen = []  # lines are read one by one here
    with single_threaded_blas():
        together = batch(some, data.draw(st.integers(0, 2)), sizes)
        top, last, rows = read(stack, parameters, together)
        tops = rows.split(top)
        logp = log_probabilities(network, parameters, together)
        for b in chosen:
            own = batch([some[b]], 0, sizes)
            alone = read(stack, parameters, own)
            np.testing.assert_array_equal(tops[b], alone.top)
            for one, other in zip(last, alone.last, strict=True):
                for part, expected in zip(one, other, strict=True):
                    np.testing.assert_array_equal(rows.by_column(part)[b : b + 1], expected)
            expected = log_probabilities(network, parameters, own)
            np.testing.assert_array_equal(logp[b : b + 1], expected)


@settings(max_examples=60)
@given(models(), st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 99))
def test_reading_is_encoding(
    model: tuple[ClassifierSettings, Sizes, Parameters], lengths: list[int], seed: int
) -> None:
    network, sizes, parameters = model
    together = batch(list(sources(sizes, lengths, seed)), 0, sizes)
    assert together.source is not None
    together.source[~together.real()] = 0
    stack = stack_of(network)
    top, _, rows = read(stack, parameters, together)
    expected = encode(stack, parameters, together, QUIET).top
    rtol, atol = (1e-3, 2e-4) if top.dtype == np.float32 else (1e-9, 1e-12)
    np.testing.assert_allclose(top, expected[rows.times, rows.columns], rtol, atol)


def test_sources_are_kept_apart_where_blas_is_known() -> None:
    network = ClassifierSettings(embed=64, hidden=128)
    parameters = Parameters(shapes(network, Sizes(V, labels=5)))
    assert not blas.keeps_rows_apart() or apart(parameters, network)


@pytest.mark.parametrize("missing", ["source", "starts"])
def test_what_is_missing_is_named(missing: str) -> None:
    network, sizes = ClassifierSettings(embed=3, hidden=3), Sizes(V)
    parameters = Parameters(shapes(network, sizes))
    whole = batch(list(sources(sizes, [2], 0)), 0, sizes)
    given = whole._replace(source=None) if missing == "source" else whole._replace(starts=None)
    with pytest.raises(ValueError, match="no source"):
        read(stack_of(network), parameters, given)
