"""A sentence step by step: the numbers are the model's own, and the terms add up."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lmtool.errors import ConfigError, InputError
from lmtool.faces import Model
from lmtool.inference.score import score
from lmtool.inference.trace import SHOWN, trace
from lmtool.models.decoder import loss_and_gradients
from lmtool.models.language_model import LanguageModel
from lmtool.models.unrolled import Unrolled, joined, unroll, widened
from lmtool.nn.parameters import Parameters
from lmtool.settings import ModelSettings
from lmtool.settings.inside import TraceSettings
from lmtool.text.vocabulary import Vocabulary
from tests.conftest import tiny

TEXT = "Todd met the cat Zork"
LN10 = np.log(10)


@pytest.fixture(scope="module", params=["rnn", "gru", "lstm", "window"])
def two(request: pytest.FixtureRequest, vocabulary: Vocabulary) -> LanguageModel:
    """Two layers, tied, with a projection."""
    return tiny(vocabulary, request.param, layers=2, hidden=5, embed=4)


def unrolled(model: LanguageModel, text: str = TEXT) -> tuple[Unrolled, list[int]]:
    """All steps in float64, and what they predict."""
    ids = model.vocabulary.sentence(model.vocabulary.split(text))
    inputs = np.concatenate([[0], ids[:-1]]).astype(np.int32)
    weights = widened(model.networks[0].parameters)
    return unroll(model.settings, weights, model.vocabulary.counts, inputs), ids.tolist()


def test_the_loss_is_that_of_score(model: LanguageModel) -> None:
    known, found = score(model, TEXT), trace(model, TEXT)
    assert [step.loss for step in found.steps] == [-word.log10_p * LN10 for word in known.words]
    assert found.perplexity == pytest.approx(known.perplexity, rel=1e-12)
    assert found.difference < 1e-5
    assert [step.target for step in found.steps] == [word.word for word in known.words]
    assert [step.oov for step in found.steps] == [word.oov for word in known.words]


def test_every_line_adds_up(two: LanguageModel) -> None:
    for step in trace(two, TEXT).steps:
        lines = {one.name: one for one in step.products}
        assert lines[f"p_{step.t} = softmax"].difference is not None
        for one in step.products:
            if one.difference is not None:
                assert one.difference < 1e-12, one.name
            for (_, k), (m, _) in zip(one.factors, one.factors[1:], strict=False):
                assert k == m
            if one.factors:
                assert one.shape == (one.factors[0][0], one.factors[-1][1])
            assert len(one.values) in (0, one.shape[1])
        last = [one for one in step.products if one.name.startswith(f"a_{step.t} = ")][-1]
        np.testing.assert_allclose(last.values, step.state["a"], rtol=1e-12)


def test_the_state_is_that_of_the_model(two: LanguageModel) -> None:
    state: Any = two.zero_state()
    for step in trace(two, TEXT).steps:
        np.testing.assert_allclose(step.before["a"], state[-1][0][0], rtol=1e-4, atol=1e-6)
        top, state = two.step(np.array([step.input_id], np.int32), state)
        np.testing.assert_allclose(step.state["a"], state[-1][0][0], rtol=1e-4, atol=1e-6)
        logp = two.log_probabilities(top)[0]
        assert [w.word for w in step.top] == [
            two.vocabulary.tokens[i] for i in np.argsort(-logp)[:3]
        ]


def test_terms_add_up_to_what_training_computes(two: LanguageModel) -> None:
    for t in (1, 3, 6):
        found = trace(two, TEXT, TraceSettings(back=t)).back
        assert found is not None and found.largest_difference < 1e-13 * max(1, found.bptt_norm)
        assert found.norm == pytest.approx(found.bptt_norm, rel=1e-12)
        assert sum(term.share or 0 for term in found.terms) == pytest.approx(1, abs=1e-12)
        assert [term.k for term in found.terms] == [*range(t, 0, -1)]
        assert found.terms[-1].norm_hh == 0  # a_0 = 0
        for term in found.terms:
            assert term.norm == pytest.approx(np.hypot(term.norm_hh, term.norm_ih), rel=1e-12)
            assert term.product_norm is not None
            first = found.terms[0].state_gradient
            assert term.state_gradient <= first * term.product_norm * (1 + 1e-12)


def test_the_gradient_of_a_line_is_the_sum_over_its_steps(two: LanguageModel) -> None:
    own, ids = unrolled(two)
    total = own.parameters.like()
    for t in range(1, len(ids) + 1):
        total.flat += own.truncated(t, ids).flat
    gradients = own.parameters.like()
    inputs = np.array([[step.id] for step in own.steps], np.int32)
    wanted = np.array(ids, np.int32)[:, None]
    state, estimate = own.stack.zero_state(1, np.float64), own._exact(wanted)
    loss_and_gradients(two.settings, own.parameters, gradients, inputs, wanted, state, estimate)
    np.testing.assert_allclose(total.flat, gradients.flat, rtol=1e-10, atol=1e-12)


def test_states_go_back_through_the_product_of_jacobians(two: LanguageModel) -> None:
    own, ids = unrolled(two)
    seed = own.seed(5, ids[4])
    states = [joined(term.states)[0] for term in own.terms(5, seed.states)]
    for product, state in zip(own.products(5), states, strict=True):
        np.testing.assert_allclose(states[0] @ product, state, rtol=1e-10, atol=1e-14)


def test_a_small_step_along_a_term_grows_the_loss_by_its_share(vocabulary: Vocabulary) -> None:
    model = tiny(vocabulary, "rnn", tie=False)
    own, ids = unrolled(model)
    found = trace(model, TEXT, TraceSettings(back=4)).back
    assert found is not None
    seed, step = own.seed(4, ids[3]), 1e-6
    for term, told in zip(own.terms(4, seed.states), found.terms, strict=True):
        moved = widened(own.parameters)
        for name in ("rnn.weight_hh_l0", "rnn.weight_ih_l0"):
            moved[name][...] += step * term.gradients[name]
        inputs = np.array([one.id for one in own.steps], np.int32)
        other = unroll(model.settings, moved, vocabulary.counts, inputs).seed(4, ids[3])
        grown = (other.loss - seed.loss) / step
        assert grown == pytest.approx((told.share or 0) * found.norm**2, rel=1e-3, abs=1e-6)


def test_a_window_sees_no_further_than_its_words(vocabulary: Vocabulary) -> None:
    found = trace(tiny(vocabulary, "window", window=3), TEXT, TraceSettings(back=5)).back
    assert found is not None
    assert [term.norm > 0 for term in found.terms] == [True, True, True, False, False]


def test_the_worked_example() -> None:
    """Three steps by hand: W_aa, W_ax and dL_3/da_3 of the notes to the lecture."""
    W_aa = [
        [0.5, -0.3, 0.2, 0.1],
        [0.1, 0.6, -0.2, 0.3],
        [-0.4, 0.2, 0.4, -0.1],
        [0.2, -0.1, 0.3, 0.5],
    ]
    W_ax = [[0.8, -0.5, 0.3, 0.6], [-0.2, 0.7, 0.9, -0.4], [0.5, 0.1, -0.6, 0.3]]
    settings = ModelSettings("rnn", "tanh", 1, 3, 4, False)
    own = Unrolled(settings, Parameters({}), np.ones(3, np.int64), [])
    shapes = own.stack.shapes() | {"embedding.weight": (3, 3)}
    weights = Parameters(shapes, dtype=np.float64)
    weights["rnn.weight_hh_l0"][...] = np.transpose(W_aa)
    weights["rnn.weight_ih_l0"][...] = np.transpose(W_ax)
    weights["rnn.bias_ih_l0"][...] = 0.05, -0.02, 0.01, 0.03
    weights["embedding.weight"][...] = [[0.1, -0.6, 0.3], [1, 0.2, -0.4], [-0.5, 0.9, 0.4]]
    own = unroll(settings, weights, np.ones(3, np.int64), np.arange(3, dtype=np.int32))
    a_3 = own.steps[2].top[0, 0]
    np.testing.assert_allclose(a_3, [-0.160, 0.287, 0.820, -0.422], atol=6e-4)
    v_3 = ((np.array([[-0.42, 0.18, 0.33, -0.09]]),),)
    norms = [
        [float(np.linalg.norm(joined(term.states)))]
        + [float(np.linalg.norm(term.gradients[f"rnn.weight_{x}_l0"])) for x in ("hh", "ih")]
        for term in own.terms(3, v_3)
    ]
    expected = [[0.5708, 0.6312, 0.5085], [0.3599, 0.1686, 0.2020], [0.1196, 0, 0.0569]]
    np.testing.assert_allclose(norms, expected, atol=6e-5)
    gains = [float(np.linalg.norm(product, 2)) for product in own.products(3)]
    np.testing.assert_allclose(gains, [1, 0.7898, 0.2889], atol=6e-5)


def test_of_a_long_line_some_steps_are_shown(vocabulary: Vocabulary) -> None:
    model = tiny(vocabulary, "rnn")
    text = " ".join(["Todd"] * 200)
    found = trace(model, text, TraceSettings(back=150))
    assert found.n_steps == 201 and [s.t for s in found.steps] == [*range(151 - SHOWN, 151)]
    assert found.back is not None and found.back.n_terms == 150 and len(found.back.terms) == 30
    assert found.back.largest_difference < 1e-12
    assert len(trace(model, text).steps) == SHOWN
    assert len(trace(model, text, TraceSettings(step=3)).steps) == SHOWN
    assert len(trace(model, text, TraceSettings(all=True, step=1)).steps) == 201


def test_one_of_several_networks(vocabulary: Vocabulary) -> None:
    model = tiny(vocabulary, "gru", members=2)
    first, second = (trace(model, TEXT, TraceSettings(member=k)) for k in (1, 2))
    assert first.loss != second.loss and (second.member, second.n_members) == (2, 2)
    p = [[step.p for step in one.steps] for one in (first, second)]
    mean = [word.p for word in score(model, TEXT).words]
    np.testing.assert_allclose(np.mean(p, axis=0), mean, rtol=1e-5)
    with pytest.raises(ConfigError, match="the model has 2"):
        trace(model, TEXT, TraceSettings(member=3))


def test_units_that_relu_silences(vocabulary: Vocabulary) -> None:
    silent = tiny(vocabulary, "rnn", hidden=4, embed=4)
    silent = replace(silent, settings=replace(silent.settings, activation="relu"))
    weights = silent.parameters
    weights["rnn.bias_ih_l0"][...] = [-99, 99, 99, 99]
    weights["rnn.weight_ih_l0"][...] = 0
    weights["rnn.weight_hh_l0"][...] = 0
    found = trace(silent, TEXT)
    assert (found.zeros, found.dead) == (0.25, 0.25)
    gated = trace(tiny(vocabulary, "lstm", hidden=4, embed=4), TEXT)
    assert (gated.zeros, gated.dead) == (None, None)


def test_what_cannot_be_traced(model: LanguageModel) -> None:
    with pytest.raises(InputError, match="nothing to trace: the sentence is empty"):
        trace(model, "  ")
    with pytest.raises(InputError, match="the sentence has 2 steps"):
        trace(model, "Todd", TraceSettings(back=3))


def test_the_face_gives_the_same(model: LanguageModel) -> None:
    found = Model(model).trace("Todd met", back=2)
    assert found == trace(model, "Todd met", TraceSettings(back=2))
    assert found.to_dict()["back"]["terms"][0]["k"] == 2
    assert "back" not in trace(model, "Todd").to_dict()
    assert repr(found).startswith("Trace('Todd met', loss=")
