"""Several tokens as one word: sums, and rows that stay in step with the words."""

import math
from collections.abc import Sequence

import pytest

from lmtool.inference.spans import lengths, regrouped
from lmtool.inference.surprisal import surprisal
from lmtool.models.language_model import LanguageModel
from lmtool.text.tokenizers import TOKENIZERS


@pytest.mark.parametrize(
    ("tokens", "words", "expected"),
    [
        ("word", ["New York", "is"], [2, 1]),
        ("word", ["met"], [1]),
        ("char", ["to", "be"], [2, 3]),
        ("char", ["a", "b c"], [1, 4]),
        ("word", [], []),
    ],
)
def test_lengths_cover_the_joined_text(
    tokens: str, words: Sequence[str], expected: list[int]
) -> None:
    tokenizer = TOKENIZERS[tokens]
    assert lengths(tokenizer, words) == expected
    assert sum(expected) == len(tokenizer.split(" ".join(words)))


def test_one_token_a_word_changes_nothing_but_the_end(model: LanguageModel) -> None:
    sentence = surprisal(model, "Todd met Pete")
    again = regrouped(sentence, ["Todd", "met", "Pete"], model.vocabulary.tokenizer)
    assert again.words == sentence.words[:-1]


def test_several_tokens_add_up(model: LanguageModel) -> None:
    tokenizer = model.vocabulary.tokenizer
    parts = surprisal(model, "Todd met Zork").words
    whole, last = regrouped(
        surprisal(model, "Todd met Zork"), ["Todd met", "Zork"], tokenizer
    ).words
    assert whole.surprisal == pytest.approx(parts[0].surprisal + parts[1].surprisal)
    assert whole.entropy_before == parts[0].entropy_before
    assert whole.entropy_after == parts[1].entropy_after
    assert whole.entropy_reduction is not None
    reductions = [part.entropy_reduction or 0.0 for part in parts[:2]]
    assert whole.entropy_reduction == pytest.approx(math.fsum(reductions))
    assert (whole.rank, whole.frequency, whole.length) == (None, None, len("Todd met"))
    assert (whole.position, last.position, last.oov, whole.oov) == (1, 2, True, False)


def test_a_literal_end_is_the_ends_own(model: LanguageModel) -> None:
    tokenizer = model.vocabulary.tokenizer
    sentence = surprisal(model, "Todd met </s>")
    words = regrouped(sentence, ["Todd", "met", "</s>"], tokenizer).words
    assert words[2].surprisal == sentence.words[2].surprisal and words[2].token == "<EOS>"
