"""What suits a text: weights in its order, temperatures that are needed, buckets that hold."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lmtool.inference.evaluate import sentence_logp, stream_logp
from lmtool.inference.mixing import choose, columns, fitted, readings, with_fit
from lmtool.inference.validation import Perplexity
from lmtool.models.buckets import Clue
from lmtool.models.kneser_ney import count
from lmtool.models.language_model import LanguageModel
from lmtool.models.mixture import Part
from lmtool.text.vocabulary import Vocabulary
from lmtool.workers import Workers
from tests.conftest import LINES
from tests.models.test_ngram import ids_of


@pytest.fixture(scope="module")
def mixed(lstm: LanguageModel, vocabulary: Vocabulary) -> LanguageModel:
    """Networks and trigrams."""
    return replace(lstm, ngram=count(ids_of(vocabulary, LINES), vocabulary, 3))


@pytest.mark.parametrize("in_sentences", [True, False])
def test_the_loss_is_that_of_the_mixture(
    mixed: LanguageModel, vocabulary: Vocabulary, in_sentences: bool
) -> None:
    ids = ids_of(vocabulary, [*LINES, "Zork met the dog"] * 3)
    assert mixed.mixture is not None
    with Workers(2) as workers:
        fit = fitted(mixed.mixture, ids, in_sentences, workers)
    total = (sentence_logp if in_sentences else stream_logp)(with_fit(mixed, fit), ids)
    assert -total / len(ids) == pytest.approx(fit.loss, rel=1e-5)
    assert fit.loss <= min(fit.alone) + 1e-6
    assert sum(fit.weights) == pytest.approx(1)


def test_columns_are_in_the_order_of_the_text(mixed: LanguageModel, vocabulary: Vocabulary) -> None:
    ids, ngram = ids_of(vocabulary, [*LINES[::-1], *LINES]), mixed.ngram
    assert mixed.mixture is not None and ngram is not None
    clues = (Clue("known", 1, (1.0, 2.0)),)
    with Workers(1) as workers:
        read = readings(len(ids), ids, in_sentences=True)
        logp, values = columns(mixed.mixture.parts, clues, ids, read, workers)
    np.testing.assert_allclose(logp[:, 1], ngram.stream(ids), rtol=1e-6)
    assert values.shape == (len(ids), 1)


def test_the_measures_of_a_run_are_those_of_what_is_kept(
    mixed: LanguageModel, vocabulary: Vocabulary
) -> None:
    ids, ngram = ids_of(vocabulary, LINES), mixed.ngram
    assert ngram is not None
    with Workers(1) as workers:
        judge = Perplexity(ids, False, workers, 1, counting=lambda: ngram)
        assert judge.at_the_end(mixed.alone, 1.0) == {}
        for model in (mixed, mixed.alone):
            measures = judge.both(model, judge.judge(model).score)
            expected = math.exp(-stream_logp(model, ids) / len(ids))
            assert measures["valid_perplexity"] == pytest.approx(expected, rel=1e-5)
            assert measures["valid_perplexity_sentence"] > 1


def test_buckets_that_hold_on_the_other_half(mixed: LanguageModel) -> None:
    rng, n = np.random.default_rng(1), 4000
    value = (rng.random(n) < 0.5).astype(np.float32)
    good, bad = np.log(0.5), np.log(0.05)
    logp = np.where(value[:, None] == [[0, 1]], good, bad).astype(np.float32)
    assert mixed.mixture is not None
    parts: tuple[Part, ...] = mixed.mixture.parts
    clues = (Clue("known", 1, (0.0, 1.0)),)
    found = choose(parts, clues, logp, value[:, None])
    assert found.buckets is not None and found.loss < 0.8
    assert found.weights == pytest.approx((0.5, 0.5), abs=0.05)
    noise = rng.random((n, 1), np.float32)
    assert choose(parts, clues, logp, noise).buckets is None
