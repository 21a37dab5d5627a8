"""Translations and captions: lines keep their places, words are copied, scores are those forced."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lmtool.arrays import Ids
from lmtool.data.readers.clips import Clip
from lmtool.inference.next import next_words
from lmtool.inference.sample import sample
from lmtool.inference.score import score
from lmtool.inference.translate import score_given, translate, translate_lines
from lmtool.settings import SampleSettings, SearchSettings
from tests.inference.chance import ChanceModel, vocabulary_of

ENGLISH = vocabulary_of("the", "dog", "saw", "a", "cat")
WORDS = ("der", "Hund", "sah", "die", "Katze", "in", "München")
LINES = ["der Hund sah die Katze", "", "Hund", "  ", "die Katze sah", "München"]

lines = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=5)
seeds = st.integers(0, 1000)


@pytest.mark.parametrize("block", [1, 3, 8])
def test_one_line_in_one_line_out(block: int) -> None:
    model = ChanceModel(ENGLISH, block=block)
    found = list(translate_lines(model, LINES, SearchSettings(n=2), threads=2))
    assert [one.source for one in found] == LINES
    assert [len(one.hypotheses) for one in found] == [2, 0, 2, 0, 2, 2]
    assert (found[1].text, found[1].log10_p) == ("", None)
    assert all(one.text == one.hypotheses[0].text for one in found if one.hypotheses)


@tried(max_examples=30)
@given(seeds, lines, st.integers(1, 3), st.integers(1, 4), st.booleans())
def test_company_pace_and_threads_change_nothing(
    seed: int, text: list[str], threads: int, ahead: int, eyes: bool
) -> None:
    model = ChanceModel(ENGLISH, seed, eyes)
    settings = SearchSettings(n=3, beam=3)
    alone = [translate(model, line, settings) for line in text]
    assert list(translate_lines(model, text, settings, threads, ahead)) == alone
    backwards = list(translate_lines(model, text[::-1], settings, threads))
    assert backwards[::-1] == alone


@tried(max_examples=30)
@given(seeds, lines, st.booleans(), st.integers(0, 2))
def test_what_is_printed_is_what_is_forced(
    seed: int, text: list[str], allow: bool, norm: int
) -> None:
    model = ChanceModel(ENGLISH, seed, eyes=not allow)
    settings = SearchSettings(n=5, length_norm=norm, allow_unk=allow, max_length=5)
    found = [one for one in translate_lines(model, text, settings) if one.hypotheses]
    pairs = [(one, each) for one in found for each in one.hypotheses if each.tokens]
    given = [(one.source, " ".join(each.tokens)) for one, each in pairs]
    for (one, each), forced in zip(pairs, score_given(model, given, threads=2), strict=True):
        assert forced.log10_p == each.log10_p  # every bit
        assert forced.words == score(model.given([model.source(one.source)]), forced.text).words
        assert each.score == pytest.approx(each.log10_p / len(forced.words) ** norm)


def test_unknown_words_are_copied_where_the_model_looked() -> None:
    seen = set()
    for seed in range(40):
        one = translate(ChanceModel(ENGLISH, seed), LINES[0], SearchSettings(n=5))
        assert one.source_tokens == tuple(LINES[0].split())
        for each in one.hypotheses:
            assert each.attention is not None and "<UNK>" not in each.text
            assert len(each.attention) == len(each.tokens) + 1
            words = each.text.split()
            for word, token, looked in zip(words, each.tokens, each.attention, strict=False):
                copied = one.source_tokens[int(np.argmax(looked))]
                assert word == (copied if token == "<UNK>" else token)
                seen.add(token)
    assert "<UNK>" in seen


def test_unknown_words_without_attention_are_not_written_unless_asked_for() -> None:
    model = ChanceModel(ENGLISH, 3, eyes=False)
    plain = translate(model, LINES[0], SearchSettings(n=5))
    assert not any("<UNK>" in each.tokens for each in plain.hypotheses)
    asked = translate(model, LINES[0], SearchSettings(n=5, allow_unk=True))
    assert any("<UNK>" in each.text for each in asked.hypotheses)
    assert plain.hypotheses[0].attention is None


def test_words_are_copied_only_where_steps_of_the_source_are_words() -> None:
    class Letters(ChanceModel):
        def source(self, text: str) -> Ids:
            return np.array([*map(ord, text)], np.int32)

    class Spelling(Letters):
        def tokens(self, text: str) -> list[str]:
            return list(text)

    some = [translate(Letters(ENGLISH, s), "der Hund", SearchSettings(n=5)) for s in range(9)]
    assert not any("<UNK>" in each.tokens for one in some for each in one.hypotheses)
    assert some[0].source_tokens == ()
    some = [translate(Spelling(ENGLISH, s), "xyz", SearchSettings(n=5)) for s in range(9)]
    unknown = {tuple(e.text.split()) for one in some for e in one.hypotheses if "<UNK>" in e.tokens}
    assert unknown and all({*words} & {*"xyz"} for words in unknown)


def test_captions_of_vectors() -> None:
    model = ChanceModel(ENGLISH, eyes=False)
    rows = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    clips = [Clip((), row[None], n, "feats.npy") for n, row in enumerate(rows, 1)]
    found = list(translate_lines(model, clips, SearchSettings(max_length=6)))
    assert [one.source for one in found] == ["feats.npy:1", "feats.npy:2", "feats.npy:3"]
    assert found == [translate(model, clip, SearchSettings(max_length=6)) for clip in clips]
    (forced,) = score_given(model, [(clips[1], found[1].text)])
    assert forced.log10_p == found[1].log10_p


def test_pairs_that_are_blank_have_no_score() -> None:
    pairs = [("der Hund", "the dog"), ("", "the dog"), ("der Hund", ""), ("die Katze", "Zork")]
    found = list(score_given(ChanceModel(ENGLISH), pairs, threads=2))
    assert [len(one.words) for one in found] == [3, 0, 0, 2]
    assert [one.text for one in found] == [text for _, text in pairs]


def test_lines_are_answered_as_they_come() -> None:
    asked = []

    def text() -> Iterator[str]:
        for n in range(6):
            asked.append(n)
            yield "Hund" if n % 2 else ""

    found = translate_lines(ChanceModel(ENGLISH), text(), ahead=1)
    assert [len(asked) for _ in found] == [1, 2, 3, 4, 5, 6]


def test_samples_and_next_words_about_a_source() -> None:
    model = ChanceModel(ENGLISH)
    about = [model.given([model.source(text)]) for text in ("der Hund", "die Katze")]
    first = [next_words(one, "the", k=3) for one in about]
    assert first[0] != first[1]
    drawn = sample(about[0], np.random.default_rng(1), SampleSettings(max_words=50), "the")
    assert drawn.text.split()[0] == "the" and math.isfinite(drawn.log10_p)


def test_results_are_plain_values_and_show_themselves() -> None:
    one = translate(ChanceModel(ENGLISH), "der Hund", SearchSettings(n=2, max_length=3))
    plain = one.to_dict()
    assert list(plain) == ["source", "text", "log10_p", "hypotheses", "source_tokens"]
    assert list(plain["hypotheses"][0]) == ["text", "tokens", "log10_p", "score", "attention"]
    assert repr(one).startswith("Translation('der Hund', text=")
    assert one._repr_html_().count("<tr>") == 3
