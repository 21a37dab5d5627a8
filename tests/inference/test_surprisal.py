"""Surprisal and entropy against their definitions."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lmtool.errors import ConfigError, InputError
from lmtool.inference.score import score, score_lines
from lmtool.inference.surprisal import columns, surprisal, surprisal_lines
from lmtool.models.language_model import LanguageModel
from lmtool.settings import BASES, SurprisalSettings
from lmtool.text.vocabulary import EOS, EOS_ID

SENTENCE = "Todd met Zork"
LINES = ["Todd met Pete", "", "the cat saw Zebedee", "Todd", "the dog saw the cat"]


def distributions(model: LanguageModel, text: str, *, after: str = "") -> np.ndarray:
    """ln p (T, V) before each word of text and before <EOS>, one step at a time."""
    state, rows = model.zero_state(), []
    for id_ in [EOS_ID, *model.vocabulary.encode(after)] if after else []:
        _, state = model.step(np.array([id_], np.int32), state)
    for id_ in [EOS_ID, *model.vocabulary.encode(text)]:
        top, state = model.step(np.array([id_], np.int32), state)
        rows.append(model.log_probabilities(top)[0].astype(np.float64))
    return np.array(rows)


@pytest.mark.parametrize("base", BASES)
def test_every_number_is_its_definition(model: LanguageModel, base: str) -> None:
    logp = distributions(model, SENTENCE) / BASES[base]
    entropy = -(np.exp(logp * BASES[base]) * logp).sum(axis=1)
    ids = [*model.vocabulary.encode(SENTENCE), EOS_ID]
    counts = model.vocabulary.counts
    words = surprisal(model, SENTENCE, SurprisalSettings(base=base)).words
    assert [word.word for word in words] == ["Todd", "met", "Zork", EOS]
    assert [word.oov for word in words] == [False, False, True, False]
    for t, word in enumerate(words):
        assert word.position == t + 1
        assert word.log_p == pytest.approx(logp[t, ids[t]], abs=1e-5)
        assert word.surprisal == -word.log_p
        assert word.entropy_before == pytest.approx(entropy[t], abs=1e-5)
        assert word.rank == 1 + (logp[t] > logp[t, ids[t]]).sum()
        assert word.frequency == counts[ids[t]]
        if share := counts[ids[t]] / counts.sum():
            assert word.unigram_surprisal == pytest.approx(-math.log(share) / BASES[base])
        if t < len(words) - 1:
            assert word.entropy_after == words[t + 1].entropy_before
            assert word.entropy_reduction == word.entropy_before - (word.entropy_after or 0)
    assert (words[-1].entropy_after, words[-1].entropy_reduction) == (None, None)
    assert [word.length for word in words] == [4, 3, 4, 0]


def test_agrees_with_the_score_in_every_base(model: LanguageModel) -> None:
    whole = score(model, SENTENCE)
    for base in BASES:
        result = surprisal(model, SENTENCE, SurprisalSettings(base=base))
        assert result.log10_p == pytest.approx(whole.log10_p, rel=1e-12)
        assert result.surprisal_bits == pytest.approx(-whole.log10_p / math.log10(2), rel=1e-12)
        for mine, theirs in zip(result.words, whole.words, strict=True):
            assert mine.log10_p == pytest.approx(theirs.log10_p, rel=1e-12)
            assert mine.surprisal_bits == pytest.approx(theirs.surprisal_bits, rel=1e-12)


def test_entropy_reduction_may_be_negative(model: LanguageModel) -> None:
    sentences = surprisal_lines(model, LINES)
    signs = {
        math.copysign(1, word.entropy_reduction)
        for sentence in sentences
        for word in sentence.words
        if word.entropy_reduction
    }
    assert signs == {-1, 1}


def test_guesses_are_the_most_probable(model: LanguageModel) -> None:
    V = model.vocabulary.n_tokens
    for k in (1, 3, V, V + 5):
        words = surprisal(model, SENTENCE, SurprisalSettings(top=k)).words
        for word, logp in zip(words, distributions(model, SENTENCE), strict=True):
            p = [guess.p for guess in word.guesses]
            assert p == pytest.approx(sorted(np.exp(logp), reverse=True)[:k], abs=1e-6)
            assert len({guess.token for guess in word.guesses}) == min(k, V)
        first = words[0]
        assert first.rank is not None
        assert (first.rank <= k) == (first.token in {guess.token for guess in first.guesses})


def test_lines_keep_their_numbers_and_sentences_theirs(model: LanguageModel) -> None:
    results = list(surprisal_lines(model, ["Todd", "", "met", " "]))
    assert [(result.line, result.sentence_id) for result in results] == [
        (1, 1), (2, 1), (3, 2), (4, 2),
    ]  # fmt: skip
    assert [len(result.words) for result in results] == [2, 0, 2, 0]


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("context", ["sentence", "document"])
def test_threads_change_nothing(model: LanguageModel, threads: int, context: str) -> None:
    settings = SurprisalSettings(context=context, top=2)
    lines = LINES * 9
    assert list(surprisal_lines(model, lines, settings)) == list(
        surprisal_lines(model, lines, settings, threads)
    )
    if context == "sentence":
        assert list(score_lines(model, lines)) == list(score_lines(model, lines, threads))


def test_document_context_carries_the_state(model: LanguageModel) -> None:
    document = SurprisalSettings(context="document")
    first, second = surprisal_lines(model, ["Todd met", "Pete"], document)
    assert first == surprisal(model, "Todd met")
    logp = distributions(model, "Pete", after="Todd met") / BASES["2"]
    ids = [*model.vocabulary.encode("Pete"), EOS_ID]
    assert [word.log_p for word in second.words] == pytest.approx(logp[[0, 1], ids], abs=1e-5)
    assert second.words[0].log_p != surprisal(model, "Pete").words[0].log_p


def test_columns_name_the_values_of_every_record(model: LanguageModel) -> None:
    for settings in (
        SurprisalSettings(),
        SurprisalSettings(top=2, spillover=2),
        SurprisalSettings(spillover=1, frequency=False),
    ):
        names = columns(settings)
        assert len(set(names)) == len(names)
        for record in surprisal(model, SENTENCE, settings).to_dicts(settings):
            assert set(names) <= set(record)
    assert "frequency" not in columns(SurprisalSettings(frequency=False))


def test_spillover_repeats_the_words_before(model: LanguageModel) -> None:
    settings = SurprisalSettings(spillover=2)
    rows = surprisal(model, SENTENCE, settings).to_dicts(settings)
    assert [row["word_prev1"] for row in rows] == [None, "Todd", "met", "Zork"]
    assert [row["word_prev2"] for row in rows] == [None, None, "Todd", "met"]
    assert rows[3]["surprisal_prev2"] == rows[1]["surprisal"]


def test_a_model_without_counts(model: LanguageModel) -> None:
    vocabulary = replace(model.vocabulary, counts=np.zeros_like(model.vocabulary.counts))
    bare = replace(model, vocabulary=vocabulary)
    with pytest.raises(ConfigError, match=r"no counts .* frequency=False"):
        surprisal(bare, SENTENCE)
    words = surprisal(bare, SENTENCE, SurprisalSettings(frequency=False)).words
    assert words[0].unigram_surprisal is None


def test_a_word_never_seen_has_no_unigram_surprisal(model: LanguageModel) -> None:
    word = surprisal(model, "Zork").words[0]
    assert (word.token, word.frequency, word.unigram_surprisal) == ("<UNK>", 0, None)


def test_nothing_to_score(model: LanguageModel) -> None:
    with pytest.raises(InputError, match="empty"):
        surprisal(model, " ")


@pytest.mark.parametrize("options", [{"base": "3"}, {"context": "line"}, {"top": -1}])
def test_settings_that_cannot_be_meant(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        SurprisalSettings(**options)  # type: ignore[arg-type]
