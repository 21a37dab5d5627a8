"""The sampled softmax: exact gradients of its estimate, which is the softmax when all is drawn."""

from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array
from lmtool.nn.outputs import OUTPUTS, SOFTMAXES, OutputWeights, classes
from lmtool.nn.outputs import sampled as sampled_output
from lmtool.nn.outputs.base import log_softmax

N, D, V = 9, 4, 40
COUNTS = np.arange(V, 0, -1, dtype=np.int64) ** 2


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A head of 10 tokens and classes of 7, the last of 2."""
    monkeypatch.setattr(classes, "S", 10)
    monkeypatch.setattr(classes, "C", 7)


def case() -> tuple[OutputWeights, Array, Array]:
    """Weights, x (N, D) and targets (N,), in double precision."""
    rng = np.random.default_rng(3)
    K = classes.n_classes(V)
    weights = OutputWeights(
        rng.normal(size=(V, D)), rng.normal(size=V), rng.normal(size=(K, D)), rng.normal(size=K)
    )
    return weights, rng.normal(size=(N, D)), rng.integers(0, V, N).astype(np.int32)


def run(
    output: str, weights: OutputWeights, x: Array, targets: Array, samples: int = 12, **more: float
) -> tuple[float, Any, Array]:
    """(loss, gradients, dx) with the same draw each time."""
    gradients = OutputWeights(*(np.full_like(x, np.nan) for x in weights))  # overwritten
    sampler = OUTPUTS[output].sampler
    draw = sampler(COUNTS, samples).draw(targets, np.random.default_rng(5)) if sampler else None
    loss, dx = OUTPUTS[output].loss(weights, gradients, x, targets, 1.0, draw, **more)
    return loss, gradients, dx


@pytest.mark.parametrize("output", OUTPUTS)
def test_gradients_equal_finite_differences(output: str) -> None:
    weights, x, targets = case()
    _, gradients, dx = run(output, weights, x, targets)
    pairs: Any = [*zip(weights, gradients, strict=True), (x, dx)]
    for array, analytic in pairs if output == "classes" else (*pairs[:2], pairs[-1]):
        flat, wanted = array.reshape(-1), analytic.reshape(-1)
        for i in range(0, flat.size, max(1, flat.size // 30)):
            value = flat[i]
            ends = []
            for moved in (value + 1e-5, value - 1e-5):
                flat[i] = moved
                ends.append(run(output, weights, x, targets)[0])
            flat[i] = value
            assert wanted[i] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5, abs=1e-7)


def test_with_every_token_drawn_the_sampled_softmax_is_the_full_one() -> None:
    weights, x, targets = case()
    loss, gradients, dx = run("sampled", weights, x, targets, samples=10**6)
    exact, expected, expected_dx = run("full", weights, x, targets)
    assert loss == pytest.approx(exact, rel=1e-6)
    np.testing.assert_allclose(gradients.weight, expected.weight, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-4, atol=1e-6)


def test_a_margin_is_taken_off_the_target_where_x_looks_its_way() -> None:
    weights, x, targets = case()
    w, margin = weights.weight[targets], 0.1
    off = margin * np.linalg.norm(x, axis=1) * np.linalg.norm(w, axis=1)
    off *= (x * w).sum(1) > 0
    assert 0 < np.count_nonzero(off) < N
    logp = log_softmax(x @ weights.weight.T + weights.bias)
    p = np.exp(logp[np.arange(N), targets])
    lowered = p * np.exp(-off) / (1 - p + p * np.exp(-off))
    loss, _, dx = run("sampled", weights, x, targets, samples=10**6, margin=margin)
    assert loss == pytest.approx(-np.log(lowered).sum(), rel=1e-6)
    for i in range(0, x.size, 5):
        ends = []
        for moved in (1e-5, -1e-5):
            x.flat[i] += moved
            ends.append(run("sampled", weights, x, targets, samples=10**6, margin=margin)[0])
            x.flat[i] -= moved
        assert dx.flat[i] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4, abs=1e-6)


def test_inclusion_probabilities_are_those_of_the_draws() -> None:
    counts = np.arange(20_000, 0, -1, dtype=np.int64) ** 2
    sampler = sampled_output.sampler(counts, 1024)
    rng, draws = np.random.default_rng(0), 400
    seen = np.zeros(len(counts))
    for _ in range(draws):
        seen[sampler.draw(np.zeros(1, np.int32), rng).ids] += 1
    expected = np.exp(sampler.log_expected)
    assert seen.sum() / draws == pytest.approx(expected.sum(), rel=0.01)
    groups = np.array_split(np.arange(len(counts)), 10)
    for group in groups:
        assert seen[group].sum() / draws == pytest.approx(expected[group].sum(), rel=0.05)


@pytest.mark.parametrize("name", SOFTMAXES)
def test_a_softmax_is_normalised_and_agrees_with_itself(name: str) -> None:
    weights, x, targets = case()
    logp = SOFTMAXES[name].log_probabilities(weights, x)
    np.testing.assert_allclose(np.exp(logp).sum(axis=1), 1, rtol=1e-12)
    chosen = SOFTMAXES[name].log_probability(weights, x, targets)
    np.testing.assert_allclose(chosen, logp[np.arange(N), targets], rtol=1e-12)


@pytest.mark.parametrize("output", ["full", "classes"])
def test_the_loss_is_what_scoring_says(output: str) -> None:
    weights, x, targets = case()
    exact = SOFTMAXES[OUTPUTS[output].softmax].log_probability(weights, x, targets)
    assert run(output, weights, x, targets)[0] == pytest.approx(-exact.sum(), rel=1e-9)


def test_classes_share_what_the_head_leaves() -> None:
    p = np.arange(V, 0, -1) / np.arange(V + 1).sum()
    share = classes.class_share(p)
    assert SOFTMAXES["classes"].shapes(V, 5)["output.class_weight"] == (len(share), 5)
    assert share.sum() + p[: classes.S].sum() == pytest.approx(1)


@pytest.mark.parametrize("shift", [0, 200, -200])
def test_one_token_a_row_has_the_bits_of_all_tokens(shift: float) -> None:
    """Logits whose exponentials float32 cannot hold among them."""
    rng, V = np.random.default_rng(0), 1100
    weights = OutputWeights(
        rng.normal(size=(V, 8)).astype(np.float32), np.full(V, shift, np.float32)
    )
    x, ids = rng.normal(size=(5, 8)).astype(np.float32), np.arange(5, dtype=np.int32) * 250
    with np.errstate(all="ignore"):
        logp = SOFTMAXES["full"].log_probabilities(weights, x)
        one = SOFTMAXES["full"].log_probability(weights, x, ids)
    np.testing.assert_array_equal(one, logp[np.arange(5), ids])
    exact = log_softmax(x.astype(np.float64) @ weights.weight.T.astype(np.float64))
    np.testing.assert_allclose(logp, exact, rtol=1e-4, atol=1e-4)
