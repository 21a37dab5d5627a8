"""Taggings against all K^T tags, differences, PyTorch, and each other."""

import itertools
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from lmtool.arrays import Array, Ids
from lmtool.nn.outputs import TAGGINGS, Chain, Rules
from lmtool.nn.outputs.base import log_softmax
from lmtool.nn.outputs.chain import decode, log_marginals, log_spans, messages

K = 3
LENGTHS = (5, 1, 4, 2, 3)
S, B = max(LENGTHS), len(LENGTHS)
STARTS = np.array([S - T for T in LENGTHS], np.int32)
REAL = np.arange(S)[:, None] >= STARTS
LONG = 300 if os.environ.get("NUMBA_DISABLE_JIT") else 100_000
FREE = Rules(np.ones(K, np.bool_), np.ones((K, K), np.bool_), np.ones(K, np.bool_))
STRICT = Rules(
    np.array([True, False, True]),
    np.array([[True, True, False], [False, True, True], [True, True, False]]),
    np.array([True, True, False]),
)
RULES = pytest.mark.parametrize("rules", [FREE, STRICT], ids=["free", "strict"])
SCALES = pytest.mark.parametrize("scale", [1, 100, 1e4])  # one that needs logarithms
EACH = pytest.mark.parametrize("name", TAGGINGS)


class Case(NamedTuple):
    """What a loss takes."""

    weights: dict[str, Array]
    z: Array
    targets: Ids
    rules: Rules


def case(name: str, rules: Rules, scale: float = 1, dtype: Any = np.float64) -> Case:
    """A ragged batch with legal targets, and numbers at padding that must not matter."""
    rng, n_tags = np.random.default_rng(0), n_of(name)
    rules = Rules(rules.first[:n_tags], rules.between[:n_tags, :n_tags], rules.last[:n_tags])
    shapes = TAGGINGS[name].shapes(n_tags)
    weights = {key: rng.normal(size=shape).astype(dtype) for key, shape in shapes.items()}
    z = (rng.normal(size=(S, B, TAGGINGS[name].outputs(n_tags))) * scale).astype(dtype)
    targets = np.full((S, B), -1, np.int32)
    for b, T in enumerate(LENGTHS):
        legal = [y for y in every(T, n_tags) if is_legal(y, rules)]
        targets[S - T :, b] = legal[rng.integers(len(legal))]
    return Case(weights, z, targets, rules)


def n_of(name: str) -> int:
    """The tags in these tests."""
    return 2 if name == "sigmoid" else K


def every(T: int, n_tags: int = K) -> Iterator[tuple[int, ...]]:
    return itertools.product(range(n_tags), repeat=T)


def is_legal(y: tuple[int, ...], rules: Rules) -> bool:
    pairs = [rules.between[i, j] for i, j in itertools.pairwise(y)]
    return bool(rules.first[y[0]] and rules.last[y[-1]] and all(pairs))


def run(name: str, one: Case, scale: float = 1.0) -> tuple[float, dict[str, Array], Array]:
    """(loss, gradients, dz); what is not overwritten stays NaN."""
    gradients = {key: np.full_like(x, np.nan) for key, x in one.weights.items()}
    loss = TAGGINGS[name].loss
    total, dz = loss(one.weights, gradients, one.z, one.targets, STARTS, one.rules, scale)
    return total, gradients, dz


def chain_of(one: Case, name: str = "crf") -> Chain:
    return TAGGINGS[name].chain([(one.weights, one.z)], one.rules)


def alone(chain: Chain, b: int) -> Chain:
    """Sequence b without its padding."""
    return chain._replace(emissions=chain.emissions[STARTS[b] :, b : b + 1].copy())


def score(chain: Chain, y: tuple[int, ...]) -> float:
    """Of a chain of one sequence."""
    total = chain.first[y[0]] + chain.last[y[-1]] + chain.emissions[np.arange(len(y)), 0, y].sum()
    return float(total + sum(chain.between[i, j] for i, j in itertools.pairwise(y)))


def table(chain: Chain) -> tuple[dict[tuple[int, ...], float], float]:
    """(ln p of all tags, ln Z) of a chain of one sequence."""
    T, _, n_tags = chain.emissions.shape
    scores = {y: score(chain, y) for y in every(T, n_tags)}
    log_z = float(np.logaddexp.reduce(list(scores.values())))
    return {y: x - log_z for y, x in scores.items()}, log_z


# --- against all tags -----------------------------------------------------------------------


