"""Ladder 4: invariants of scores, samples and perplexities."""

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest

from lmtool.errors import ConfigError, InputError
from lmtool.inference.evaluate import evaluate, sentence_logp, stream_logp
from lmtool.inference.next import next_words
from lmtool.inference.reading import CHUNK
from lmtool.inference.sample import distribution, sample
from lmtool.inference.score import score, score_lines
from lmtool.models.language_model import LanguageModel
from lmtool.settings import SampleSettings
from lmtool.text.vocabulary import EOS_ID, UNK_ID

LINES = ["Todd met Pete", "", "the cat saw Zebedee", "Todd", "the dog saw the cat"]


def test_conditionals_sum_to_one(model: LanguageModel) -> None:
    top, _ = model.read(np.array([0, 2, 3, 4], np.int32), model.zero_state())
    np.testing.assert_allclose(np.exp(model.log_probabilities(top)).sum(axis=1), 1, rtol=1e-5)


def test_all_short_sentences_have_at_most_probability_one(model: LanguageModel) -> None:
    tokens = model.vocabulary.tokens[2:6]
    sentences = [
        " ".join(words) for n in (1, 2, 3) for words in itertools.product(tokens, repeat=n)
    ]
    total = sum(score(model, sentence).p for sentence in sentences)
    assert 0 < total < 1


def test_factors_multiply_to_the_sentence(model: LanguageModel) -> None:
    result = score(model, "Todd met Zebedee")
    assert [row.token for row in result.words] == ["Todd", "met", "<UNK>", "<EOS>"]
    assert [row.oov for row in result.words] == [False, False, True, False]
    assert result.words[2].word == "Zebedee"
    assert math.prod(row.p for row in result.words) == pytest.approx(result.p)
    assert result.perplexity == pytest.approx(result.p ** (-1 / 4))
    assert sum(row.surprisal_bits for row in result.words) == pytest.approx(-math.log2(result.p))


def test_scores_do_not_depend_on_neighbours(model: LanguageModel) -> None:
    alone = [score(model, line) for line in LINES if line]
    together = [result for result in score_lines(model, LINES[::-1]) if result.words]
    assert alone == together[::-1]


def test_blank_lines_keep_their_place(model: LanguageModel) -> None:
    results = list(score_lines(model, LINES))
    assert [len(result.words) for result in results] == [4, 0, 5, 2, 6]
    assert results[1].perplexity is None


def test_long_sentences_do_not_underflow(model: LanguageModel) -> None:
    result = score(model, "Todd met Pete " * 2000)
    assert result.p == 0
    assert -100_000 < result.log10_p < -1000
    assert result.n_words == 6000


def test_chunks_change_nothing(model: LanguageModel) -> None:
    ids = np.random.default_rng(0).integers(0, 9, CHUNK + 9).astype(np.int32)
    whole, last = model.read(ids, model.zero_state())
    first, state = model.read(ids[:11], model.zero_state())
    second, state = model.read(ids[11:], state)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(state[0][0], last[0][0], rtol=1e-4, atol=1e-6)


def test_nothing_to_score(model: LanguageModel) -> None:
    with pytest.raises(InputError, match="empty"):
        score(model, " \t ")


@pytest.mark.parametrize("context", ["sentence", "document"])
def test_evaluation_adds_up(model: LanguageModel, context: str) -> None:
    result = evaluate(model, LINES, context)
    assert (result.n_sentences, result.n_words, result.n_oov) == (4, 13, 1)
    assert result.perplexity == pytest.approx(10 ** (-result.log10_p / 17))
    assert result.n_characters == sum(len(line) + 1 for line in LINES if line)
    assert result.bits_per_word == pytest.approx(math.log2(result.perplexity))
    assert f"context:{context}" in result.signature
    if context == "sentence":
        scores = [score(model, line).log10_p for line in LINES if line]
        assert result.log10_p == pytest.approx(sum(scores))


