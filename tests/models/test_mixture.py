"""Mixtures: weights by hand, sums, one part alone, what cannot be mixed."""

import numpy as np
import pytest

from lmtool.errors import ConfigError
from lmtool.inference.evaluate import evaluate
from lmtool.inference.score import score_lines
from lmtool.models.kneser_ney import count
from lmtool.models.language_model import LanguageModel
from lmtool.models.mixture import Mixture, Part, fit_weights
from lmtool.models.ngram import NgramModel
from lmtool.settings import TextSettings
from lmtool.text.vocabulary import Vocabulary
from tests.conftest import LINES
from tests.models.test_ngram import ids_of

COLUMNS = np.log(np.array([(0.5, 0.1, 0.2, 0.4), (0.1, 0.4, 0.2, 0.1)])).T


@pytest.fixture(scope="module")
def trigram(vocabulary: Vocabulary) -> NgramModel:
    return count(ids_of(vocabulary, LINES), vocabulary, 3)


@pytest.fixture
def mixture(lstm: LanguageModel, trigram: NgramModel) -> Mixture:
    return Mixture((Part("network", 0.7, lstm), Part("3-gram", 0.3, trigram)))


def test_weights_by_hand() -> None:
    weights = fit_weights(COLUMNS)
    assert weights == pytest.approx((0.792201, 0.207799), abs=1e-3)
    perplexity = np.exp(-np.log(np.exp(COLUMNS) @ weights).mean())
    assert perplexity == pytest.approx(3.846037, abs=1e-5)


def test_weights_of_equals_and_of_one_that_fails() -> None:
    equal = np.repeat(COLUMNS[:, :1], 3, axis=1)
    assert fit_weights(equal) == pytest.approx((1 / 3,) * 3)
    silent = COLUMNS.copy()
    silent[0, 0] = -np.inf
    assert 0 < fit_weights(silent)[0] < 1


def test_sums_and_single_lookups(mixture: Mixture, vocabulary: Vocabulary) -> None:
    ids = ids_of(vocabulary, LINES)
    tops, _ = mixture.read(ids, mixture.zero_state())
    every = mixture.log_probabilities(tops)
    assert np.exp(every, dtype=np.float64).sum(axis=1) == pytest.approx(1, abs=1e-5)
    chosen = mixture.log_probability(tops, ids)
    np.testing.assert_allclose(chosen, every[np.arange(len(ids)), ids], rtol=1e-5)
    network, counted = np.exp(mixture.columns(tops, ids).logp)
    np.testing.assert_allclose(np.exp(chosen), 0.7 * network + 0.3 * counted, rtol=1e-5)


def test_blocks_and_threads_change_no_bit(mixture: Mixture) -> None:
    lines = [*LINES, "Zork", "Todd"] * 3
    together = list(score_lines(mixture, lines, threads=2))
    alone = [next(score_lines(mixture, [line])) for line in lines]
    assert together == alone


def test_parts_are_told_apart(mixture: Mixture, lstm: LanguageModel, trigram: NgramModel) -> None:
    found = evaluate(mixture, LINES)
    assert [(part.name, part.weight) for part in found.parts] == [("network", 0.7), ("3-gram", 0.3)]
    alone = [evaluate(model, LINES).perplexity for model in (lstm, trigram)]
    assert [part.perplexity for part in found.parts] == pytest.approx(alone)
    assert "|model:network*0.700+3-gram*0.300|" in found.signature
    assert "parts" not in evaluate(lstm, LINES).to_dict()


def test_what_cannot_be_mixed(lstm: LanguageModel, trigram: NgramModel) -> None:
    with pytest.raises(ConfigError, match="sum to 1"):
        Mixture((Part("a", 0.7, lstm), Part("b", 0.7, trigram)))
    other = Vocabulary.build(["an other text"], TextSettings())
    foreign = count(ids_of(other, ["an other text"]), other, 2)
    with pytest.raises(ConfigError, match="vocabularies"):
        Mixture((Part("a", 0.5, lstm), Part("b", 0.5, foreign)))