@RULES
@SCALES
def test_loss_is_that_of_all_tags(rules: Rules, scale: float) -> None:
    one = case("crf", rules, scale)
    chain, expected = chain_of(one), 0.0
    for b, T in enumerate(LENGTHS):
        expected -= table(alone(chain, b))[0][tuple(one.targets[S - T :, b])]
    assert run("crf", one)[0] == pytest.approx(expected, rel=1e-12)


@RULES
@SCALES
@EACH
def test_marginals_are_those_of_all_tags(name: str, rules: Rules, scale: float) -> None:
    one = case(name, rules, scale)
    chain = chain_of(one, name)
    logp = log_marginals(chain, STARTS)
    assert (logp[~REAL] == -np.inf).all()
    np.testing.assert_allclose(np.exp(logp).sum(axis=2), REAL, atol=1e-11)
    for b, T in enumerate(LENGTHS):
        p, _ = table(alone(chain, b))
        for t, j in itertools.product(range(T), range(n_of(name))):
            expected = np.logaddexp.reduce([x for y, x in p.items() if y[t] == j])
            assert logp[S - T + t, b, j] == pytest.approx(expected, rel=1e-9, abs=1e-11)


@RULES
@SCALES
@EACH
def test_the_best_tags_are_the_best_of_all(name: str, rules: Rules, scale: float) -> None:
    chain = chain_of(case(name, rules, scale), name)
    best = decode(chain, STARTS)
    assert (best[~REAL] == -1).all()
    for b, T in enumerate(LENGTHS):
        p, _ = table(alone(chain, b))
        assert tuple(best[S - T :, b]) == max(p, key=lambda y: p[y])


@RULES
def test_of_equally_good_tags_the_lowest_ids_are_taken_from_the_end(rules: Rules) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        numbers = [rng.integers(0, 2, shape) for shape in ((S, B, K), K, (K, K), K)]
        weights = dict(zip(TAGGINGS["crf"].shapes(K), numbers[1:], strict=True))
        chain = TAGGINGS["crf"].chain([(weights, numbers[0])], rules)
        best = decode(chain, STARTS)
        for b, T in enumerate(LENGTHS):
            p, _ = table(alone(chain, b))
            equals = [y for y, x in p.items() if x == max(p.values())]
            assert tuple(best[S - T :, b]) == min(equals, key=lambda y: y[::-1])


@RULES
@SCALES
def test_spans_are_those_of_all_tags(rules: Rules, scale: float) -> None:
    chain = alone(chain_of(case("crf", rules, scale)), 0)
    p, _ = table(chain)
    spans = [(t, y) for n in range(1, S + 1) for t in range(S + 1 - n) for y in every(n)]
    found = log_spans(chain, spans)
    for (t, tags), logp in zip(spans, found, strict=True):
        expected = np.logaddexp.reduce([x for y, x in p.items() if y[t : t + len(tags)] == tags])
        assert logp == pytest.approx(expected, rel=1e-9, abs=1e-11)


@RULES
@SCALES
def test_z_is_the_same_at_every_step(rules: Rules, scale: float) -> None:
    chain = chain_of(case("crf", rules, scale))
    alpha, beta, log_z = messages(chain, STARTS)
    for b, T in enumerate(LENGTHS):
        assert log_z[b] == pytest.approx(table(alone(chain, b))[1], rel=1e-12)
        steps = np.logaddexp.reduce((alpha + beta)[S - T :, b], axis=1)
        np.testing.assert_allclose(steps, log_z[b], rtol=1e-12)


# --- gradients ------------------------------------------------------------------------------


@RULES
@EACH
@pytest.mark.parametrize("scale", [1, 500])
def test_gradients_equal_finite_differences(name: str, rules: Rules, scale: float) -> None:
    one = case(name, rules, scale)
    _, gradients, dz = run(name, one, 0.5)
    assert (dz[~REAL] == 0).all()
    pairs = [(one.z, dz), *((x, gradients[key]) for key, x in one.weights.items())]
    for array, analytic in pairs:
        flat, wanted = array.reshape(-1), analytic.reshape(-1)
        for i in range(flat.size):
            value, ends = flat[i], []
            for moved in (value + 1e-4, value - 1e-4):
                flat[i] = moved
                ends.append(run(name, one)[0])
            flat[i] = value
            assert wanted[i] == pytest.approx((ends[0] - ends[1]) / 4e-4, rel=1e-5, abs=1e-7)


