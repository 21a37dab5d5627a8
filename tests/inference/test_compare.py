"""Comparisons: against arithmetic by hand, and against chance."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lmtool.errors import ConfigError, InputError
from lmtool.inference import bootstrap as resampling
from lmtool.inference import compare as module
from lmtool.inference.compare import Comparison, Lines, bootstrap, uniform_bits
from lmtool.inference.evaluate import evaluate
from lmtool.inference.score import score
from lmtool.models.language_model import LanguageModel
from lmtool.nn.parameters import Parameters
from lmtool.settings import CompareSettings, TextSettings
from lmtool.text.vocabulary import Vocabulary
from tests.conftest import tiny

LINES = ["Todd met Pete", "", "the cat saw Zebedee", "Todd", "the dog saw the cat"]


def compare(
    a: LanguageModel,
    b: LanguageModel,
    lines: list[str],
    speller: LanguageModel | None = None,
    **options: Any,
) -> Comparison:
    """The comparison with these options."""
    return module.compare(a, b, lines, CompareSettings(**options), speller=speller)


def uniform(lines: list[str], **settings: Any) -> LanguageModel:
    """P = 1 / V for every token."""
    model = tiny(Vocabulary.build(lines, TextSettings(**settings)), "rnn")
    zeros = np.zeros_like(model.parameters.flat)
    return replace(model, parameters=Parameters(model.parameters.shapes, zeros))


def test_a_model_equals_itself(model: LanguageModel) -> None:
    result = compare(model, model, LINES)
    assert (result.difference_bits, result.low, result.high) == (0, 0, 0)
    assert (result.perplexity_ratio, result.b_better) == (1, 0.5)
    assert (result.n_lines, result.n_words) == (4, 13)


@pytest.mark.parametrize("context", ["sentence", "document"])
def test_sides_are_evaluations(model: LanguageModel, lstm: LanguageModel, context: str) -> None:
    result = compare(model, lstm, LINES, context=context)
    for side, judged in ((result.a, model), (result.b, lstm)):
        own = evaluate(judged, LINES, context)
        assert side.perplexity == pytest.approx(own.perplexity)
        assert side.bits_per_character == pytest.approx(own.bits_per_character)
        assert (side.n_oov, side.signature) == (own.n_oov, own.signature)
    bits = result.b.bits_per_word - result.a.bits_per_word
    assert result.difference_bits == pytest.approx(bits)
    assert result.perplexity_ratio == pytest.approx(result.b.perplexity / result.a.perplexity)
    assert result.low is not None and result.high is not None
    assert result.low <= result.difference_bits <= result.high


def test_unknown_words_cost_their_spelling() -> None:
    """By hand: 4 outputs know a and b, 3 know a alone; cc is unknown to both."""
    large, small = uniform(["a", "b"]), uniform(["a"])
    result = compare(large, small, ["a b cc"], oov="spell")
    assert result.a.bits_per_word * 4 == pytest.approx(4 * 2 + 8 * 3)
    assert result.b.bits_per_word * 4 == pytest.approx(4 * math.log2(3) + 8 * 2 + 8 * 3)
    assert (result.a.spelling_bits, result.b.spelling_bits) == (24, 40)
    assert (result.a.n_oov, result.b.n_oov) == (1, 2)
    assert result.difference_bits > 0  # without spelling the smaller vocabulary would win
    assert (result.low, result.high, result.b_better) == (None, None, None)  # of one line
    assert "|oov:spell-bytes|" in result.a.signature


def test_a_literal_unk_costs_no_spelling() -> None:
    model = uniform(["a"])
    result = compare(model, model, ["a <unk>"], oov="spell")
    assert (result.a.spelling_bits, result.a.n_oov) == (0, 1)


def test_a_speller_prices_words_by_their_characters() -> None:
    model, speller = uniform(["a"]), uniform(["xy"], tokens="char")  # 4 outputs
    spell = compare(model, model, ["xyx zz"], oov="spell", speller=speller)
    assert spell.a.spelling_bits == pytest.approx(4 * 2 + 3 * 2 + 2 * 16)  # z is unknown to it
    with pytest.raises(ConfigError, match="not a model of characters"):
        compare(model, model, ["a"], oov="spell", speller=model)
    lower = uniform(["xy"], tokens="char", lower=True)
    with pytest.raises(ConfigError, match="lower-cases words"):
        compare(model, model, ["a"], oov="spell", speller=lower)


def test_words_against_characters() -> None:
    words, characters = uniform(["a b"]), uniform(["ab "], tokens="char")
    result = compare(words, characters, ["a  b"], oov="spell")
    assert result.a.bits_per_word * 3 == pytest.approx(3 * 2)
    assert result.b.bits_per_word * 3 == pytest.approx(4 * math.log2(5))  # "a b" and the end
    assert (result.n_words, result.n_characters) == (2, 4)


def test_what_does_not_compare_is_refused() -> None:
    large, small = uniform(["a", "b"]), uniform(["a"])
    with pytest.raises(ConfigError, match=r"different vocabularies.*oov='spell'"):
        compare(large, small, ["a"])
    with pytest.raises(ConfigError, match="lower-cases"):
        compare(large, uniform(["a", "b"], lower=True), ["a"], oov="spell")
    with pytest.raises(InputError, match="no word"):
        compare(large, large, [" "])
    bad: tuple[dict[str, Any], ...] = ({"context": "page"}, {"oov": "skip"}, {"resamples": 0})
    for options in bad:
        with pytest.raises(ConfigError):
            compare(large, large, ["a"], **options)


def test_uniform_spellings_add_up_to_one() -> None:
    """Over all strings of up to n of the 255 bytes that are no end."""
    per_length = [255.0**n * 2.0 ** -uniform_bits("x" * n) for n in range(60)]
    assert sum(per_length) == pytest.approx(1 - (255 / 256) ** 60)
    assert uniform_bits("é") == 24


def test_the_seed_decides(model: LanguageModel, lstm: LanguageModel) -> None:
    one, two, three = (compare(model, lstm, LINES, seed=seed, resamples=99) for seed in (1, 1, 2))
    assert one == two and (one.low, one.high) != (three.low, three.high)


def test_the_interval_covers_the_truth() -> None:
    """200 texts of 60 lines whose mean difference is 0.2 bits: about 95 % of intervals hold it."""
    rng, covered = np.random.default_rng(5), 0
    for _ in range(200):
        bits, words = rng.normal(2.0, 3.0, 60), np.full(60, 10.0)
        drawn = bootstrap(Lines((np.zeros(60), bits), words, 1, (0, 0), (0, 0)), 400, rng)
        low, high = np.quantile(drawn, (0.025, 0.975))
        covered += bool(low <= 0.2 <= high)
    assert 178 <= covered <= 199


def test_long_texts_are_drawn_in_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = np.random.default_rng(1).normal(1.0, 1.0, 1000)
    read = Lines((np.zeros(1000), bits), np.ones(1000), 1, (0, 0), (0, 0))
    fine = bootstrap(read, 500, np.random.default_rng(2))
    monkeypatch.setattr(resampling, "UNITS", 90)
    coarse = bootstrap(read, 500, np.random.default_rng(2))
    assert coarse.mean() == pytest.approx(fine.mean(), abs=0.02)
    assert coarse.std() == pytest.approx(fine.std(), rel=0.3)


def test_scores_with_spelling_keep_the_models_factors(model: LanguageModel) -> None:
    result = compare(model, model, ["Zebedee"], oov="spell")
    own = -score(model, "Zebedee").log10_p / math.log10(2)
    assert result.a.bits_per_word * 2 == pytest.approx(own + uniform_bits("Zebedee"))
