"""Prefix beam search: against all paths, with language models of words and of letters."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array
from lmtool.errors import ConfigError
from lmtool.inference.ctc_beam import decoder, greedy
from lmtool.inference.fusion import LETTERS, Language
from lmtool.inference.score import score
from lmtool.models.language_model import LanguageModel
from lmtool.nn.outputs.ctc import log_probability, runs
from lmtool.settings import TextSettings, TranscribeSettings
from lmtool.text.vocabulary import UNK_ID, Vocabulary
from tests.conftest import tiny
from tests.inference.unigram import Unigram

LINES = ["a b", "b b", "ab", "a", "ba b", "b"]
CHAR = Vocabulary.build(LINES, TextSettings(tokens="char"))
WORD = Vocabulary.build(LINES, TextSettings())
WIDE: dict[str, Any] = {"beam": 5000}


def steps(T: int, V: int, seed: int) -> Array:
    """ln p of tokens at each step; <UNK> never."""
    z = np.random.default_rng(seed).normal(size=(T, V)) * 1.5
    z[:, UNK_ID] = -np.inf
    return np.asarray(z - np.logaddexp.reduce(z, axis=1, keepdims=True))


def all_texts(logp: Array) -> dict[tuple[int, ...], float]:
    """ln P of everything that can be said, from all paths."""
    found: dict[tuple[int, ...], float] = {}
    known = [k for k in range(logp.shape[1]) if k != UNK_ID]
    for path in product(known, repeat=len(logp)):
        ids = tuple(runs(np.array(path)).ids.tolist())
        p = logp[np.arange(len(logp)), path].sum()
        found[ids] = np.logaddexp(found.get(ids, -np.inf), p)
    return found


def fused(text: str, model: Any, weight: float, bonus: float) -> float:
    """What a language model adds, in nats, from its score of the whole text."""
    words = text.split()
    vocabulary = model.vocabulary
    unknown = [w for w in words if UNK_ID in vocabulary.encode(w)]
    spelled = sum((len(w) + 1) * math.log(LETTERS) for w in unknown)
    lm = score(model, " ".join(words)).log10_p * math.log(10) if words else eos(model)
    return weight * (lm - spelled) + bonus * len(words)


def eos(model: Any) -> float:
    """ln p of nothing being said."""
    top, _ = model.step(np.zeros(2, np.int32), model.zero_state(2))
    return float(model.log_probability(top, np.zeros(2, np.int32))[0])


@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_sums_over_all_paths(seed: int) -> None:
    logp = steps(5, len(CHAR), seed)
    expected = all_texts(logp)
    found = decoder(CHAR, TranscribeSettings(n=5000, **WIDE))(logp)
    texts = {CHAR.decode(ids) for ids in expected}
    single = {text for text in texts if text == " ".join(text.split())}
    assert {CHAR.decode(one.ids).strip() for one in found} == single
    for one in found:
        assert one.logp == pytest.approx(expected[tuple(one.ids.tolist())])
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("lm", ["unigram", "lstm", "letters"])
def test_a_language_model_counts_as_for_whole_texts(lm: str) -> None:
    vocabulary = CHAR if lm == "letters" else WORD
    model: Any = Unigram(vocabulary) if lm == "unigram" else tiny(vocabulary, "lstm")
    logp = steps(5, len(CHAR), 7)
    settings = TranscribeSettings(n=20, **WIDE, lm_weight=0.7, word_bonus=0.3, lexicon=False)
    found = decoder(CHAR, settings, Language(model))(logp)
    expected = {
        ids: p + fused(CHAR.decode(ids), model, 0.7, 0.3) for ids, p in all_texts(logp).items()
    }
    best = sorted(expected, key=lambda ids: -expected[ids])
    assert tuple(found[0].ids.tolist()) == best[0]
    for one in found:
        assert one.score == pytest.approx(expected[tuple(one.ids.tolist())], abs=1e-4)


def test_a_lexicon_writes_only_its_words() -> None:
    language = Language(Unigram(WORD))
    known = set(WORD.tokens)
    for seed in range(5):
        settings = TranscribeSettings(n=30, beam=200, lexicon=True)
        for one in decoder(CHAR, settings, language)(steps(6, len(CHAR), seed)):
            assert set(CHAR.decode(one.ids).split()) <= known
    with pytest.raises(ConfigError, match="lexicon"):
        decoder(CHAR, TranscribeSettings(lexicon=True), Language(Unigram(CHAR)))


def test_words_and_pieces_are_fused_alike() -> None:
    pieces = Vocabulary.build(["abab ab", "abba ab"] * 3, TextSettings(tokens="subword"))
    model = Unigram(Vocabulary.build(["abab ab", "abba ab"], TextSettings()))
    logp = steps(4, len(pieces), 1)
    settings = TranscribeSettings(n=5, **WIDE, lm_weight=1.0, word_bonus=0.0, lexicon=False)
    found = decoder(pieces, settings, Language(model))(logp)
    for one in found:
        text = pieces.decode(one.ids)
        own = log_probability(logp, one.ids) + fused(text, model, 1.0, 0.0)
        assert one.score == pytest.approx(own, abs=1e-4)


def test_greedy_is_the_best_path_and_its_exact_probability() -> None:
    logp = steps(6, len(CHAR), 3)
    (one,) = greedy(logp)
    path = np.argmax(logp, axis=1)
    assert one.ids.tolist() == runs(path).ids.tolist()
    assert one.logp == one.score == log_probability(logp, one.ids)


def test_what_a_search_finds_is_its_own(lstm: LanguageModel) -> None:
    language, settings = Language(tiny(WORD, "lstm")), TranscribeSettings(n=4, beam=8)
    decode = decoder(CHAR, settings, language)
    first = [decode(steps(8, len(CHAR), seed)) for seed in (1, 2)]
    again = decode(steps(8, len(CHAR), 1))
    assert [(one.ids.tolist(), one.score) for one in again] == [
        (one.ids.tolist(), one.score) for one in first[0]
    ]


def test_each_text_is_listed_once_without_blanks_around_it() -> None:
    for one in (None, Language(Unigram(WORD))):
        found = decoder(CHAR, TranscribeSettings(n=50, beam=300), one)(steps(7, len(CHAR), 5))
        texts = [CHAR.decode(heard.ids) for heard in found]
        assert len({text.strip() for text in texts}) == len(texts)
        assert not any(text.startswith(" ") or "  " in text for text in texts)