def test_validation_equals_evaluation(model: LanguageModel) -> None:
    ids = [i for line in LINES if line for i in (*model.vocabulary.encode(line), EOS_ID)]
    stream = np.array(ids, np.int32)
    document = evaluate(model, LINES, "document").log10_p * math.log(10)
    sentence = evaluate(model, LINES, "sentence").log10_p * math.log(10)
    assert stream_logp(model, stream) == pytest.approx(document, rel=1e-5)
    assert sentence_logp(model, stream) == pytest.approx(sentence, rel=1e-5)
    # a piece reads what lies before it, here all of it, so the pieces add up to the whole
    assert stream_logp(model, stream, 3) == pytest.approx(document, rel=1e-5)


def test_empty_evaluation(model: LanguageModel) -> None:
    with pytest.raises(InputError, match="no word"):
        evaluate(model, ["", " "])


def test_next_words_are_sorted_and_sum_to_one(model: LanguageModel) -> None:
    words = next_words(model, "Todd met", k=100)
    assert len(words) == model.vocabulary.n_tokens
    assert [word.p for word in words] == sorted((word.p for word in words), reverse=True)
    assert sum(word.p for word in words) == pytest.approx(1)
    with pytest.raises(ConfigError):
        next_words(model, "Todd", k=0)


def test_samples_follow_the_softmax(model: LanguageModel) -> None:
    """Pearson's chi-square of 4,000 first words against their probabilities."""
    rng, n = np.random.default_rng(0), 4000
    settings = SampleSettings(max_words=1, allow_unk=True)
    first = [sample(model, rng, settings).word_scores[0].token for _ in range(n)]
    expected = {word.word: n * word.p for word in next_words(model, "", k=100)}
    chi_square = sum((first.count(word) - e) ** 2 / e for word, e in expected.items())
    assert chi_square < 26.1  # the 0.1 % point at 8 degrees of freedom


def test_greedy_is_temperature_zero_and_top_one(model: LanguageModel) -> None:
    texts = {
        sample(model, np.random.default_rng(seed), settings).text
        for seed in range(3)
        for settings in (SampleSettings(temperature=0), SampleSettings(top_k=1))
    }
    assert len(texts) == 1


def test_unknown_words_are_not_drawn_unless_allowed(model: LanguageModel) -> None:
    logp = np.log(np.full(9, 1 / 9, np.float32))
    assert distribution(logp, SampleSettings())[UNK_ID] == 0
    assert distribution(logp, SampleSettings(allow_unk=True))[UNK_ID] == pytest.approx(1 / 9)


def test_top_p_keeps_the_fewest_that_reach_it() -> None:
    logp = np.log(np.array([0.5, 0.0001, 0.3, 0.1999], np.float32))
    p = distribution(logp, SampleSettings(top_p=0.7))
    np.testing.assert_allclose(p, [0.625, 0, 0.375, 0], rtol=1e-3)


def test_a_sample_can_be_scored_again(model: LanguageModel) -> None:
    drawn = sample(model, np.random.default_rng(1), SampleSettings(max_words=50), "Todd", seed=1)
    history = score(model, "Todd").words[0].log10_p
    if not drawn.truncated:
        assert score(model, drawn.text).log10_p == pytest.approx(history + drawn.log10_p, rel=1e-4)
    assert drawn.text.startswith("Todd")


@pytest.mark.parametrize(
    "options", [{"temperature": -1}, {"top_k": -1}, {"top_p": 0}, {"max_words": 0}]
)
def test_sampling_out_of_range(model: LanguageModel, options: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        sample(model, np.random.default_rng(0), SampleSettings(**options))  # type: ignore[arg-type]


def test_scoring_loads_no_heavy_package() -> None:
    code = (
        "import sys, lmtool.inference.score, lmtool.model_file, lmtool.api;"
        "print(sorted({'numba', 'scipy', 'torch', 'rich', 'typer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