@RULES
def test_gradients_equal_torch(rules: Rules) -> None:
    torch = pytest.importorskip("torch", reason="compared with PyTorch only where it is installed")
    one = case("crf", rules)
    leaves = {key: torch.tensor(x, requires_grad=True) for key, x in one.weights.items()}
    z = torch.tensor(one.z, requires_grad=True)
    expected = torch_loss(torch, leaves, z, one)
    expected.backward()
    loss, gradients, dz = run("crf", one)
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(dz, z.grad.numpy(), rtol=1e-9, atol=1e-12)
    for key, leaf in leaves.items():
        np.testing.assert_allclose(gradients[key], leaf.grad.numpy(), rtol=1e-9, atol=1e-12)


def torch_loss(torch: Any, leaves: dict[str, Any], z: Any, one: Case) -> Any:
    """ln Z by the forward equations, less the score."""
    masks = [torch.tensor(np.where(rule, 0, -1e9)) for rule in one.rules]
    first, between, last = (x + m for x, m in zip(leaves.values(), masks, strict=True))
    total = torch.zeros((), dtype=torch.double)
    for b, start in enumerate(STARTS):
        y = one.targets[start:, b].tolist()
        alpha, gold = first + z[start, b], first[y[0]] + last[y[-1]]
        for t in range(start + 1, S):
            alpha = torch.logsumexp(alpha[:, None] + between, 0) + z[t, b]
        gold = gold + sum(z[start + t, b, j] for t, j in enumerate(y))
        gold = gold + sum((between[i, j] for i, j in itertools.pairwise(y)), torch.zeros(()))
        total = total + torch.logsumexp(alpha + last, 0) - gold
    return total


def test_what_the_rules_forbid_has_no_gradient() -> None:
    _, gradients, _ = run("crf", case("crf", STRICT))
    for gradient, allowed in zip(gradients.values(), STRICT, strict=True):
        assert (gradient[~allowed] == 0).all()
        assert (gradient[allowed] != 0).any()


# --- with each other ------------------------------------------------------------------------


@EACH
@SCALES
def test_a_batch_is_its_sequences_one_by_one(name: str, scale: float) -> None:
    """The same bits."""
    one, tagging = case(name, STRICT, scale, np.float32), TAGGINGS[name]
    _, _, dz = run(name, one)
    chain = chain_of(one, name)
    marginals, best = log_marginals(chain, STARTS), decode(chain, STARTS)
    for b, T in enumerate(LENGTHS):
        part, zero = np.s_[S - T :, b : b + 1], np.zeros(1, np.int32)
        gradients = {key: x.copy() for key, x in one.weights.items()}
        z, targets = one.z[part].copy(), one.targets[part].copy()
        _, own = tagging.loss(one.weights, gradients, z, targets, zero, one.rules, 1.0)
        np.testing.assert_array_equal(own, dz[part])
        np.testing.assert_array_equal(log_marginals(alone(chain, b), zero), marginals[part])
        np.testing.assert_array_equal(decode(alone(chain, b), zero), best[part])


def test_without_transitions_a_chain_is_a_softmax_at_each_step() -> None:
    one = case("crf", FREE)
    for x in one.weights.values():
        x[...] = 0
    (loss, _, dz), (expected, _, expected_dz) = run("crf", one), run("full", one)
    assert loss == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(dz, expected_dz, atol=1e-14)
    logp = log_softmax(one.z.copy())[REAL]
    for name in ("crf", "full"):
        chain = chain_of(one, name)
        np.testing.assert_allclose(log_marginals(chain, STARTS)[REAL], logp, atol=1e-12)
        np.testing.assert_array_equal(decode(chain, STARTS)[REAL], logp.argmax(1))


def test_a_sigmoid_is_a_softmax_over_two() -> None:
    one = case("sigmoid", FREE)
    two = one._replace(z=np.concatenate([np.zeros_like(one.z), one.z], axis=2))
    (loss, _, dz), (expected, _, expected_dz) = run("sigmoid", one), run("full", two)
    assert loss == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(dz, expected_dz[..., 1:], atol=1e-14)
    emissions = chain_of(one, "sigmoid").emissions
    np.testing.assert_allclose(emissions, chain_of(two, "full").emissions, atol=1e-12)
    with pytest.raises(ValueError, match="two tags apart, not 3"):
        TAGGINGS["sigmoid"].outputs(3)


@EACH
def test_networks_say_together_what_they_say_on_average(name: str) -> None:
    """Potentials of a chain are averaged, probabilities of tags that stand for themselves."""
    one, chain = case(name, STRICT, 0.1), TAGGINGS[name].chain
    networks = [(one.weights, one.z), ({k: 3 * x for k, x in one.weights.items()}, 2 * one.z)]
    parts = [chain([network], one.rules) for network in networks]
    for both, a, b in zip(chain(networks, one.rules), *parts, strict=True):
        alike = name == "crf" or both.ndim < 3
        mean = (a + b) / 2 if alike else np.log((np.exp(a) + np.exp(b)) / 2)
        np.testing.assert_allclose(both, mean, atol=1e-12)
    for twice, once in zip(chain(networks[:1] * 2, one.rules), parts[0], strict=True):
        np.testing.assert_allclose(twice, once, atol=1e-15)


