"""Whatever predicts is scored, sampled, evaluated and asked for the next word."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from lmtool.inference.compare import compare
from lmtool.inference.evaluate import evaluate, sentence_logp
from lmtool.inference.next import next_words
from lmtool.inference.pairs import Pair, score_pairs
from lmtool.inference.sample import sample
from lmtool.inference.score import score, score_lines
from lmtool.inference.surprisal import surprisal_lines
from lmtool.models.predictor import Predictor, joined, rows
from lmtool.settings import CompareSettings, SampleSettings, SurprisalSettings
from lmtool.text.vocabulary import EOS_ID, Vocabulary
from tests.inference.unigram import Unigram

LINES = ["Todd met Pete", "", "Zork", "the dog saw the cat", "Todd " * 300, "Pete"]


@pytest.fixture(scope="module", params=[1, 4])
def unigram(request: pytest.FixtureRequest, vocabulary: Vocabulary) -> Predictor:
    """Read one by one, and in blocks."""
    return Unigram(vocabulary, request.param)


def expected(model: Predictor, line: str) -> list[float]:
    """ln of (counts + 1) / sum."""
    counts = model.vocabulary.counts + 1
    ids = [*model.vocabulary.encode(line), EOS_ID]
    return [math.log(counts[i] / counts.sum()) for i in ids]


def test_scores(unigram: Predictor) -> None:
    for line, result in zip(LINES, score_lines(unigram, LINES, threads=2), strict=True):
        logps = [word.log10_p * math.log(10) for word in result.words]
        assert logps == pytest.approx(expected(unigram, line) if line else [])
    good, bad = (score(unigram, line).log10_p for line in ("Todd", "Zork"))
    pair = next(score_pairs(unigram, [Pair("Todd", "Zork")]))
    assert (pair.good_log10_p, pair.bad_log10_p) == (good, bad)


@pytest.mark.parametrize("context", ["sentence", "document"])
def test_sums(unigram: Predictor, context: str) -> None:
    total = math.fsum(itertools.chain(*(expected(unigram, line) for line in LINES if line)))
    result = evaluate(unigram, LINES, context)
    assert result.log10_p * math.log(10) == pytest.approx(total)
    words = surprisal_lines(unigram, LINES, SurprisalSettings(context=context))
    assert -sum(line.log10_p for line in words) == pytest.approx(-result.log10_p)
    ids = np.concatenate(
        [unigram.vocabulary.sentence(unigram.vocabulary.split(line)) for line in LINES if line]
    )
    assert sentence_logp(unigram, ids) == pytest.approx(total)
    both = compare(unigram, unigram, LINES, CompareSettings(context=context))
    assert both.difference_bits == 0
    assert both.a.log10_p == pytest.approx(result.log10_p)


def test_draws_and_next_words(unigram: Predictor) -> None:
    rng, settings = np.random.default_rng(0), SampleSettings(max_words=1, allow_unk=True)
    drawn = Counter(sample(unigram, rng, settings).word_scores[0].token for _ in range(4000))
    best = next_words(unigram, "Todd met", k=100)
    for word in best:
        assert drawn[word.word] / 4000 == pytest.approx(word.p, abs=0.03)


def test_rows_and_parts_of_what_is_nested() -> None:
    x = (np.arange(4), (np.arange(8).reshape(4, 2),))
    upper, lower = rows(x, slice(2)), rows(x, np.array([2, 3]))
    whole = joined([upper, lower])
    np.testing.assert_array_equal(whole[0], x[0])
    np.testing.assert_array_equal(whole[1][0], x[1][0])
