"""Words that have several tokens: every number is of words, and the tokens' add up to it."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmtool import model_file, tensor_file
from lmtool.errors import ModelFileError
from lmtool.inference.compare import compare
from lmtool.inference.evaluate import evaluations
from lmtool.inference.next import next_words
from lmtool.inference.pairs import Pair, score_pairs
from lmtool.inference.sample import sample
from lmtool.inference.score import score, score_lines, score_utterances
from lmtool.inference.surprisal import columns, surprisal, surprisal_lines
from lmtool.models.language_model import LanguageModel
from lmtool.settings import CompareSettings, SampleSettings, SurprisalSettings, TextSettings
from lmtool.text.vocabulary import EOS, EOS_ID, Vocabulary
from tests.conftest import tiny
from tests.refused import refused

TEXT = ["Todd met Pete.", "Pete (not Todd) met the cat!", "the cat saw Todd.", "don't, Todd!"]
LINE = "Todd met Zork, the catty cat!"
LINES = ["Todd met Pete.", "", "Zork?", LINE, "the cat saw 日本 Pete"]
TOKEN = SurprisalSettings(level="token")


@pytest.fixture(scope="module", params=["split", "subword"])
def pieced(request: pytest.FixtureRequest) -> LanguageModel:
    """A model whose words may have several tokens."""
    vocabulary = Vocabulary.build(TEXT, TextSettings(tokens=request.param))
    return tiny(vocabulary, "gru")


def factors(model: LanguageModel, text: str) -> np.ndarray:
    """log10 p of each token and <EOS>, one step at a time."""
    state, logps = model.zero_state(), []
    ids = [*model.vocabulary.encode(text), EOS_ID]
    for before, id_ in zip([EOS_ID, *ids[:-1]], ids, strict=True):
        top, state = model.step(np.array([before], np.int32), state)
        logps.append(model.log_probabilities(top)[0, id_] / math.log(10))
    return np.array(logps, np.float64)


def test_a_word_has_what_its_tokens_have(pieced: LanguageModel) -> None:
    result, own = score(pieced, LINE), factors(pieced, LINE)
    pieces = [*map(pieced.vocabulary.pieces, LINE.split()), [EOS]]
    ends = np.cumsum([0, *map(len, pieces)])
    sums = [own[a:b].sum() for a, b in pairwise(ends)]
    assert max(map(len, pieces)) > 1
    assert [word.word for word in result.words] == [*LINE.split(), EOS]
    assert [word.log10_p for word in result.words] == pytest.approx(sums, abs=1e-5)
    assert result.log10_p == pytest.approx(own.sum(), abs=1e-5)
    assert (result.level, result.n_words, result.n_tokens) == ("word", 6, len(own) - 1)
    assert result.perplexity == pytest.approx(10 ** (-own.sum() / 7), rel=1e-4)
    assert result.perplexity_per_token == pytest.approx(10 ** (-own.mean()), rel=1e-4)


def test_a_word_is_unknown_if_a_token_is(pieced: LanguageModel) -> None:
    words = score(pieced, LINE).words
    unknown = [word.word for word in words if word.oov]
    assert "Zork," in unknown and "Todd" not in unknown
    assert score(pieced, LINE).n_oov == len(unknown)
    assert score(pieced, LINE.replace("Zork", "Todd")).words[2].oov is False


def test_tokens_are_shown_where_asked_for(pieced: LanguageModel) -> None:
    words, (tokens,) = score(pieced, LINE), score_lines(pieced, [LINE], level="token")
    assert [row.word for row in tokens.words] == [*pieced.vocabulary.split(LINE), EOS]
    assert (tokens.level, tokens.log10_p, tokens.n_oov) == ("token", words.log10_p, words.n_oov)
    assert tokens.perplexity == words.perplexity
    (said,) = score_utterances(pieced, [f"u1 {LINE}"], level="token")
    assert said.words == tokens.words


def test_lines_are_scored_alike_alone_and_in_company(pieced: LanguageModel) -> None:
    together = [*score_lines(pieced, LINES * 20)]
    assert together == [*score_lines(pieced, LINES)] * 20
    for line, result in zip(LINES, together, strict=False):
        assert not line or result == score(pieced, line)


@pytest.mark.parametrize("tokens", ["word", "char"])
def test_where_words_are_tokens_nothing_is_said_of_levels(tokens: str) -> None:
    model = tiny(Vocabulary.build(TEXT, TextSettings(tokens=tokens)), "gru")
    results: list[Any] = [score(model, LINE), surprisal(model, LINE), *evaluations(model, TEXT)]
    results += [*next_words(model, "Todd"), sample(model, np.random.default_rng(1), FEW)]
    for result in results:
        assert not {"level", "n_tokens"} & set(result.to_dict())
    (by_token,) = score_lines(model, [LINE], level="token")
    assert by_token == score(model, LINE)
    assert surprisal(model, LINE, TOKEN) == surprisal(model, LINE)


def test_surprisal_is_that_of_the_score(pieced: LanguageModel) -> None:
    words, result = surprisal(pieced, LINE).words, score(pieced, LINE)
    assert [word.word for word in words] == [word.word for word in result.words]
    assert [word.oov for word in words] == [word.oov for word in result.words]
    bits = [word.surprisal_bits for word in result.words]
    assert [word.surprisal_bits for word in words] == pytest.approx(bits, rel=1e-6)
    assert [word.position for word in words] == [*range(1, 8)]
    assert [word.length for word in words] == [*map(len, LINE.split()), 0]
    assert words[2].rank is None and words[0].entropy_before > 0


def test_surprisal_of_tokens(pieced: LanguageModel) -> None:
    by_word, by_token = surprisal(pieced, LINE), surprisal(pieced, LINE, TOKEN)
    assert [row.word for row in by_token.words] == [*pieced.vocabulary.split(LINE), EOS]
    assert by_token.surprisal_bits == pytest.approx(by_word.surprisal_bits)
    assert all(row.rank for row in by_token.words)
    for result, options in ((by_word, SurprisalSettings()), (by_token, TOKEN)):
        (record, *_) = result.to_dicts(options)
        assert list(record) == columns(options, several=True)
        assert record["level"] == result.to_dict()["level"] == options.level


def test_the_state_goes_on_over_tokens(pieced: LanguageModel) -> None:
    document = SurprisalSettings(context="document")
    first, _, second = surprisal_lines(pieced, ["Todd met Pete.", "", "the cat"], document)
    alone = surprisal(pieced, "the cat")
    assert second.words[0].surprisal != alone.words[0].surprisal
    assert first == surprisal(pieced, "Todd met Pete.")


def test_perplexities_of_words_and_of_tokens(pieced: LanguageModel) -> None:
    for result in evaluations(pieced, LINES):
        scores = [one for one in score_lines(pieced, LINES) if one.words]
        n_words = sum(len(line.split()) for line in LINES)
        n_tokens = sum(len(pieced.vocabulary.split(line)) for line in LINES)
        assert (result.n_words, result.n_tokens, result.level) == (n_words, n_tokens, "word")
        assert result.n_oov == sum(one.n_oov for one in scores)
        assert result.n_characters == sum(len(line) + 1 for line in LINES if line)
        log10_p = result.log10_p
        assert result.perplexity == result.perplexity_per_word
        assert result.perplexity == pytest.approx(10 ** (-log10_p / (n_words + 4)))
        assert result.perplexity_per_token == pytest.approx(10 ** (-log10_p / (n_tokens + 4)))
        oov = sum(word.log10_p for one in scores for word in one.words if word.oov)
        if result.context == "sentence":
            known = -(log10_p - oov) / (n_words + 4 - result.n_oov)
            assert result.perplexity_no_oov == pytest.approx(10**known, rel=1e-5)


def test_pairs_compare_words(pieced: LanguageModel) -> None:
    (result,) = score_pairs(pieced, [Pair("Todd met Pete.", "Pete met")], per_word=True)
    good, bad = score(pieced, "Todd met Pete.").log10_p / 4, score(pieced, "Pete met").log10_p / 3
    assert result.difference_bits == pytest.approx((good - bad) * math.log2(10))


def test_models_of_words_and_of_pieces_compare(pieced: LanguageModel) -> None:
    words = tiny(Vocabulary.build(TEXT, TextSettings()), "gru")
    spell = CompareSettings(oov="spell", resamples=10)
    result = compare(words, pieced, TEXT, spell)
    assert result.n_words == sum(len(line.split()) for line in TEXT)
    assert result.b.log10_p == pytest.approx(sum(one.log10_p for one in score_lines(pieced, TEXT)))
    assert (result.a.n_oov, result.b.n_oov) == (0, 0)
    strange = compare(pieced, pieced, LINES, spell)
    assert strange.a.n_oov == sum(one.n_oov for one in score_lines(pieced, LINES))
    assert strange.a.spelling_bits > 0


FEW = SampleSettings(max_words=4)


@pytest.mark.parametrize("prompt", ["", "Todd met", "don't,"])
def test_samples_end_with_a_whole_word(pieced: LanguageModel, prompt: str) -> None:
    rng, cut = np.random.default_rng(5), 0
    for _ in range(60):
        result = sample(pieced, rng, FEW, prompt)
        assert result.text.startswith(prompt)
        drawn = len(result.text.split()) - len(prompt.split())
        assert drawn == 4 or (not result.truncated and 0 <= drawn < 5)
        assert result.log10_p == pytest.approx(sum(row.log10_p for row in result.word_scores))
        assert len(result.tokens) + (not result.truncated) == len(result.word_scores)
        assert result.to_dict()["level"] == "token"
        cut += result.truncated
    assert cut > 0


def test_a_word_without_end_is_cut(pieced: LanguageModel) -> None:
    vocabulary = Vocabulary.build(["aa aa", "b"], TextSettings(tokens="subword", vocab_size=1))
    endless = tiny(vocabulary, "rnn")
    endless.parameters["output.bias"][:] = -99
    endless.parameters["output.bias"][vocabulary.id("a")] = 99
    result = sample(endless, np.random.default_rng(1), FEW)
    assert result.truncated and result.text == "a" * 100


def test_next_shows_pieces(pieced: LanguageModel) -> None:
    found = next_words(pieced, "Todd met", 3)
    assert all(one.word in pieced.vocabulary.tokens for one in found)
    assert found[0].to_dict()["level"] == "token"


def test_a_file_gives_the_same_model(pieced: LanguageModel, tmp_path: Path) -> None:
    model_file.save(pieced, tmp_path / "m")
    again = model_file.load(tmp_path / "m")
    assert again.digest == pieced.digest
    assert again.vocabulary.merges == pieced.vocabulary.merges
    assert score(again, LINE) == score(pieced, LINE)


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        b"",
        b"t o",
        b"t o\nt",
        b"\xff \xfe",
        b"t o\nt o",
        b"\0 \0",
        np.zeros(4, np.int64),
        np.zeros((2, 2), np.uint8),
    ],
    ids=str,
)
@pytest.mark.parametrize("pieced", ["subword"], indirect=True)
def test_hostile_merges_in_a_file(
    pieced: LanguageModel, damaged: bytes | np.ndarray | None, tmp_path: Path
) -> None:
    model_file.save(pieced, path := tmp_path / "m")
    card, tensors = tensor_file.read(path, *model_file.FORMATS)
    merges = tensors.pop("subwords.merges")
    assert merges.tobytes().decode().split("\n")[0].count(" ") == 1
    if damaged is not None:
        raw = np.frombuffer(damaged, np.uint8) if isinstance(damaged, bytes) else damaged
        tensors["subwords.merges"] = raw
    tensor_file.write(path, card, tensors)
    with refused(ModelFileError) as caught:
        model_file.load(path)
    assert "\n" not in str(caught.value)
    tensor_file.write(path, card, {**tensors, "subwords.merges": merges})
    assert model_file.load(path).digest == pieced.digest


def test_a_word_model_with_merges_is_refused(lstm: LanguageModel, tmp_path: Path) -> None:
    model_file.save(lstm, path := tmp_path / "m")
    card, tensors = tensor_file.read(path, *model_file.FORMATS)
    tensor_file.write(path, card, {**tensors, "subwords.merges": np.zeros(3, np.uint8)})
    with pytest.raises(ModelFileError):
        model_file.load(path)


def test_json_is_one_line_of_plain_values(pieced: LanguageModel) -> None:
    record = json.loads(json.dumps(score(pieced, LINE).to_dict()))
    assert record["level"] == "word" and record["n_tokens"] > record["n_words"]