# --- numbers at their limits ----------------------------------------------------------------


@RULES
@pytest.mark.parametrize("far", [-200, -260, -700, -800, -1e4])
def test_a_tag_that_hardly_counts_changes_nothing(rules: Rules, far: float) -> None:
    """As a product or in logarithms: a fourth tag, far below the others."""
    one = case("crf", rules)
    loss, gradients, dz = run("crf", one)
    weights = {key: np.pad(x, (0, 1)) for key, x in one.weights.items()}
    more = Rules(*(np.pad(rule, (0, 1), constant_values=True) for rule in rules))
    z = np.pad(one.z, ((0, 0), (0, 0), (0, 1)), constant_values=far)
    larger, more_gradients, more_dz = run("crf", Case(weights, z, one.targets, more))
    assert larger == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(more_dz[..., :K], dz, atol=1e-12)
    for key, x in gradients.items():
        np.testing.assert_allclose(more_gradients[key][(slice(K),) * x.ndim], x, atol=1e-12)


@RULES
@pytest.mark.parametrize("depth", [100, 240, 800, 1e4])
def test_what_emissions_take_transitions_may_give(rules: Rules, depth: float) -> None:
    """However deep the potentials of a tag are whose emissions are as high."""
    one = case("crf", rules)
    loss, gradients, dz = run("crf", one)
    one.weights["output.first"][1] -= depth
    one.weights["output.between"][:, 1] -= depth
    one.z[..., 1] += depth
    again, more_gradients, more_dz = run("crf", one)
    assert again == pytest.approx(loss, rel=1e-9)
    np.testing.assert_allclose(more_dz, dz, atol=1e-9)
    for key, x in gradients.items():
        np.testing.assert_allclose(more_gradients[key], x, atol=1e-9)


@pytest.mark.parametrize("depth", [50, 500, 5000, 1e6])
@pytest.mark.parametrize("where", ["first", "middle", "last", "between"])
def test_no_legal_tags_are_lost_however_unlikely(where: str, depth: float) -> None:
    """What looks best leads nowhere: after tag 0 only tag 2 may stand, and after it nothing."""
    rules = Rules(
        np.array([True, True, False]),
        np.array([[False, False, True], [True, True, False], [False, False, False]]),
        np.array([False, True, False]),
    )
    T, zero = 5, np.zeros(1, np.int32)
    weights = {key: np.zeros(shape) for key, shape in TAGGINGS["crf"].shapes(K).items()}
    z, targets = np.zeros((T, 1, K)), np.ones((T, 1), np.int32)
    if where == "between":
        weights["output.between"][1, 1] = -depth
    else:
        z[{"first": 0, "middle": 2, "last": -1}[where], 0, 1] = -depth
    gradients = {key: np.full_like(x, np.nan) for key, x in weights.items()}
    loss, dz = TAGGINGS["crf"].loss(weights, gradients, z, targets, zero, rules, 1.0)
    assert loss == pytest.approx(0, abs=1e-9 * depth)
    np.testing.assert_allclose(dz, 0, atol=1e-12)
    chain = TAGGINGS["crf"].chain([(weights, z)], rules)
    np.testing.assert_array_equal(decode(chain, zero), targets)
    np.testing.assert_allclose(log_spans(chain, [(0, [1] * T), (2, [1])]), 0, atol=1e-9 * depth)


@pytest.mark.parametrize("depth", [40, 400, 800, 2000])
def test_what_looks_hopeless_from_both_ends_may_be_best(depth: float) -> None:
    """Tag 1 pays at each step, to come to it and to leave it costs more than that."""
    rules = FREE._replace(first=np.arange(K) == 0, last=np.arange(K) == 0)
    T, zero = 8, np.zeros(1, np.int32)
    weights = {key: np.zeros(shape) for key, shape in TAGGINGS["crf"].shapes(K).items()}
    weights["output.between"][0, 1] = weights["output.between"][1, 0] = -depth
    weights["output.between"][:, 2] = weights["output.between"][2] = -4 * depth
    z, targets = np.zeros((T, 1, K)), np.ones((T, 1), np.int32)
    z[1:-1, 0, 1] = depth / 2.5
    targets[[0, -1]] = 0
    gradients = {key: np.full_like(x, np.nan) for key, x in weights.items()}
    loss, dz = TAGGINGS["crf"].loss(weights, gradients, z, targets, zero, rules, 1.0)
    chain = TAGGINGS["crf"].chain([(weights, z)], rules)
    assert loss == pytest.approx(-table(chain)[0][tuple(targets[:, 0])], abs=1e-9)
    np.testing.assert_allclose(dz, 0, atol=1e-3)
    np.testing.assert_array_equal(decode(chain, zero), targets)


