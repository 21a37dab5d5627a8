"""The tagger's formulas: gradients, each sentence as if alone, numpy's reading, PyTorch."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lmtool.data.batch import Batch
from lmtool.errors import ConfigError
from lmtool.models.encoder import CASE, EMBEDDING
from lmtool.models.tagger import (
    TABLES,
    Sizes,
    initialise,
    loss_and_gradients,
    potentials,
    shapes,
)
from lmtool.nn import letters
from lmtool.nn.noise import Noise
from lmtool.nn.outputs import TAGGINGS, Rules
from lmtool.nn.parameters import Parameters
from lmtool.settings.tagger import TaggerSettings
from lmtool.text.letters import CASES

V, A = 7, 6
LENGTHS = np.array([6, 1, 4])
S, B = int(LENGTHS.max()), len(LENGTHS)
STARTS = (S - LENGTHS).astype(np.int32)
REAL = np.arange(S)[:, None] >= STARTS
SMALL = TaggerSettings(embed=4, hidden=5, letters=3, filters=4, case=2)


def cases() -> Iterator[Any]:
    """Cells x layers x directions x taggings x letters and case or neither."""
    for cell in ("lstm", "gru", "rnn"):
        for layers, both in ((1, True), (2, True), (1, False), (2, False)):
            for tagging in TAGGINGS:
                for own in (3, 0):
                    network = replace(SMALL, cell=cell, layers=layers, both=both, tagging=tagging)
                    yield replace(network, letters=own, case=2 * bool(own))
    yield replace(SMALL, cell="rnn", activation="relu")
    yield replace(SMALL, cell="window", window=3, layers=2)
    yield replace(SMALL, letters=0)
    yield replace(SMALL, case=0)


each = pytest.mark.parametrize("settings", list(cases()), ids=str)


def n_tags(settings: TaggerSettings) -> int:
    """K; a sigmoid tells two apart."""
    return 2 if settings.tagging == "sigmoid" else 4


def rules_of(settings: TaggerSettings) -> Rules:
    """The last tag follows itself and the one before it alone."""
    K = n_tags(settings)
    first, between = np.ones(K, np.bool_), np.ones((K, K), np.bool_)
    if K > 2:
        first[-1], between[: K - 2, -1] = False, False
    return Rules(first, between, np.ones(K, np.bool_))


def case(settings: TaggerSettings) -> tuple[Parameters, Batch]:
    """Random weights in double precision and a ragged batch; a word occurs several times."""
    rng, K = np.random.default_rng(0), n_tags(settings)
    parameters = Parameters(shapes(settings, Sizes(V, A, K)), dtype=np.float64)
    parameters.flat[:] = rng.normal(size=parameters.flat.size) * 0.5
    table = rng.integers(1, A, (9, 6)).astype(np.int32)
    table[np.arange(6) >= rng.integers(2, 7, (9, 1))] = 0
    table[:, 0] = rng.integers(0, len(CASES), 9)
    source, spellings = (rng.integers(0, n, (S, B)).astype(np.int32) for n in (V, 6))
    tags = rng.integers(0, max(2, K - 1), (S, B)).astype(np.int32)
    for x, padding in ((source, 0), (spellings, 0), (tags, -1)):
        x[~REAL] = padding
    n = int(REAL.sum())
    return parameters, Batch(source, STARTS, None, tags, n, spellings, letters=table)


def alone(batch: Batch, b: int) -> Batch:
    """Sentence b without its padding, as a shard of the batch."""
    one, start = batch.columns(slice(b, b + 1)), int(STARTS[b])
    assert one.source is not None and one.spellings is not None
    return one._replace(
        source=one.source[start:],
        spellings=one.spellings[start:],
        targets=one.targets[start:],
        starts=np.zeros(1, np.int32),
    )


@each
def test_gradients_equal_finite_differences(settings: TaggerSettings) -> None:
    parameters, batch = case(settings)
    gradients, rules = parameters.like(), rules_of(settings)
    gradients.flat[...] = np.nan  # overwritten

    def loss() -> float:
        noise = Noise(0.3, 0.2, 0.2, np.random.default_rng(5))  # the same masks each time
        return loss_and_gradients(settings, parameters, gradients, batch, rules, noise) / batch.n

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
def test_a_batch_is_its_sentences_one_by_one(settings: TaggerSettings) -> None:
    parameters, batch = case(settings)
    rules = rules_of(settings)
    together, one, total = parameters.like(), parameters.like(), parameters.like()
    loss = loss_and_gradients(settings, parameters, together, batch, rules)
    z = potentials(settings, parameters, batch)
    for b in range(B):
        own = alone(batch, b)
        loss -= loss_and_gradients(settings, parameters, one, own, rules)
        total.flat += one.flat
        np.testing.assert_allclose(
            z[STARTS[b] :, b], potentials(settings, parameters, own)[:, 0], atol=1e-13
        )
    assert loss == pytest.approx(0, abs=1e-11)
    np.testing.assert_allclose(total.flat, together.flat, atol=1e-13)


@each
def test_reading_is_the_forward_pass(settings: TaggerSettings) -> None:
    parameters, batch = case(settings)
    rules, tagging = rules_of(settings), TAGGINGS[settings.tagging]
    z = potentials(settings, parameters, batch)
    assert z.shape == (S, B, tagging.outputs(n_tags(settings)))
    gradients = parameters.like()
    again, _ = tagging.loss(parameters, gradients, z, batch.targets, STARTS, rules, 1)
    loss = loss_and_gradients(settings, parameters, gradients, batch, rules)
    assert loss == pytest.approx(again, rel=1e-9)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_it_equals_torch(cell: str) -> None:
    torch = pytest.importorskip("torch", reason="compared with PyTorch only where it is installed")
    settings = replace(SMALL, cell=cell, layers=2, tagging="full")
    parameters, batch = case(settings)
    gradients = parameters.like()
    loss = loss_and_gradients(settings, parameters, gradients, batch, rules_of(settings))
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
    expected = torch_loss(torch, cell, leaves, batch)
    (expected / batch.n).backward()
    assert loss == pytest.approx(expected.item(), rel=1e-10)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(gradients[name], leaf.grad.numpy(), rtol=1e-5, atol=1e-9)


def torch_loss(torch: Any, cell: str, leaves: dict[str, Any], batch: Batch) -> Any:
    """The same model in PyTorch, sentence by sentence and word by word."""
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
    network = kind(4 + 4 + 2, 5, 2, bidirectional=True).double()
    weights = {k.removeprefix("encoder."): x for k, x in leaves.items() if k.startswith("encoder.")}
    total = torch.zeros((), dtype=torch.float64)
    for b in range(B):
        own = alone(batch, b)
        assert own.source is not None and own.spellings is not None and own.letters is not None
        rows = [own.letters[i] for i in own.spellings[:, 0]]
        x = torch.cat(
            [
                leaves[EMBEDDING][torch.tensor(own.source[:, 0].astype(np.int64))],
                torch.stack([torch_letters(torch, leaves, row[1:]) for row in rows]),
                leaves[CASE][torch.tensor([int(row[0]) for row in rows])],
            ],
            dim=1,
        )
        top, _ = torch.func.functional_call(network, weights, (x,))
        z = top @ leaves["output.weight"].T + leaves["output.bias"]
        wanted = torch.tensor(own.targets[:, 0].astype(np.int64))
        total = total + torch.nn.functional.cross_entropy(z, wanted, reduction="sum")
    return total


def torch_letters(torch: Any, leaves: dict[str, Any], word: Any) -> Any:
    """The largest answers of the filters."""
    own = torch.tensor([0, *word[: max(1, np.count_nonzero(word))].tolist(), 0])
    x = leaves[letters.VECTORS][own].T[None]
    y = torch.nn.functional.conv1d(x, leaves[letters.FILTERS], leaves[letters.BIAS])
    return y[0].max(1).values


def test_what_has_no_tag_and_no_letters_is_named() -> None:
    parameters, batch = case(SMALL)
    with pytest.raises(ConfigError, match="hidden"):
        shapes(TaggerSettings(embed=4), Sizes(V, A, 4))
    with pytest.raises(ValueError, match="no spellings"):
        potentials(SMALL, parameters, batch._replace(letters=None))
    for wrong in (batch._replace(source=None), batch._replace(starts=None)):
        with pytest.raises(ValueError, match="no source"):
            potentials(SMALL, parameters, wrong)
        with pytest.raises(ValueError, match="no source"):
            loss_and_gradients(SMALL, parameters, parameters.like(), wrong, rules_of(SMALL))


def test_fresh_weights_give_tags_their_shares() -> None:
    for settings in cases():
        K = n_tags(settings)
        counts = np.arange(K) + 3
        network = Parameters(shapes(settings, Sizes(V, A, K)))
        initialise(network, settings, counts, np.random.default_rng(0))
        z, p = network["output.bias"], (counts + 1) / (counts + 1).sum()
        np.testing.assert_allclose(
            np.exp(z) if K > 2 else 1 / (1 + np.exp(-z)), p if K > 2 else p[1:], rtol=1e-6
        )
        for name, x in network.items():
            begins_at_0 = name in TAGGINGS[settings.tagging].shapes(K) or name == letters.BIAS
            assert not x.size or begins_at_0 != x.any() or ".bias_" in name, (
                name
            )  # an LSTM's forget gates: 1


def test_tables_come_last() -> None:
    for settings in cases():
        assert list(shapes(settings, Sizes(V, A, n_tags(settings))))[-1:] == list(TABLES)


def test_a_letter_is_seen_in_a_word_that_is_not_known() -> None:
    """Two words of one id differ by their letters; without those they are the same."""
    for own in (3, 0):
        settings = replace(SMALL, letters=own, case=0)
        parameters, batch = case(settings)
        assert batch.source is not None
        z = potentials(settings, parameters, batch._replace(source=np.ones_like(batch.source)))
        assert (np.ptp(z[-1, :, 0]) > 1e-3) or not own
