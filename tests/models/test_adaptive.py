"""Dynamic evaluation: the update by hand, what is scored before it is learnt, bits, refusals."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from lmtool.errors import ConfigError, OptionError
from lmtool.inference.evaluate import evaluate, line_logps
from lmtool.models import adaptation
from lmtool.models.adaptation import adapted
from lmtool.models.adaptive import Adaptive, drawn, gradients, root_mean_squares
from lmtool.models.kneser_ney import count
from lmtool.models.language_model import LanguageModel
from lmtool.models.predictor import joined
from lmtool.nn import kernels
from lmtool.nn.outputs.classes import S
from lmtool.settings import AdaptSettings, TextSettings
from lmtool.text.vocabulary import EOS_ID, Vocabulary
from lmtool.workers import Workers
from tests.conftest import LINES, tiny
from tests.models.test_ngram import ids_of

SEGMENT = 5
BOTH = AdaptSettings(adapt=True, cache=20)


@pytest.fixture(autouse=True)
def short_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundredth of the text that gradients are told from."""
    monkeypatch.setattr(adaptation, "DRAWN", 41)


@pytest.fixture(scope="module")
def networks(vocabulary: Vocabulary) -> LanguageModel:
    return tiny(vocabulary, "lstm", members=2)


@pytest.fixture(scope="module")
def mixture(networks: LanguageModel, vocabulary: Vocabulary) -> LanguageModel:
    trigram = count(ids_of(vocabulary, LINES), vocabulary, 3)
    return replace(networks, ngram=trigram, weights=(0.6, 0.4), temperatures=(0.9, 1.0))


@pytest.fixture(scope="module")
def rms(networks: LanguageModel) -> np.ndarray:
    return root_mean_squares(networks, drawn(networks, 200), SEGMENT)


def following(networks: LanguageModel, rms: np.ndarray, rate: float, decay: float) -> Adaptive:
    return Adaptive(networks, rms, rate, decay, SEGMENT)


def inputs_of(vocabulary: Vocabulary) -> np.ndarray:
    return np.append(np.int32(EOS_ID), ids_of(vocabulary, [*LINES] * 3))


def test_the_update_by_hand() -> None:
    """theta_0 1, theta 1.2, g .5, RMS .1 of a mean of .2, eta .001, lambda .02."""
    rms, start, g = np.array([0.1]), np.array([1.0]), np.array([0.5])
    x = np.array([1.2])
    kernels.dynamic_step(x, g, start, rms, 0.001, 0.02 / 0.2, 0.0)
    assert x[0] == pytest.approx(1.193)
    kernels.dynamic_step(x, g, start, rms, 0.0, 30 / 0.2, 0.0)
    assert x[0] == 1.0  # no further than theta_0


def test_gradients_are_those_of_the_mean_loss(networks: LanguageModel) -> None:
    ids = np.array([0, 3, 4, 2, 5], np.int32)
    loss, gradient = gradients(networks, networks.zero_state(), ids[:-1], ids[1:])
    moved = networks.parameters.copy()
    moved.flat -= np.float32(1e-3) * gradient.flat
    after, _ = gradients(
        replace(networks, parameters=moved), networks.zero_state(), ids[:-1], ids[1:]
    )
    assert loss - after == pytest.approx(1e-3 * np.square(gradient.flat).sum(), rel=0.05)


def test_without_steps_nothing_moves(
    networks: LanguageModel, rms: np.ndarray, vocabulary: Vocabulary
) -> None:
    ids, still = inputs_of(vocabulary), following(networks, rms, 0.0, 0.0)
    top, state = still.read(ids, still.zero_state())
    np.testing.assert_array_equal(state[0][0], networks.parameters.flat)
    plain = networks.log_probabilities(networks.read(ids, networks.zero_state())[0])
    np.testing.assert_allclose(still.log_probabilities(top), plain, rtol=1e-4)


def test_segments_are_predicted_before_they_are_learnt(
    networks: LanguageModel, rms: np.ndarray, vocabulary: Vocabulary
) -> None:
    """What comes later changes nothing before, and the first segment is the trained model's."""
    ids, model = inputs_of(vocabulary), following(networks, rms, 0.01, 0.02)
    logp = model.log_probabilities(model.read(ids, model.zero_state())[0])
    other = ids.copy()
    other[17:] = other[17:][::-1]
    again = model.log_probabilities(model.read(other, model.zero_state())[0])
    np.testing.assert_array_equal(again[:17], logp[:17])
    assert (again[20] != logp[20]).any()
    plain = networks.log_probabilities(networks.read(ids[:SEGMENT], networks.zero_state())[0])
    np.testing.assert_array_equal(logp[:SEGMENT], plain)
    assert (
        logp[SEGMENT:]
        != networks.log_probabilities(networks.read(ids, networks.zero_state())[0])[SEGMENT:]
    ).any()