@EACH
@SCALES
def test_a_very_long_sentence(name: str, scale: float) -> None:
    tags, rng = n_of(name), np.random.default_rng(0)
    tagging, start = TAGGINGS[name], np.zeros(1, np.int32)
    rules = Rules(*(rule[(slice(tags),) * rule.ndim] for rule in FREE))
    n = LONG if scale < 1e4 or LONG < 1000 else LONG // 10  # logarithms take their time
    z = (rng.normal(size=(n, 1, tagging.outputs(tags))) * scale).astype(np.float32)
    shapes = tagging.shapes(tags)
    weights = {key: rng.normal(size=shape).astype(np.float32) for key, shape in shapes.items()}
    gradients = {key: np.full_like(x, np.nan) for key, x in weights.items()}
    targets = rng.integers(0, tags, (n, 1)).astype(np.int32)
    loss, dz = tagging.loss(weights, gradients, z, targets, start, rules, 1.0)
    assert np.isfinite(loss) and loss > 0 and dz.dtype == np.float32
    assert all(np.isfinite(x).all() for x in (dz, *gradients.values()))
    chain = tagging.chain([(weights, z)], rules)
    logp = log_marginals(chain, start)
    np.testing.assert_allclose(np.exp(logp).sum(axis=2), 1, rtol=1e-6)
    y = targets[:, 0].tolist()
    whole = log_spans(chain, [(0, y), (n // 2, [y[n // 2]])])
    assert whole[0] == pytest.approx(-loss, rel=1e-5)
    assert whole[1] == pytest.approx(logp[n // 2, 0, y[n // 2]], rel=1e-6)
    assert decode(chain, start).shape == (n, 1)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_end_in_no_loss(bad: float) -> None:
    """Training sees that it went wrong."""
    for tag in range(K):
        one = case("crf", FREE)
        one.z[-1, 0, tag] = bad
        with np.errstate(invalid="ignore"):
            loss = run("crf", one)[0]
        assert not np.isfinite(loss)


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "tag", "message"),
    [
        ((0, 0), 1, "sequence 0: the rules forbid tag 1 at step 0"),
        ((4, 1), 2, "sequence 1: the rules forbid tag 2 at step 4"),
        ((3, 0), -1, "tags from 0 to 2 are wanted"),
        ((0, 1), 0, "tags from 0 to 2 are wanted"),
        ((3, 0), 3, "tags from 0 to 2 are wanted"),
    ],
)
def test_targets_that_the_rules_forbid(where: tuple[int, int], tag: int, message: str) -> None:
    one = case("crf", STRICT)
    one.targets[:, :2] = [[0, -1], [1, -1], [1, -1], [1, -1], [1, 0]]
    run("crf", one)
    one.targets[where] = tag
    with pytest.raises(ValueError, match=message):
        run("crf", one)


def test_a_pair_that_the_rules_forbid() -> None:
    one = case("crf", STRICT)
    one.targets[:, 0] = [0, 2, 1, 1, 1]
    with pytest.raises(ValueError, match="sequence 0: the rules forbid tag 2 at step 1"):
        run("crf", one)


@pytest.mark.parametrize("part", Rules._fields)
def test_rules_that_allow_nothing(part: str) -> None:
    one = case("crf", FREE)
    rules = FREE._replace(**{part: np.zeros_like(getattr(FREE, part))})
    chain = TAGGINGS["crf"].chain([(one.weights, one.z)], rules)
    for what in (decode, log_marginals):
        with pytest.raises(ValueError, match="sequence 0: the rules allow no tags for 5 steps"):
            what(chain, STARTS)


def test_no_steps_at_all() -> None:
    one, starts = case("crf", STRICT), np.full(B, S, np.int32)
    chain, none = chain_of(one), np.full((S, B), -1, np.int32)
    loss, dz = TAGGINGS["crf"].loss(
        one.weights, {k: x.copy() for k, x in one.weights.items()}, one.z, none, starts, STRICT, 1.0
    )
    assert loss == 0 and (dz == 0).all()
    assert (decode(chain, starts) == -1).all()
    assert (log_marginals(chain, starts) == -np.inf).all()
