"""The classifier's formulas: gradients, each example as if alone, numpy's reading, PyTorch."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array
from lmtool.data.batch import Batch
from lmtool.data.ragged import Ragged
from lmtool.errors import ConfigError
from lmtool.models.classifier import (
    NGRAMS,
    PRIOR,
    Sizes,
    initialise,
    log_probabilities,
    loss_and_gradients,
    naive_bayes,
    shapes,
)
from lmtool.nn.noise import Noise
from lmtool.nn.outputs import LABELLINGS
from lmtool.nn.parameters import Parameters
from lmtool.nn.pool import POOLS
from lmtool.settings.classifier import NO_CELL, ClassifierSettings

V, F, G, K = 7, 3, 9, 3
LENGTHS = np.array([6, 1, 4])
S, B = int(LENGTHS.max()), len(LENGTHS)
STARTS = (S - LENGTHS).astype(np.int32)


def cases() -> Iterator[Any]:
    """Cells x layers x directions, pools, sources, n-grams and labels."""
    plain = ClassifierSettings(embed=4, hidden=5, ngrams=0)
    words = Sizes(words=V, labels=K)
    frames = Sizes(features=F, labels=K)
    for cell in ("lstm", "gru", "rnn", NO_CELL):
        for pool in POOLS:
            for layers, both in ((1, True), (2, True), (1, False)):
                if cell != NO_CELL or (layers, both) == (1, True):
                    network = replace(plain, cell=cell, pool=pool, layers=layers, both=both)
                    yield network, words
                    yield replace(network, labelling="sigmoid"), frames
        for labelling in LABELLINGS:
            network = replace(plain, cell=cell, ngrams=2, labelling=labelling)
            yield network, Sizes(words=V, ngrams=G, labels=K)
    yield replace(plain, cell="rnn", activation="relu"), words
    yield replace(plain, cell="window", window=3, layers=2), words


each = pytest.mark.parametrize(("settings", "sizes"), list(cases()), ids=str)


def case(settings: ClassifierSettings, sizes: Sizes) -> tuple[Parameters, Batch]:
    """Random weights in double precision and a ragged batch."""
    rng = np.random.default_rng(0)
    parameters = Parameters(shapes(settings, sizes), dtype=np.float64)
    parameters.flat[:] = rng.normal(size=parameters.flat.size) * 0.5
    ids = rng.integers(1, V, (S, B)).astype(np.int32)
    frames = rng.normal(size=(S, B, F))
    source = ids if sizes.words else frames
    source[np.arange(S)[:, None] < STARTS] = 0
    several = settings.labelling == "sigmoid"
    targets = rng.integers(0, 2, (K, B)) if several else rng.integers(0, K, (1, B))
    ngrams = np.array([[0, -1, 3], [5, -1, -1], [8, 2, -1]], np.int32) if sizes.ngrams else None
    return parameters, Batch(
        source, STARTS, None, targets.astype(np.int32), targets.size, ngrams=ngrams
    )


def alone(batch: Batch, b: int) -> Batch:
    """Example b without its padding, as a shard of the batch."""
    one = batch.columns(slice(b, b + 1))
    assert one.source is not None
    start = int(STARTS[b])
    return one._replace(source=one.source[start:], starts=np.zeros(1, np.int32))


@each
def test_gradients_equal_finite_differences(settings: ClassifierSettings, sizes: Sizes) -> None:
    parameters, batch = case(settings, sizes)
    gradients = parameters.like()
    gradients.flat[...] = np.nan  # overwritten

    def loss() -> float:
        noise = Noise(0.3, 0.2, 0.2, np.random.default_rng(5))  # the same masks each time
        total = loss_and_gradients(settings, parameters, gradients, batch, noise, 0.1)
        return total / batch.n

    loss()
    analytic = gradients.flat.copy()
    for i in np.random.default_rng(2).choice(parameters.flat.size, 60):
        value, step = parameters.flat[i], 1e-5
        parameters.flat[i] = value + step
        above = loss()
        parameters.flat[i] = value - step
        below = loss()
        parameters.flat[i] = value
        assert analytic[i] == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-7)


@each
def test_a_batch_is_its_examples_one_by_one(settings: ClassifierSettings, sizes: Sizes) -> None:
    parameters, batch = case(settings, sizes)
    together, one, total = parameters.like(), parameters.like(), parameters.like()
    loss = loss_and_gradients(settings, parameters, together, batch)
    for b in range(B):
        loss -= loss_and_gradients(settings, parameters, one, alone(batch, b))
        total.flat += one.flat
    assert loss == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(total.flat, together.flat, atol=1e-13)


@each
def test_reading_is_the_forward_pass(settings: ClassifierSettings, sizes: Sizes) -> None:
    parameters, batch = case(settings, sizes)
    loss = loss_and_gradients(settings, parameters, parameters.like(), batch)
    logp = log_probabilities(settings, parameters, batch)
    if settings.labelling == "full":
        np.testing.assert_allclose(np.exp(logp).sum(1), 1, rtol=1e-12)
        said = logp[np.arange(B), batch.targets[0]]
    else:
        said = np.where(batch.targets.T, logp, np.log(-np.expm1(logp)))
    assert -said.sum() == pytest.approx(loss, rel=1e-9)
    each_alone = [log_probabilities(settings, parameters, alone(batch, b))[0] for b in range(B)]
    np.testing.assert_allclose(logp, each_alone, atol=1e-13)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_both_ways_and_pooled_equal_torch(cell: str) -> None:
    torch = pytest.importorskip("torch", reason="compared with PyTorch only where it is installed")
    settings = ClassifierSettings(cell=cell, layers=2, embed=4, hidden=5, ngrams=0)
    parameters, batch = case(settings, Sizes(words=V, labels=K))
    gradients = parameters.like()
    loss = loss_and_gradients(settings, parameters, gradients, batch)
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
    expected = torch_loss(torch, cell, leaves, batch)
    (expected / batch.n).backward()
    assert loss == pytest.approx(expected.item(), rel=1e-10)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(gradients[name], leaf.grad.numpy(), rtol=1e-5, atol=1e-9)


def torch_loss(torch: Any, cell: str, leaves: dict[str, Any], batch: Batch) -> Any:
    """The same model in PyTorch, over a packed sequence."""
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
    network = kind(4, 5, 2, bidirectional=True).double()
    weights = {k.removeprefix("encoder."): x for k, x in leaves.items() if k.startswith("encoder.")}
    assert batch.source is not None
    left = np.stack([np.roll(batch.source[:, b], -start) for b, start in enumerate(STARTS)], 1)
    x = leaves["source.embedding.weight"][torch.tensor(left.astype(np.int64))]
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
    top, _ = torch.func.functional_call(network, weights, (packed,))
    top, _ = torch.nn.utils.rnn.pad_packed_sequence(top)
    parts = [top[:n, b] for b, n in enumerate(LENGTHS)]
    pooled = torch.stack([torch.cat([h.mean(0), h.max(0).values]) for h in parts])
    logits = pooled @ leaves["output.weight"].T + leaves["output.bias"]
    wanted = torch.tensor(batch.targets[0].astype(np.int64))
    return torch.nn.functional.cross_entropy(logits, wanted, reduction="sum")


def test_what_has_no_label_teaches_nothing() -> None:
    for settings, sizes in cases():
        parameters, batch = case(settings, sizes)
        batch.targets[:, 1] = -1
        gradients, others = parameters.like(), parameters.like()
        loss = loss_and_gradients(settings, parameters, gradients, batch, smoothing=0.1)
        for b in (0, 2):
            loss -= loss_and_gradients(settings, parameters, others, alone(batch, b), smoothing=0.1)
            gradients.flat -= others.flat
        assert loss == pytest.approx(0, abs=1e-12)
        np.testing.assert_allclose(gradients.flat, 0, atol=1e-13)


def test_fresh_weights_give_labels_their_shares() -> None:
    rng, counts = np.random.default_rng(0), np.array([5, 1, 2])
    for settings, sizes in cases():
        network = Parameters(shapes(settings, sizes))
        initialise(network, settings, counts, 8, rng)
        few = settings.labelling == "sigmoid"
        wanted = (counts + 1) / 10 if few else (counts + 1) / 11
        z = network["output.bias"]
        p = 1 / (1 + np.exp(-z)) if few else np.exp(z)
        np.testing.assert_allclose(p, wanted, rtol=1e-6)
        assert not network.get(NGRAMS, np.zeros(1)).any()
        assert network["output.weight"].any()


@pytest.mark.parametrize("labelling", LABELLINGS)
def test_ngrams_start_from_naive_bayes(labelling: str) -> None:
    """Two labels, and of three examples the last does not count."""
    settings = ClassifierSettings(embed=4, hidden=5, ngrams=1, labelling=labelling)
    one = labelling == "full"
    targets = [[0], [1], [1]] if one else [[1, 0], [0, 1], [0, 1]]
    ngrams = Ragged.of(np.array(x, np.int32) for x in ([0, 1], [1], [0, 1, 2]))
    labels = Ragged.of(np.array(x, np.int32) for x in targets)
    got = naive_bayes(settings, ngrams, labels, np.array([0, 1]), Sizes(ngrams=3, labels=2))
    ratio = np.log([(2 / 5) / (1 / 4), (2 / 5) / (2 / 4), (1 / 5) / (1 / 4)])  # for label 0
    np.testing.assert_allclose(got[:, 0] - got[:, 1], PRIOR * ratio * (1 if one else 2))
    np.testing.assert_allclose(got.sum(1), 0, atol=1e-12)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ConfigError, match="hidden"):
        shapes(ClassifierSettings(embed=4), Sizes(words=V))
    settings = ClassifierSettings(embed=4, hidden=5, ngrams=2)
    parameters, batch = case(settings, Sizes(words=V, ngrams=G, labels=K))
    with pytest.raises(ValueError, match="no n-grams"):
        log_probabilities(settings, parameters, batch._replace(ngrams=None))
    with pytest.raises(ValueError, match="no source"):
        log_probabilities(settings, parameters, batch._replace(source=None))


@pytest.mark.parametrize("pool", POOLS)
def test_padding_is_never_seen(pool: str) -> None:
    rng = np.random.default_rng(3)
    weights: dict[str, Array] = {
        name: rng.normal(size=s) for name, s in POOLS[pool].shapes(5).items()
    }
    h, real = rng.normal(size=(S, B, 5)), np.arange(S)[:, None] >= STARTS
    pooled, tape = POOLS[pool].forward(weights, h, real)
    gradients = {name: np.empty_like(x) for name, x in weights.items()}
    dh = POOLS[pool].backward(weights, gradients, tape, np.ones_like(pooled))
    h[~real] = 1e6
    assert np.array_equal(POOLS[pool].forward(weights, h, real)[0], pooled)
    assert (dh[~real] == 0).all()


@pytest.mark.parametrize(
    ("column", "first"),
    [
        ((9, 1, 3, 3), 2),  # 9 is padding
        ((9, 3, 1, 3), 1),
        ((np.nan, -1, -1, -1), 1),
        ((0, 1, np.nan, 2), 3),  # of no meaning, but the step must live to see its loss
    ],
)
def test_the_first_of_equals_gets_the_gradient(column: tuple[float, ...], first: int) -> None:
    """Of the maximum; NaN is found out later, by the loss."""
    h = np.array(column, np.float32).reshape(-1, 1, 1)
    real = np.array([[False], [True], [True], [True]])
    pool = POOLS["mean-max"]
    _, tape = pool.forward({}, h, real)
    dh = pool.backward({}, {}, tape, np.array([[0.0, 1.0]]))
    assert dh.argmax() == first and dh.sum() == 1