def test_sums_streams_and_pieces(
    networks: LanguageModel, rms: np.ndarray, vocabulary: Vocabulary
) -> None:
    ids, model = inputs_of(vocabulary)[:23], following(networks, rms, 0.01, 0.02)
    whole = model.log_probabilities(model.read(ids, model.zero_state())[0])
    assert np.exp(whole, dtype=np.float64).sum(axis=1) == pytest.approx(1, abs=1e-5)
    state, tops = model.zero_state(), []
    for some in (ids[:3], ids[3:11], ids[11:]):
        top, state = model.read(some, state)
        tops.append(top)
    np.testing.assert_allclose(model.log_probabilities(joined(tops)), whole, rtol=1e-3)
    state = model.zero_state(2)
    for t, word in enumerate(ids[:8]):
        top, state = model.step(np.array([word, 4], np.int32), state)
        np.testing.assert_allclose(model.log_probabilities(top)[0], whole[t], rtol=1e-3)
        assert model.log_probability(top, np.array([3, 3])).tolist() == top[0][:, 3].tolist()


def test_weights_return(networks: LanguageModel, rms: np.ndarray, vocabulary: Vocabulary) -> None:
    """Without steps of their own they come nearer to the trained ones with each segment."""
    ids, model = inputs_of(vocabulary), following(networks, rms, 0.05, 0.0)
    _, state = model.read(ids, model.zero_state())
    still, distances = following(networks, rms, 0.0, 0.3), []
    for _ in range(4):
        distances.append(np.abs(state[0][0] - networks.parameters.flat).sum())
        _, state = still.read(ids[: 2 * SEGMENT], state)
    assert distances == sorted(distances, reverse=True) and distances[-1] < distances[0] / 2


def test_classes_learn_too() -> None:
    """Beyond the head, too: the gradient is that of the exact loss."""
    many = Vocabulary.build([" ".join(f"w{i}" for i in range(S + 200))], TextSettings())
    model = tiny(many, "gru", softmax="classes")  # type: ignore[arg-type]
    ids = np.array([0, 3, S + 150, 7, S + 3, 5], np.int32)
    loss, gradient = gradients(model, model.zero_state(), ids[:-1], ids[1:])
    top, _ = model.read(ids[:-1], model.zero_state())
    assert loss == pytest.approx(-model.log_probability(top, ids[1:]).mean(), rel=1e-5)
    moved = model.parameters.copy()
    moved.flat -= np.float32(1e-3) * gradient.flat
    after, _ = gradients(replace(model, parameters=moved), model.zero_state(), ids[:-1], ids[1:])
    assert loss - after == pytest.approx(1e-3 * np.square(gradient.flat).sum(), rel=0.05)


def test_a_text_that_repeats_itself(mixture: LanguageModel, networks: LanguageModel) -> None:
    text = ["the dog met Pete", "Zork saw the dog"] * 12
    for model in (mixture, networks):
        plain = evaluate(model, text, "document").perplexity
        for settings in (AdaptSettings(adapt=True, adapt_rate=0.01), AdaptSettings(cache=20)):
            found = evaluate(model, text, "document", adaptation=settings)
            assert found.perplexity < 0.98 * plain
            assert found.to_dict()["adaptation"] == settings.said()


def test_what_was_done_is_said(mixture: LanguageModel) -> None:
    found = evaluate(mixture, LINES, "document", adaptation=BOTH)
    said = "|adapt:rate=0.001,decay=0.02|cache:size=20,weight=0.12,sharpness=8|version:"
    assert said in found.signature and "|model:network*0.600+3-gram*0.400|" in found.signature
    assert [part.name for part in found.parts] == ["network", "3-gram"]
    plain = evaluate(mixture, LINES, "document")
    assert "adapt" not in plain.signature and "adaptation" not in plain.to_dict()


def test_threads_and_generators_change_no_bit(mixture: LanguageModel) -> None:
    lines = [*LINES, "Zork", ""] * 4

    def logps(threads: int, given: Iterator[str]) -> list[list[float]]:
        with Workers(threads) as workers:
            read = line_logps(adapted(mixture, BOTH), workers, "document", given)
            return [values.tolist() for _, values in read]

    assert logps(1, iter(lines)) == logps(3, (line for line in lines))


def test_lines_that_start_afresh_are_refused(mixture: LanguageModel) -> None:
    with pytest.raises(OptionError, match="adapt: follows a whole text"):
        evaluate(mixture, LINES, adaptation=BOTH)
    with pytest.raises(OptionError, match="cache: follows a whole text"):
        evaluate(mixture, LINES, adaptation=AdaptSettings(cache=3))


def test_a_model_without_networks_is_refused(mixture: LanguageModel) -> None:
    assert mixture.ngram is not None
    with pytest.raises(ConfigError, match="no networks"):
        evaluate(mixture.ngram, LINES, "document", adaptation=BOTH)


def test_weights_that_blow_up(networks: LanguageModel, vocabulary: Vocabulary) -> None:
    wild = following(networks, np.zeros_like(networks.parameters.flat) + 1e-8, 1e30, 0.0)
    with pytest.raises(ConfigError, match="smaller adapt_rate"), np.errstate(all="ignore"):
        wild.read(inputs_of(vocabulary), wild.zero_state())
