"""P(text | source): gradients, each pair as if alone, PyTorch."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array
from lmtool.data.batch import Batch
from lmtool.errors import ConfigError
from lmtool.models.conditional import Sizes, initialise, loss_and_gradients, shapes
from lmtool.nn.noise import Noise
from lmtool.nn.outputs import OUTPUTS, OutputWeights
from lmtool.nn.parameters import Parameters
from lmtool.settings.conditional import TranslatorSettings

V, WORDS, FEATURES = 7, 6, 3
SOURCES, TEXTS = np.array([5, 1, 3]), np.array([2, 4, 3])
S, T, B = int(SOURCES.max()), int(TEXTS.max()), len(SOURCES)
STARTS = (S - SOURCES).astype(np.int32)


SMALL = TranslatorSettings(embed=4, hidden=5)

Case = tuple[TranslatorSettings, int]


def cases() -> Iterator[Case]:
    """Cells x layers x attention, sources of words one way and both, vectors, free outputs."""
    for cell in ("lstm", "gru", "rnn"):
        for layers in (1, 2):
            for where in ("none", "after", "between"):
                yield replace(SMALL, cell=cell, layers=layers, attention=where), WORDS
            yield replace(SMALL, cell=cell, layers=layers), 0
    yield replace(SMALL, cell="window", window=3), WORDS
    yield replace(SMALL, cell="window", window=2, layers=2, attention="between"), WORDS
    yield replace(SMALL, cell="window", window=3), 0
    yield replace(SMALL, both=False, tie=False), WORDS
    yield replace(SMALL, tie=False), 0
    yield replace(SMALL, hidden=4, attention="none"), WORDS


each = pytest.mark.parametrize(("settings", "words"), list(cases()), ids=str)


def sizes_of(words: int) -> Sizes:
    """Words or features."""
    return Sizes(words, 0 if words else FEATURES, V)


def case(settings: TranslatorSettings, words: int) -> tuple[Parameters, Batch]:
    """Random weights in double precision and a ragged batch."""
    rng = np.random.default_rng(0)
    parameters = Parameters(shapes(settings, sizes_of(words)), dtype=np.float64)
    parameters.flat[:] = rng.normal(size=parameters.flat.size) * 0.5
    targets = rng.integers(0, V, (T, B)).astype(np.int32)
    inputs = rng.integers(0, V, (T, B)).astype(np.int32)
    targets[np.arange(T)[:, None] >= TEXTS] = -1
    n = int(TEXTS.sum())
    if not words:
        vectors = rng.normal(size=(1, B, FEATURES)).astype(np.float32)
        return parameters, Batch(vectors, np.zeros(B, np.int32), inputs, targets, n)
    source = rng.integers(0, WORDS, (S, B)).astype(np.int32)
    source[np.arange(S)[:, None] < STARTS] = 0
    return parameters, Batch(source, STARTS, inputs, targets, n)


def alone(batch: Batch, b: int) -> Batch:
    """Pair b without its padding, as a shard of the batch."""
    one = batch.columns(slice(b, b + 1))
    assert one.source is not None and one.inputs is not None and batch.starts is not None
    start, length = int(batch.starts[b]), int(TEXTS[b])
    return one._replace(
        source=one.source[start:],
        starts=np.zeros(1, np.int32),
        inputs=one.inputs[:length],
        targets=one.targets[:length],
    )


def estimate(scale: float, smoothing: float = 0.0) -> Any:
    """The full softmax."""
    return partial(OUTPUTS["full"].loss, scale=scale, draw=None, smoothing=smoothing)


@each
def test_gradients_equal_finite_differences(settings: TranslatorSettings, words: int) -> None:
    parameters, batch = case(settings, words)
    gradients = parameters.like()
    gradients.flat[...] = np.nan  # overwritten

    def loss() -> float:
        noise = Noise(0.3, 0.2, 0.2, np.random.default_rng(5))  # the same masks each time
        given = settings, parameters, gradients, batch, estimate(1 / batch.n), noise
        return loss_and_gradients(*given) / batch.n

    loss()
    analytic = gradients.flat.copy()
    assert np.isfinite(analytic).all()
    for name, x in parameters.items():
        weights, own = x.reshape(-1), Parameters(parameters.shapes, analytic)[name].reshape(-1)
        for i in np.random.default_rng(2).choice(weights.size, min(4, weights.size), False):
            value, step = weights[i], 1e-5
            weights[i] = value + step
            above = loss()
            weights[i] = value - step
            below = loss()
            weights[i] = value
            difference = (above - below) / (2 * step)
            assert own[i] == pytest.approx(difference, rel=1e-5, abs=1e-7), name


@each
def test_a_batch_is_its_pairs_one_by_one(settings: TranslatorSettings, words: int) -> None:
    parameters, batch = case(settings, words)
    together, one, total = parameters.like(), parameters.like(), parameters.like()
    whole = estimate(1 / batch.n)
    loss = loss_and_gradients(settings, parameters, together, batch, whole)
    for b in range(B):
        loss -= loss_and_gradients(settings, parameters, one, alone(batch, b), whole)
        total.flat += one.flat
    assert loss == pytest.approx(0, abs=1e-11)
    np.testing.assert_allclose(total.flat, together.flat, atol=1e-13)


def test_smoothing_changes_the_gradient_and_not_the_loss() -> None:
    rng = np.random.default_rng(3)
    x, targets = rng.normal(size=(5, 4)), rng.integers(0, V, 5).astype(np.int32)
    weights = OutputWeights(rng.normal(size=(V, 4)), rng.normal(size=V))
    gradients = OutputWeights(np.empty((V, 4)), np.empty(V))
    plain, _ = estimate(1.0)(weights, gradients, x, targets)
    loss, dx = estimate(1.0, 0.2)(weights, gradients, x, targets)
    assert loss == plain

    def smoothed(x: Array) -> float:
        logits = x @ weights.weight.T + weights.bias
        logp = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        wanted = logp[np.arange(5), targets]
        return float(-0.8 * wanted.sum() - 0.2 * logp.mean(1).sum())

    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = 1e-6
        difference = (smoothed(x + step) - smoothed(x - step)) / 2e-6
        assert dx[i] == pytest.approx(difference, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("where", ["none", "after", "between"])
def test_it_equals_torch(where: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is an oracle, if it is there")
    settings = replace(SMALL, layers=2, attention=where)
    parameters, batch = case(settings, WORDS)
    gradients = parameters.like()
    loss = loss_and_gradients(settings, parameters, gradients, batch, estimate(1))
    weights = {name: torch.tensor(x, requires_grad=True) for name, x in parameters.items()}
    own = torch_loss(torch, settings, weights, batch)
    own.backward()
    assert loss == pytest.approx(float(own.detach()), rel=1e-12)
    for name, x in weights.items():
        np.testing.assert_allclose(gradients[name], x.grad.numpy(), atol=1e-12, err_msg=name)


def torch_loss(torch: Any, settings: TranslatorSettings, weights: Any, batch: Batch) -> Any:
    """The sum of -ln p of a batch, each pair alone, by torch.nn's LSTM and softmax."""
    assert batch.source is not None and batch.inputs is not None
    nn, total, n = torch.nn, 0, 1 if settings.attention == "between" else 2

    def lstm(prefix: str, x: Any, state: Any, layers: int) -> Any:
        prefixed = {k.split(".")[1]: w for k, w in weights.items() if k.startswith(prefix + ".")}
        both = prefix == "encoder"
        rnn = nn.LSTM(x.shape[1], settings.hidden, layers, bidirectional=both).double()
        return torch.func.functional_call(rnn, prefixed, (x, state))

    for b in range(B):
        ids, inputs, targets = (
            torch.tensor(x[part, b].astype(np.int64))
            for x, part in (
                (batch.source, slice(int(STARTS[b]), None)),
                (batch.inputs, slice(int(TEXTS[b]))),
                (batch.targets, slice(int(TEXTS[b]))),
            )
        )
        m, (last, _) = lstm("encoder", weights["source.embedding.weight"][ids], None, 2)
        z = torch.cat([last[2], last[3]]) @ weights["bridge.weight"].T + weights["bridge.bias"]
        h0, h1 = z.tanh().reshape(2, 2, settings.hidden).unbind(0)
        first = torch.stack([h0, h1], 1)  # (states, layers, H)
        x = weights["embedding.weight"][inputs]
        x, _ = lstm("decoder", x, tuple(part[:n].contiguous() for part in first), n)
        if settings.attention != "none":
            keys = m @ weights["attention.key"].T
            c = (x @ keys.T / x.shape[1] ** 0.5).softmax(1) @ m
            mixed = torch.cat([x, c], 1) @ weights["attention.mix"].T
            x = (mixed + weights["attention.bias"]).tanh()
        if settings.attention == "between":
            x, _ = lstm("upper", x, tuple(part[n:].contiguous() for part in first), 1)
        if "projection.weight" in weights:
            x = x @ weights["projection.weight"].T
        logits = x @ weights["embedding.weight"].T + weights["output.bias"]
        total = total + nn.functional.cross_entropy(logits, targets, reduction="sum")
    return total


def test_fresh_weights_say_the_unigrams_and_sizes_are_needed() -> None:
    counts = np.arange(V) + 2
    settings, sizes, words = SMALL, sizes_of(WORDS), WORDS
    network = Parameters(shapes(settings, sizes))
    initialise(network, settings, counts, np.random.default_rng(0))
    p = (counts + 1) / (counts + 1).sum()
    np.testing.assert_allclose(np.exp(network["output.bias"]), p, rtol=1e-6)
    with pytest.raises(ConfigError, match="hidden"):
        shapes(replace(settings, hidden=None), sizes)
    parameters, batch = case(settings, words)
    with pytest.raises(ValueError, match="no texts"):
        loss_and_gradients(
            settings, parameters, parameters, batch._replace(inputs=None), estimate(1)
        )
